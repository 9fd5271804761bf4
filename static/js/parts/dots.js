// Counts dots while they are given and offers minus and plus. The server holds the rule; this only shows it.
// data-total; texts with {n}: data-left, data-left-one, data-none, data-over, data-over-one.
const GIVEN = "input[type=number], input[type=checkbox]";

function given(form) {
  return [...form.querySelectorAll(GIVEN)]
    .map((field) => (field.type === "checkbox" ? Number(field.checked) : Math.max(0, Math.trunc(Number(field.value)) || 0)))
    .reduce((sum, dots) => sum + dots, 0);
}

function words(left, texts) {
  if (left < 0) return ((left === -1 && texts.overOne) || texts.over).replace("{n}", -left);
  if (left === 0) return texts.none;
  return ((left === 1 && texts.leftOne) || texts.left).replace("{n}", left);
}

function lock(form, left) {
  for (const button of form.querySelectorAll("[data-dots-step]")) {
    const field = document.getElementById(button.dataset.for);
    const dots = Number(field.value) || 0;
    const most = field.max === "" ? Infinity : Number(field.max);
    const idle = Number(button.dataset.dotsStep) < 0 ? dots <= 0 : left <= 0 || dots >= most;
    button.setAttribute("aria-disabled", String(idle));
  }
}

function step(event) {
  const button = event.target.closest("[data-dots-step]");
  if (!button || button.getAttribute("aria-disabled") === "true") return;
  const field = document.getElementById(button.dataset.for);
  field.value = Math.max(0, (Number(field.value) || 0) + Number(button.dataset.dotsStep));
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

export default function (form) {
  const place = form.querySelector("[data-dots-left]");
  const count = () => {
    const left = Number(form.dataset.total) - given(form);
    const text = words(left, form.dataset);
    if (place && place.textContent !== text) place.textContent = text;
    place?.classList.toggle("dots-left--over", left < 0);
    lock(form, left);
  };
  for (const button of form.querySelectorAll("[data-dots-step]")) button.hidden = false;
  form.addEventListener("click", step);
  form.addEventListener("input", count);
  form.addEventListener("change", count);
  count();
}
