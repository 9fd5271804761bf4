// Says that renewals do not come through (or that one has to sign in again), and takes it back as soon as one does.
export default function (place) {
  const say = (text) => {
    if (place.textContent !== text) place.textContent = text;
  };
  for (const name of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(name, () => say(place.dataset.lost));
  document.addEventListener("htmx:responseError", (event) => event.detail.xhr.status >= 500 && say(place.dataset.lost));
  document.addEventListener("htmx:beforeOnLoad", (event) => event.detail.xhr.status < 500 && say(""));
  document.addEventListener("part:ended", () => say(place.dataset.ended));
}
