// Sends ideas without leaving the page; without network they wait on this device and go out later, exactly once:
// each has a client_id, and the server takes an id only once. Texts come from data-waiting, data-sent, data-refused ({n}).
import { read, write } from "../store.js";

const RETRY = 15000;
const TRY_LATER = new Set([408, 425, 429, 500, 502, 503, 504]);

// crypto.randomUUID exists only on https; a conference room may have plain http.
function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

class Queue {
  constructor(form) {
    this.form = form;
    this.name = `ideas:${form.dataset.key}`;
    this.busy = false;
  }

  get items() {
    return read(this.name, []);
  }

  set items(list) {
    write(this.name, list);
  }

  collect() {
    const id = this.form.elements.namedItem("client_id");
    if (id && !id.value) id.value = freshId();
    const fields = [...new FormData(this.form)].filter(([name, value]) => name !== "csrf_token" && typeof value === "string");
    return { id: id?.value, fields };
  }

  async post(item) {
    const body = new FormData();
    for (const [name, value] of item.fields) body.append(name, value);
    body.append("csrf_token", this.form.elements.namedItem("csrf_token").value);
    return fetch(this.form.action, { method: "POST", body, credentials: "same-origin" });
  }

  // The token of a page that was open for hours is stale: take a new one from a fresh copy of the page.
  async renewToken() {
    const page = parse(await (await fetch(location.href, { credentials: "same-origin" })).text());
    const fresh = page.querySelector("input[name=csrf_token]")?.value;
    if (fresh) this.form.elements.namedItem("csrf_token").value = fresh;
    return Boolean(fresh);
  }

  async send(item) {
    let answer = await this.post(item);
    if (answer.status === 400 && (await this.renewToken())) answer = await this.post(item);
    return answer;
  }

  async submit() {
    const item = this.collect();
    let answer;
    try {
      answer = await this.send(item);
    } catch {
      return this.wait(item);
    }
    if (TRY_LATER.has(answer.status)) return this.wait(item);
    if (answer.ok) this.sent();
    return show(answer);
  }

  wait(item) {
    this.items = [...this.items, item];
    this.sent();
    this.say();
  }

  sent() {
    this.form.dispatchEvent(new Event("part:sent"));
    for (const box of this.form.querySelectorAll("textarea")) box.value = "";
    const id = this.form.elements.namedItem("client_id");
    if (id) id.value = "";
  }

  async flush() {
    if (this.busy) return;
    this.busy = true;
    const locked = navigator.locks?.request(this.name, { ifAvailable: true }, (lock) => lock && this.sendAll());
    await (locked ?? this.sendAll()).catch(() => undefined);
    this.busy = false;
  }

  async sendAll() {
    for (const item of this.items.filter((one) => !one.refused)) {
      const answer = await this.send(item);
      if (TRY_LATER.has(answer.status)) return;
      const others = this.items.filter((one) => one.id !== item.id);
      this.items = answer.ok ? others : [...others, { ...item, refused: true }];
      this.say(answer.ok);
    }
  }

  say(justSent = false) {
    const waiting = this.items.filter((one) => !one.refused).length;
    const refused = this.items.filter((one) => one.refused);
    const words = this.form.dataset;
    const text = refused.length ? words.refused : waiting ? words.waiting : justSent ? words.sent : "";
    const place = this.form.querySelector("[data-queue-status]");
    if (place) place.textContent = (text ?? "").replace("{n}", waiting);
    this.giveBack(refused);
  }

  // A refused idea comes back into the empty form, so that nobody has to type it again.
  giveBack(refused) {
    const box = this.form.querySelector("textarea");
    if (!box || box.value || refused.length === 0) return;
    const [first] = refused;
    for (const [name, value] of first.fields) {
      const field = this.form.elements.namedItem(name);
      if (field && "value" in field && name !== "client_id") field.value = value;
    }
    this.items = this.items.filter((one) => one.id !== first.id);
  }
}

function parse(html) {
  return new DOMParser().parseFromString(html, "text/html");
}

// The server answers with a whole page, as it does without JavaScript; we take its main part.
async function show(answer) {
  const page = parse(await answer.text());
  const fresh = page.querySelector("main");
  const main = document.querySelector("main");
  if (!fresh || !main) return location.assign(answer.url);
  main.replaceChildren(...fresh.childNodes);
  document.title = page.title;
  if (answer.ok && answer.redirected) history.replaceState(null, "", answer.url);
  main.dispatchEvent(new Event("part:load", { bubbles: true }));
  if (!main.querySelector(".error-summary")) (main.querySelector("textarea") ?? main).focus();
}

export default function (form) {
  const queue = new Queue(form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    form.setAttribute("aria-busy", "true");
    queue.submit().finally(() => form.removeAttribute("aria-busy"));
  });
  window.addEventListener("online", () => form.isConnected && queue.flush());
  const timer = setInterval(() => (form.isConnected ? queue.items.length && queue.flush() : clearInterval(timer)), RETRY);
  queue.say();
  queue.flush();
}
