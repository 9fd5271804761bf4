// A <details> that closes like a menu: Escape, a click beside it, the focus moving on.
export default function (menu) {
  const opener = menu.querySelector("summary");
  const isOutside = (node) => node instanceof Node && !menu.contains(node);
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    opener.focus();
  });
  menu.addEventListener("focusout", (event) => {
    if (isOutside(event.relatedTarget)) menu.open = false;
  });
  document.addEventListener("pointerdown", (event) => {
    if (isOutside(event.target)) menu.open = false;
  });
}
