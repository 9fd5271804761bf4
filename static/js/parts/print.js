// Opens the browser's print window.
export default function (button) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
