// A small box in the browser. Private windows and full disks must never lose text: then it lives as long as the page.
const spare = new Map();

export function read(key, otherwise = null) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? spare.get(key) ?? otherwise;
  } catch {
    return spare.get(key) ?? otherwise;
  }
}

export function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
    spare.delete(key);
  } catch {
    spare.set(key, value);
  }
}

export function forget(key) {
  spare.delete(key);
  try {
    localStorage.removeItem(key);
  } catch {
    // Nothing was kept, so nothing needs forgetting.
  }
}
