// Seating by mouse and keyboard, on top of the buttons, which stay. The server decides; its page is taken over as it comes.
// Words: data-taken {name}, data-target {group} {n}, data-cancelled {name} {group}, data-lost.
const FAR = 6;

const people = (place) => [...place.querySelectorAll("input[name=person]")];
const groupOf = (node) => node.closest("fieldset[data-group]");
const nameOf = (input) => input.closest("label").querySelector("[dir=auto]").textContent.trim();
const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (_all, key) => facts[key] ?? "");

// One live region for the page, outside of what is replaced, and there before the first word: else that one is not read out.
function liveRegion() {
  const known = document.getElementById("board-says");
  if (known) return known;
  const place = document.createElement("p");
  place.id = "board-says";
  place.className = "visually-hidden";
  place.setAttribute("role", "status");
  document.body.append(place);
  return place;
}

function say(text) {
  liveRegion().textContent = text;
}

class Board {
  constructor(form) {
    this.form = form;
    this.taken = null;
    this.target = null;
    this.drag = null;
    form.addEventListener("keydown", (event) => this.key(event));
    form.addEventListener("focusout", (event) => this.taken && !form.contains(event.relatedTarget) && this.cancel());
    form.addEventListener("pointerdown", (event) => this.down(event));
    form.addEventListener("submit", (event) => this.submit(event));
    form.addEventListener("dragstart", (event) => event.preventDefault());
  }

  get groups() {
    return [...this.form.querySelectorAll("fieldset[data-group]")];
  }

  // -- keyboard -----------------------------------------------------

  key(event) {
    const input = event.target;
    if (input.name !== "person" || event.altKey || event.ctrlKey || event.metaKey) return;
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (steps) this.arrow(input, ...steps);
    else if (event.key === "Enter") this.taken ? this.put() : this.take(input);
    else if (event.key === "Escape" && this.taken) this.cancel();
    else return;
    event.preventDefault();
  }

  arrow(input, down, aside) {
    if (this.taken) return this.aim(down + aside);
    const own = groupOf(input);
    const row = people(own).indexOf(input);
    if (down) return this.choose(people(own)[row + down]);
    const filled = this.groups.filter((group) => people(group).length);
    const next = filled[filled.indexOf(own) + aside];
    if (next) this.choose(people(next)[Math.min(row, people(next).length - 1)]);
  }

  choose(input) {
    if (!input) return;
    input.checked = true;
    input.focus();
  }

  take(input) {
    input.checked = true;
    this.taken = input;
    input.closest("label").classList.add("seating__person--taken");
    this.mark(groupOf(input));
    say(fill(this.form.dataset.taken, { name: nameOf(input) }));
  }

  aim(step) {
    const groups = this.groups;
    const next = groups[(groups.indexOf(this.target) + step + groups.length) % groups.length];
    this.mark(next);
    next.scrollIntoView({ block: "nearest" });
    say(fill(this.form.dataset.target, { group: next.dataset.name, n: people(next).length }));
  }

  mark(group) {
    this.target?.classList.remove("seating__group--target");
    this.target = group;
    group?.classList.add("seating__group--target");
  }

  put() {
    const [input, group] = [this.taken, this.target];
    if (group === groupOf(input)) return this.cancel();
    this.release();
    return this.move(input, group);
  }

  cancel() {
    const input = this.taken;
    this.release();
    say(fill(this.form.dataset.cancelled, { name: nameOf(input), group: groupOf(input).dataset.name }));
  }

  release() {
    this.taken?.closest("label").classList.remove("seating__person--taken");
    this.taken = null;
    this.mark(null);
  }

  // -- mouse --------------------------------------------------------

  down(event) {
    const label = event.target.closest(".seating__person");
    if (!label || event.button !== 0 || event.pointerType === "touch" || event.target.matches("input")) return;
    this.drag = { label, x: event.clientX, y: event.clientY, ghost: null };
    const ends = new AbortController();
    const until = { signal: ends.signal };
    document.addEventListener("pointermove", (moved) => this.pull(moved), until);
    document.addEventListener("keydown", (pressed) => pressed.key === "Escape" && (this.drop(), ends.abort()), until);
    document.addEventListener("pointercancel", () => (this.drop(), ends.abort()), until);
    document.addEventListener("pointerup", () => (this.drop(this.target), ends.abort()), until);
  }

  pull(event) {
    const drag = this.drag;
    if (!drag.ghost && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < FAR) return;
    event.preventDefault();
    drag.ghost ??= this.ghost(drag.label);
    drag.ghost.style.insetInlineStart = `${event.clientX + 8}px`;
    drag.ghost.style.insetBlockStart = `${event.clientY + 8}px`;
    const under = document.elementFromPoint(event.clientX, event.clientY);
    const group = under && groupOf(under);
    this.mark(this.form.contains(group) ? group : null);
  }

  ghost(label) {
    const copy = document.createElement("div");
    copy.className = "seating__ghost";
    copy.textContent = nameOf(label.querySelector("input"));
    document.body.append(copy);
    document.body.classList.add("is-dragging");
    return copy;
  }

  drop(group = null) {
    const drag = this.drag;
    this.drag = null;
    this.mark(null);
    document.body.classList.remove("is-dragging");
    if (!drag?.ghost) return;
    drag.ghost.remove();
    window.getSelection()?.removeAllRanges();
    // The click that follows a drag must not choose another person.
    window.addEventListener("click", (event) => event.preventDefault(), { capture: true, once: true });
    setTimeout(() => window.dispatchEvent(new Event("click")));
    const input = drag.label.querySelector("input");
    if (group && group !== groupOf(input)) this.move(input, group);
  }

  // -- the server decides -------------------------------------------

  move(input, group) {
    input.checked = true;
    const data = new FormData(this.form);
    data.set("person", input.value);
    data.set("group", group.dataset.group);
    data.set("step", "move");
    return this.send(data, input.id);
  }

  submit(event) {
    const chosen = this.form.querySelector("input[name=person]:checked");
    event.preventDefault();
    this.send(new FormData(this.form, event.submitter), chosen?.id);
  }

  async send(data, id) {
    if (this.form.getAttribute("aria-busy") === "true") return;
    this.form.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(this.form.action, { method: "POST", body: data, credentials: "same-origin" });
      show(await answer.text(), answer, id);
    } catch {
      say(this.form.dataset.lost);
    } finally {
      this.form.removeAttribute("aria-busy");
    }
  }
}

// The server answers with a whole page, as it does without JavaScript; we take its main part and keep the place.
function show(html, answer, id) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const fresh = page.querySelector("main");
  const main = document.querySelector("main");
  if (!fresh?.querySelector("form.seating")) return location.assign(answer.redirected ? answer.url : location.href);
  const top = document.getElementById(id)?.getBoundingClientRect().top;
  main.replaceChildren(...fresh.childNodes);
  document.title = page.title;
  main.dispatchEvent(new Event("part:load", { bubbles: true }));
  if (main.querySelector(".error-summary")) return;
  const input = document.getElementById(id);
  input?.focus({ preventScroll: true });
  if (input && top !== undefined) window.scrollBy({ top: input.getBoundingClientRect().top - top, behavior: "instant" });
  say(main.querySelector(".flashes")?.textContent.trim() ?? "");
}

export default function (form) {
  new Board(form);
  liveRegion();
  for (const place of document.querySelectorAll("[data-needs-script]")) place.hidden = false;
}
