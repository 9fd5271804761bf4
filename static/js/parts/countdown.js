// Counts down to an instant by the server's clock: only the difference between its now and its end matters, never this device's time.
// Says aloud when five minutes and one minute are left and at the end; nothing else, and nothing that has passed before the page came.
const MARKS = [["end", 0], ["one", 60], ["five", 300]];
const heard = new Map(); // round → seconds left when it was last looked at; outlives the renewal of the region

function asClock(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes}:${two(seconds % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

function announce(words, left) {
  const before = heard.get(words.round) ?? left;
  heard.set(words.round, left);
  const mark = MARKS.find(([, seconds]) => before > seconds && left <= seconds);
  const place = document.querySelector("[data-countdown-status]");
  if (mark && place) place.textContent = words[mark[0]];
}

export default function (place) {
  const words = place.dataset;
  const behind = Number(words.now) - Date.now();
  const tick = () => {
    if (!place.isConnected) return;
    const rest = Math.max(0, Number(words.ends) - Date.now() - behind);
    const left = Math.ceil(rest / 1000);
    place.textContent = left ? asClock(left) : words.over;
    place.hidden = false;
    announce(words, left);
    if (rest) setTimeout(tick, rest % 1000 || 1000);
  };
  tick();
}
