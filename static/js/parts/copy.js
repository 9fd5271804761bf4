// Copies data-text and says so in the button itself.
export default function (button) {
  if (!navigator.clipboard) return;
  const label = button.querySelector("[data-copy-label]") ?? button;
  const before = [...label.childNodes].map((node) => node.cloneNode(true));
  label.setAttribute("aria-live", "polite");
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.text);
    label.textContent = button.dataset.done;
    setTimeout(() => label.replaceChildren(...before.map((node) => node.cloneNode(true))), 3000);
  });
}
