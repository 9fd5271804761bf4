// The error summary takes the focus; its links lead into the field, with its label in sight.
function lead(event) {
  const link = event.target.closest("a[href^='#']");
  const field = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (!field) return;
  event.preventDefault();
  (document.querySelector(`label[for="${CSS.escape(field.id)}"]`)?.closest(".field, .fieldset") ?? field).scrollIntoView();
  field.focus({ preventScroll: true });
}

export default function (summary) {
  summary.addEventListener("click", lead);
  summary.focus();
}
