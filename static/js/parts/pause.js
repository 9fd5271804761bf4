// Holds the renewal of a region: its polls are called off while the button is pressed.
export default function (button) {
  button.hidden = false;
  const paused = () => button.getAttribute("aria-pressed") === "true";
  button.addEventListener("click", () => button.setAttribute("aria-pressed", String(!paused())));
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (paused() && event.target.matches(button.dataset.target)) event.preventDefault();
  });
}
