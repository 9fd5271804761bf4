// Wakes the parts of a page: data-part="a b" loads ./parts/a.js and ./parts/b.js and hands them the element, once.
import { expectAnswer, settle } from "./drafts.js";

const awake = new WeakMap();

function wakePart(element, name) {
  const parts = awake.get(element) ?? new Set();
  if (parts.has(name)) return;
  parts.add(name);
  awake.set(element, parts);
  import(`./parts/${name}.js`).then((part) => part.default(element)).catch((error) => console.warn(name, error));
}

export function wake(root) {
  const found = [...root.querySelectorAll("[data-part]")];
  if (root.matches?.("[data-part]")) found.unshift(root);
  for (const element of found) {
    for (const name of element.dataset.part.split(/\s+/).filter((word) => /^[a-z-]+$/.test(word))) wakePart(element, name);
  }
}

settle(document);
// Here and not in the part: on a slow network the part of a form may arrive after the form was sent.
document.addEventListener("submit", (event) => event.target.matches("[data-part~=draft]") && expectAnswer(event.target.dataset.key));
wake(document);
document.addEventListener("htmx:load", (event) => wake(event.detail.elt));
document.addEventListener("part:load", (event) => wake(event.target));

// A page that asks for something else (signed out meanwhile) must not wipe out what it does not hold.
document.addEventListener("htmx:beforeSwap", (event) => {
  const asked = event.detail.requestConfig?.elt ?? event.target;
  const region = asked.getAttribute?.("hx-select");
  if (!region || event.detail.xhr.status >= 400) return;
  if (new DOMParser().parseFromString(event.detail.serverResponse, "text/html").querySelector(region)) return;
  event.detail.shouldSwap = false;
  asked.dispatchEvent(new CustomEvent("part:ended", { bubbles: true }));
});
