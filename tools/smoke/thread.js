// The thread of a conference, as people click it: invitation → registration → agenda → idea → vote → minutes as PDF.
// Run by tools/smoke_production.py, which says where everything is. Nothing that was confirmed may be missing at the end.
import { check, fail, sleep } from "k6";
import crypto from "k6/crypto";
import http from "k6/http";

const BASE = __ENV.BASE_URL;
const GUESTS = Number(__ENV.GUESTS);
const IDEAS = Number(__ENV.IDEAS);
const SLUG = "smoke";
const HERE = `/conferences/${SLUG}`;

export const options = {
  insecureSkipTLSVerify: true,
  noCookiesReset: true,
  setupTimeout: "300s",
  teardownTimeout: "300s",
  scenarios: { guests: { executor: "per-vu-iterations", vus: GUESTS, iterations: 1, maxDuration: "300s" } },
  thresholds: { checks: ["rate==1"], http_req_failed: ["rate==0"] },
};

function must(response, what, status = 200) {
  if (!check(response, { [what]: (answer) => answer.status === status })) {
    fail(`${what}: ${response.status} at ${response.request.method} ${new URL(response.url).path} [${response.headers["X-Request-Id"]}]`);
  }
  return response;
}

class URL {
  constructor(text) {
    this.path = text.replace(/^https?:\/\/[^/]+/, "").replace(/[A-Za-z0-9_-]{32,}/g, "…");
  }
}

function open(path, what) {
  return must(http.get(path.startsWith("http") ? path : BASE + path), what || `open ${path}`);
}

// Fills the form that leads to `action` as it stands on the page and sends it; the page behind it must come.
function send(page, action, fields, what) {
  const formSelector = `form[action="${action}"]`;
  if (page.html(formSelector).size() === 0) fail(`${what}: there is no form to ${action.replace(/[A-Za-z0-9_-]{32,}/g, "…")}`);
  return must(page.submitForm({ formSelector, fields: fields || {} }), what);
}

function signIn(code) {
  const start = open("/sign-in");
  const next = send(start, "/sign-in", { email: __ENV.EMAIL, password: __ENV.PASSWORD }, "sign in");
  if (code) send(next, "/sign-in/code", { code }, "show the second factor");
}

