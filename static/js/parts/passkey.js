// A form that a passkey answers: shows itself where the browser can, asks the device, and goes out with what it says.
// data-options (address), data-make ("1" to make a new one); texts: data-waiting, data-failed, data-cancelled, data-known.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));

function text(buffer) {
  const signs = [...new Uint8Array(buffer)].map((byte) => String.fromCharCode(byte)).join("");
  return btoa(signs).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const named = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

function understood(options) {
  const known = { ...options, challenge: bytes(options.challenge) };
  if (options.user) known.user = { ...options.user, id: bytes(options.user.id) };
  known.allowCredentials = named(options.allowCredentials);
  known.excludeCredentials = named(options.excludeCredentials);
  return known;
}

function written(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  if (credential.response.getTransports) response.transports = credential.response.getTransports();
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  });
}

async function ask(form) {
  const answer = await fetch(form.dataset.options, { headers: { Accept: "application/json" }, cache: "no-store" });
  if (!answer.ok) throw new Error(answer.status);
  const publicKey = understood(await answer.json());
  return form.dataset.make ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey });
}

function words(form, error) {
  if (error.name === "InvalidStateError") return form.dataset.known ?? form.dataset.failed;
  return error.name === "NotAllowedError" || error.name === "AbortError" ? form.dataset.cancelled : form.dataset.failed;
}

export default function (form) {
  const status = form.querySelector("[data-passkey-status]");
  if (!window.PublicKeyCredential || !navigator.credentials) return;
  const hint = document.getElementById(form.dataset.hint);
  if (hint) hint.hidden = true;
  form.hidden = false;
  let busy = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    form.setAttribute("aria-busy", "true");
    status.textContent = form.dataset.waiting;
    try {
      form.elements.credential.value = written(await ask(form));
      form.submit();
    } catch (error) {
      status.textContent = words(form, error);
    } finally {
      busy = false;
      form.removeAttribute("aria-busy");
    }
  });
  window.addEventListener("pageshow", () => { form.elements.credential.value = ""; });
}
