// Says in one sentence how many are new after a region has renewed itself; it carries data-count.
export default function (place) {
  const count = () => Number(document.querySelector(place.dataset.target)?.dataset.count ?? 0);
  let before = count();
  document.addEventListener("htmx:afterSettle", () => {
    const more = count() - before;
    before = count();
    if (more > 0) place.textContent = (more === 1 ? place.dataset.newOne : place.dataset.new).replace("{n}", more);
  });
}
