// A list that scrolls by itself begins where the current page stands.
export default function (box) {
  const current = [...box.querySelectorAll("[aria-current]")].findLast((link) => link.offsetParent);
  if (!current || box.scrollHeight <= box.clientHeight) return;
  const below = current.getBoundingClientRect().bottom - box.getBoundingClientRect().bottom;
  if (below > -64) box.scrollTop += below + 64;
}
