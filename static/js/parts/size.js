// Larger and smaller type on the wall without loading anew; the choice stays on this device. An address with ?size= wins.
import { read, write } from "../store.js";

const KEY = "wall-size";

function now(body) {
  return Number(/wall--size-(\d)/.exec(body.className)?.[1] ?? 3);
}

function set(body, size, { min, max }) {
  const next = Math.min(Math.max(size, Number(min)), Number(max));
  body.classList.remove(`wall--size-${now(body)}`);
  body.classList.add(`wall--size-${next}`);
  write(KEY, next);
}

export default function (tools) {
  const body = document.body;
  if (!new URLSearchParams(location.search).has("size")) set(body, read(KEY, now(body)), tools.dataset);
  tools.addEventListener("click", (event) => {
    const link = event.target.closest("[data-size-step]");
    if (!link) return;
    event.preventDefault();
    set(body, now(body) + Number(link.dataset.sizeStep), tools.dataset);
  });
}