// What an authenticator app shows for a key (RFC 6238).
function appCode(key) {
  const signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; // pragma: allowlist secret
  const bits = [...key].map((sign) => signs.indexOf(sign).toString(2).padStart(5, "0")).join("");
  const secret = new Uint8Array(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = new DataView(new ArrayBuffer(8));
  counter.setUint32(4, Math.floor(Date.now() / 30000));
  const digest = new DataView(crypto.hmac("sha1", secret.buffer, counter.buffer, "binary"));
  const number = digest.getUint32(digest.getUint8(19) & 15) & 0x7fffffff;
  return String(number % 1000000).padStart(6, "0");
}

// Whoever administers cannot go on before; the recovery codes let in again later.
function setUpFactor() {
  const page = open("/account/second-factor");
  const shown = send(page, "/account/second-factor", { code: appCode(page.html("main code").first().text()) }, "set up an app");
  const codes = [];
  shown.html("main li code").each((_index, code) => codes.push(code.textContent()));
  return codes;
}

function day(shift) {
  return new Date(Date.now() + shift * 86400000).toISOString().slice(0, 10);
}

function plan() {
  const added = send(open("/series/new"), "/series/new", { title: "Rauchprobe", host: "Agentur" }, "plan a series");
  const path = /\/series\/[a-z0-9-]+\/conferences\/new/.exec(added.body)[0];
  const facts = {
    title: "Rauchprobe", slug: SLUG, focus_question: "Hält es?", day: day(20), begin: "09:30", end: "15:00", answer_by: day(10),
    venue: "Agentur", address: "Musterstraße 1", seats: String(GUESTS), organiser_name: "Nora Beispiel",
    organiser_email: "nora@agentur.example",
  };
  send(open(path), path, facts, "plan a conference");
  send(open(`${HERE}/agenda/new`), `${HERE}/agenda/new`, { title: "Ankommen", clock: "09:30", duration: "30" }, "plan an item");
}

function invite() {
  for (let number = 1; number <= GUESTS; number++) {
    const person = { organisation: "Bildungshaus", email: `gast${number}@traeger.example`, first_name: "Ada", last_name: `Muster ${number}` };
    send(open(`${HERE}/guests/new`), `${HERE}/guests/new`, person, "put on the guest list");
  }
  send(open(`${HERE}/mailing/invitations`), `${HERE}/mailing/invitations`, {}, "send the invitations");
  for (let second = 0; second < 120; second++) {
    const links = http.get(`${__ENV.POST_BOX}/links`).json();
    if (Object.keys(links).length === GUESTS) return Object.values(links).map((link) => link.replace(/^https?:\/\/[^/]+/, ""));
    sleep(1);
  }
  return fail("not every invitation has arrived");
}

export function setup() {
  signIn();
  const codes = setUpFactor();
  plan();
  const links = invite();
  send(open(`${HERE}/ideas`), `${HERE}/ideas/opening`, {}, "open the collection of ideas");
  const code = /\/ideas\/([A-Z0-9]{4,8})\b/.exec(open(`${HERE}/ideas`).body + open(`${HERE}/ideas/codes`).body);
  return { links, codes, code: code[1] };
}

export default function guest({ links, code }) {
  const link = links[__VU - 1];
  const letter = open(link, "open the invitation");
  send(letter, link, { reply: "accepted", name: `Ada Muster ${__VU}` }, "accept");
  check(open("/my"), { "my page says that I take part": (page) => page.html("h1").text() !== "" });
  check(open(`/programme/${SLUG}`), { "the programme is public": (page) => page.body.includes("Ankommen") });
  for (let number = 1; number <= IDEAS; number++) {
    const page = open(`/ideas/${code}`, "open the page for ideas");
    send(page, `/ideas/${code}`, { text: `Idee ${number} von Gast ${__VU}` }, "hand in an idea");
    sleep(0.5);
  }
}

function vote(links, codes) {
  const planned = { title: "Womit beginnen?", subject: "ideas", dots: "3", per_option: "2" };
  const shown = send(open(`${HERE}/votes/new`), `${HERE}/votes/new`, planned, "plan a vote");
  const path = new RegExp(`${HERE}/votes/\\d+`).exec(shown.body)[0];
  send(open(path), `${path}/opening`, {}, "open the vote");
  const ballot = `/my/votes/${path.split("/").pop()}`;
  for (const link of links) {
    http.cookieJar().clear(BASE);
    send(open(link, "come back"), `${link}/visit`, {}, "exchange the link");
    const paper = open(ballot, "open the ballot");
    const name = paper.html('[name^="option-"]').first().attr("name");
    send(paper, ballot, { [name]: "2" }, "vote");
  }
  http.cookieJar().clear(BASE);
  signIn(codes[1]);
  send(open(path), `${path}/closure`, {}, "close the vote");
  return open(path, "read the result");
}

function writeMinutes() {
  const sheet = open(`${HERE}/attendance`);
  const present = {};
  sheet.html('[name^="presence-"]').each((_index, field) => { present[field.getAttribute("name")] = "present"; });
  send(sheet, `${HERE}/attendance`, present, "record who is there");
  send(open(`${HERE}/minutes`), `${HERE}/minutes`, { chair: "Vera Vorsitz", minute_taker: "Nora Beispiel" }, "name the chair");
  send(open(`${HERE}/minutes`), `${HERE}/minutes/release`, {}, "release the minutes");
  const pdf = must(http.get(`${BASE}${HERE}/minutes/1.pdf`, { responseType: "binary" }), "read the minutes");
  const start = String.fromCharCode(...new Uint8Array(pdf.body.slice(0, 5)));
  check(pdf, { "the minutes are a PDF": () => start === "%PDF-" && pdf.body.byteLength > 10000 });
}

export function teardown({ links, codes }) {
  signIn(codes[0]);
  const registrations = must(http.get(`${BASE}${HERE}/registrations.csv`), "read the registrations").body;
  const missing = links.filter((_link, index) => !registrations.includes(`Muster ${index + 1}`));
  check(missing, { "every confirmed registration is there": (list) => list.length === 0 });
  const wall = open(`${HERE}/clusters`, "read the ideas").body;
  let ideas = 0;
  for (let person = 1; person <= GUESTS; person++) {
    for (let number = 1; number <= IDEAS; number++) {
      const found = wall.split(new RegExp(`Idee ${number} von Gast ${person}(?!\\d)`)).length > 1;
      ideas += found ? 1 : 0;
    }
  }
  check(ideas, { "every confirmed idea is there": (count) => count === GUESTS * IDEAS });
  vote(links, codes);
  writeMinutes();
}
