// Keeps what is typed on this device until it was sent. Needs data-key; data-restored is said when text came back.
import { drop, expectAnswer, keep, recall } from "../drafts.js";

const KEPT = "textarea, input[type=text], input:not([type])";

function kept(form) {
  return [...form.querySelectorAll(KEPT)].filter((field) => field.name);
}

function restore(form, fields) {
  const empty = kept(form).filter((field) => field.value === "" && fields[field.name]);
  for (const field of empty) field.value = fields[field.name];
  return empty.length > 0;
}

function say(form, text) {
  const place = form.querySelector("[data-draft-status]");
  if (place && text) place.textContent = text;
}

export default function (form) {
  const key = form.dataset.key;
  const fields = recall(key);
  if (fields && restore(form, fields)) {
    say(form, form.dataset.restored);
    form.dispatchEvent(new Event("input"));
  }
  form.addEventListener("input", () => {
    const typed = Object.fromEntries(kept(form).map((field) => [field.name, field.value]).filter(([, value]) => value));
    Object.keys(typed).length ? keep(key, typed) : drop(key);
  });
  form.addEventListener("submit", () => expectAnswer(key));
  form.addEventListener("part:sent", () => drop(key));
  form.addEventListener("htmx:afterRequest", (event) => event.detail.successful && drop(key));
}
