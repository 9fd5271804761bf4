// A form goes out once: a second press within a few seconds does nothing. The server guards the same.
const REST = 4000;

export default function (form) {
  let last = -Infinity;
  const release = () => {
    last = -Infinity;
    form.removeAttribute("aria-busy");
  };
  form.addEventListener("submit", (event) => {
    if (performance.now() - last < REST) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    last = performance.now();
    form.setAttribute("aria-busy", "true");
    setTimeout(() => form.removeAttribute("aria-busy"), REST);
  }, { capture: true });
  form.addEventListener("htmx:afterRequest", release);
  window.addEventListener("pageshow", release);
}
