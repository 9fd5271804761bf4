// Keeps what is typed on this device until it was sent. Needs data-key; data-restored is said when text came back.
// Where the page has a version, what was typed over an older one keeps that version: the server then shows both texts.
import { drop, keep, recall } from "../drafts.js";

const KEPT = "textarea, input[type=text], input:not([type])";

function kept(form) {
  return [...form.querySelectorAll(KEPT)].filter((field) => field.name);
}

function restore(form, { fields, base }) {
  const version = form.elements.namedItem("version");
  const known = kept(form).filter((field) => field.name in fields && field.value !== fields[field.name]);
  const back = version ? known : known.filter((field) => field.value === "");
  for (const field of back) field.value = fields[field.name];
  if (version && base && back.length > 0) version.value = base;
  return back.length > 0;
}

function say(form, text) {
  const place = form.querySelector("[data-draft-status]");
  if (place && text) place.textContent = text;
}

export default function (form) {
  const key = form.dataset.key;
  const remember = () => {
    const typed = Object.fromEntries(kept(form).map((field) => [field.name, field.value]));
    const any = Object.values(typed).some(Boolean);
    any ? keep(key, typed, form.elements.namedItem("version")?.value) : drop(key);
  };
  const draft = recall(key);
  // An answer with a mistake shows what was typed by itself, over the version that counts now.
  if (document.querySelector(".error-summary")) draft && remember();
  else if (draft && restore(form, draft)) {
    say(form, form.dataset.restored);
    form.dispatchEvent(new Event("input"));
  } else if (draft && form.elements.namedItem("version")) drop(key);
  form.addEventListener("input", remember);
  form.addEventListener("part:sent", () => drop(key));
  form.addEventListener("htmx:afterRequest", (event) => event.detail.successful && drop(key));
}
