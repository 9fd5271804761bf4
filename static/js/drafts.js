// Typed text that was not sent yet. A draft ends only when the server has said that it took it.
import { forget, read, write } from "./store.js";

const PENDING = "drafts-pending";
const DAYS = 14;

export const nameOf = (key) => `draft:${key}`;

// `base` is the version of the page on which it was typed: a later page may hold what others have saved meanwhile.
export function keep(key, fields, base = "") {
  write(nameOf(key), { at: Date.now(), fields, base });
}

export function recall(key) {
  const draft = read(nameOf(key));
  if (!draft) return null;
  if (Date.now() - draft.at < DAYS * 86400000) return draft;
  forget(nameOf(key));
  return null;
}

export function drop(key) {
  forget(nameOf(key));
}

// A sent form leads to another page; that page's good news (not this one) ends the draft.
export function expectAnswer(key) {
  write(PENDING, [...new Set([...read(PENDING, []), key])]);
}

export function settle(page) {
  const pending = read(PENDING, []);
  if (pending.length === 0) return;
  if (page.querySelector(".flashes .alert--good")) pending.forEach(drop);
  forget(PENDING);
}
