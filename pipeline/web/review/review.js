/* The review page: shows one feature at a time, plays it, and sends each decision to the server as it is made. What the
   server answers is what stands in the files; nothing decided is kept here. */
import { Speech } from "./speech.js";
import { Waveform, formatTime } from "./waveform.js";

const WORDS = { confident: "Confident", review: "To review", not_found: "Not found", corrected: "Corrected" };
const MADE = { confirmed: "confirmed", moved: "moved", not_discussed: "not discussed", end: "end set" };
const SAME = 0.05;
const at = (id) => document.getElementById(id);
const audio = at("audio");

let state;
let queue = []; // positions to check, in the order they came in
let selected; // position
let chosen = null; // seconds, or null while no start is chosen
let places = [];
let busy = false;

const speech = { mark() {}, sentenceBefore() {}, sentenceAfter() {}, words: [] };
const waveform = new Waveform(at("waveform"), (seconds) => playFrom(seconds));

begin();

async function begin() {
  state = await ask("state");
  if (!state) return;
  queue = state.features.filter((one) => one.needs_person).map((one) => one.position);
  show();
  select(queue[0] ?? state.features[0]?.position, { play: false });
  const words = await ask("transcript");
  if (words) {
    const made = new Speech(at("transcript"), words.paragraphs, { onPlay: playFrom, onStart: (seconds) => choose(seconds, { play: true }) });
    Object.assign(speech, { mark: made.mark.bind(made), sentenceBefore: made.sentenceBefore.bind(made), sentenceAfter: made.sentenceAfter.bind(made) });
    waveform.words = made.words;
    point();
  }
  const peaks = await fetch("peaks").catch(() => null);
  if (peaks?.ok) waveform.loudness = new Uint8Array(await peaks.arrayBuffer());
  waveform.draw();
}

/* Asks the server; shows what it refuses, and returns its answer or null. */
async function ask(path, body) {
  at("trouble").textContent = "";
  const options = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let answer;
  try {
    const response = await fetch(path, options);
    answer = response.status === 403 ? { error: await response.text() } : await response.json();
  } catch {
    answer = { error: "The server does not answer: start catalog review again, and open the address that it prints." };
  }
  if (!answer.error) return answer;
  at("trouble").textContent = answer.error;
  return null;
}

const feature = (position = selected) => state.features.find((one) => one.position === position);
const decidedStart = (one) => (one.decision && one.decision.decision !== "end" ? one.decision.start : one.start);
const needs = (one) => one.needs_person;

/* Everything but the selected feature: heading, lists, the episode in one line. */
function show() {
  document.title = `Review: ${state.title}`;
  at("episode").textContent = state.title;
  const left = state.features.filter(needs).length;
  const decided = state.features.filter((one) => one.decision).length;
  at("progress").textContent = `${left ? `${left} to check` : "All checked"}, ${decided} decided${state.stale ? "; finish to align again" : ""}`;
  at("undo").disabled = !state.undo;
  at("finish").disabled = !state.stale;
  const first = state.features.filter((one) => queue.includes(one.position));
  const rest = state.features.filter((one) => !queue.includes(one.position));
  at("first").replaceChildren(...(first.length ? first.map(listed) : [make("li", "muted", "Nothing: the program is sure of every start.")]));
  at("rest").replaceChildren(...rest.map(listed));
  drawOverview();
}

function listed(one) {
  const item = make("li");
  const button = make("button");
  button.type = "button";
  button.dataset.position = one.position;
  const start = decidedStart(one);
  button.append(make("span", "time", start === null ? "–" : formatTime(start)), make("span", "name", one.title), badge(one));
  button.addEventListener("click", () => select(one.position));
  item.append(button);
  return item;
}

function badge(one) {
  if (one.decision) return make("span", "badge corrected", `✓ ${MADE[one.decision.decision]}`);
  return make("span", `badge ${one.status}`, WORDS[one.status]);
}

function drawOverview() {
  const svg = (name, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, text] of Object.entries(attributes)) element.setAttribute(key, text);
    return element;
  };
  const share = (seconds) => `${(100 * seconds) / state.duration}%`;
  // Of many features, what parts the bars would be wider than they are.
  const picture = svg("svg", { width: "100%", height: "24", class: state.features.length > 100 ? "dense" : "" });
  for (const one of state.features) {
    const start = decidedStart(one);
    if (start === null) continue;
    const width = Math.max(1, (one.end ?? start) - start);
    const bar = svg("rect", { x: share(start), width: share(width), y: 4, height: 16, class: `bar ${one.decision ? "corrected" : one.status}${one.position === selected ? " selected" : ""}` });
    bar.addEventListener("click", () => select(one.position));
    picture.append(bar);
  }
  picture.append(svg("line", { id: "playhead", class: "playhead", y1: 0, y2: 24, x1: 0, x2: 0 }));
  at("overview").replaceChildren(picture);
}

function select(position, { play = at("autoplay").checked } = {}) {
  if (position === undefined) return;
  selected = position;
  const one = feature();
  chosen = decidedStart(one);
  if (one.decision?.decision === "not_discussed") chosen = null;
  places = listPlaces(one);
  at("title").textContent = one.title;
  at("description").textContent = one.description;
  at("marks").replaceChildren(...marksOf(one));
  at("reason").textContent = describe(one);
  at("quote").textContent = one.quote;
  at("quote").classList.toggle("ended", /[.?!…]$/.test(one.quote));
  at("quote").hidden = !one.quote;
  at("withdraw").hidden = !one.decision;
  at("places").replaceChildren(...places.map(placeButton));
  for (const button of document.querySelectorAll(".list button")) {
    button.toggleAttribute("aria-current", Number(button.dataset.position) === position);
    if (button.hasAttribute("aria-current")) button.scrollIntoView({ block: "nearest" });
  }
  drawOverview();
  point();
  at("feature").focus({ preventScroll: true });
  if (play) playFrom(listenFrom());
  else audio.currentTime = listenFrom();
}

function marksOf(one) {
  const marks = [`${one.position} of ${state.features.length}`, one.version, one.feature_id === null ? null : `#${one.feature_id}`];
  return [...marks.filter(Boolean).map((text) => make("span", "", text)), ...(one.highlight ? [make("span", "badge highlight", "Highlight")] : []), badge(one)];
}

function describe(one) {
  if (one.decision) return `${MADE[one.decision.decision]}${one.decision.who ? ` by ${one.decision.who}` : ""}${one.decision.why ? `: ${one.decision.why}` : ""}`;
  return `${Math.round(one.confidence * 100)} % sure${one.reason ? `: ${one.reason}` : ""}`;
}

/* Where it may start: ours, the other passages that fit, what the page says. */
function listPlaces(one) {
  const found = [
    [one.start, one.decision ? "aligned" : "found"],
    ...one.alternatives.map((seconds) => [seconds, "also fits"]),
    [one.published_s, "page says"],
  ];
  const list = [];
  for (const [seconds, why] of found) {
    if (seconds !== null && !list.some((place) => Math.abs(place.seconds - seconds) < 1)) list.push({ seconds, why });
  }
  return list.slice(0, 9);
}

function placeButton({ seconds, why }, number) {
  const button = make("button");
  button.type = "button";
  button.dataset.seconds = seconds;
  button.append(make("kbd", "", String(number + 1)), ` ${formatTime(seconds)} `, make("span", "muted", why));
  button.addEventListener("click", () => choose(seconds, { play: true }));
  return button;
}

/* Where nothing is chosen, listening begins at what fits, or else where the feature before ends. */
function listenFrom() {
  if (chosen !== null) return chosen;
  if (places.length) return places[0].seconds;
  const before = state.features.filter((one) => one.position < selected && one.end !== null).at(-1);
  return before ? before.end : 0;
}

function choose(seconds, { play = false } = {}) {
  if (seconds === undefined || !Number.isFinite(seconds)) return;
  chosen = Math.min(state.duration, Math.max(0, Math.round(seconds * 1000) / 1000));
  point();
  if (play || !audio.paused) playFrom(chosen);
  else audio.currentTime = chosen;
}

/* Show the chosen start wherever it stands. */
function point() {
  at("start").textContent = chosen === null ? "none" : formatTime(chosen, true);
  at("confirm").disabled = chosen === null;
  for (const button of at("places").children) {
    button.setAttribute("aria-pressed", String(chosen !== null && Math.abs(Number(button.dataset.seconds) - chosen) <= SAME));
  }
  waveform.show({ center: listenFrom(), start: chosen, places: places.map((place) => place.seconds) });
  speech.mark("chosen", listenFrom(), true);
}

function playFrom(seconds) {
  audio.currentTime = seconds;
  audio.play().catch((error) => {
    if (error.name === "NotSupportedError") at("trouble").textContent = "The browser cannot play this audio.";
  });
}

function toggle() {
  if (audio.paused) playFrom(listenFrom());
  else audio.pause();
}

async function decide(start, withdraw = false) {
  if (busy) return;
  busy = true;
  const one = feature();
  const answer = await ask("decide", { position: one.position, start, seen: one.signature, withdraw });
  busy = false;
  // Where it was refused, the reason stays in sight, and the page shows what stands in the file now.
  const trouble = at("trouble").textContent;
  state = answer ?? (await ask("state")) ?? state;
  at("trouble").textContent = answer ? "" : trouble;
  show();
  if (!answer) return select(selected, { play: false });
  const now = feature(one.position).decision;
  at("said").textContent = now ? `Saved: “${one.title}” ${MADE[now.decision]}${now.start === null ? "" : ` at ${formatTime(now.start, true)}`}.` : `Taken back: “${one.title}”.`;
  if (withdraw) return select(selected, { play: false });
  goOn();
}

/* On to the next that needs a person; where none is left, to the button that ends the review. */
function goOn() {
  const waiting = queue.filter((position) => needs(feature(position)));
  const next = waiting.find((position) => position > selected) ?? waiting[0];
  if (next !== undefined) return select(next);
  audio.pause();
  select(selected, { play: false });
  at("finish").focus();
}

async function undo() {
  const answer = await ask("undo", {});
  if (!answer) return;
  state = answer;
  show();
  at("said").textContent = "Undone.";
  select(answer.position ?? selected, { play: false });
}

async function finish() {
  at("finish").disabled = true;
  audio.pause();
  at("said").textContent = "Aligning again…";
  const answer = await ask("finish", {});
  at("said").textContent = "";
  if (!answer) return void (at("finish").disabled = false);
  state = answer;
  queue = state.features.filter((one) => queue.includes(one.position) || needs(one)).map((one) => one.position);
  show();
  select(selected, { play: false });
  tellOutcome(answer);
}

function tellOutcome({ moved, warnings }) {
  const parts = [make("p", "", moved.length ? "What else moved:" : "Nothing else moved. The catalog, the notes and the site are up to date.")];
  const list = make("ul", "moved");
  for (const one of moved) {
    const item = make("li");
    const button = make("button", "quiet", one.title);
    button.addEventListener("click", () => {
      at("outcome").close();
      select(one.position);
    });
    item.append(button, make("span", "muted", `${told(one.before)} → ${told(one.after)}`));
    list.append(item);
  }
  parts.push(list, ...warnings.map((warning) => make("p", "muted", warning)));
  at("outcome-text").replaceChildren(...parts);
  at("outcome").showModal();
}

const told = ({ start, status }) => (start === null ? "not found" : `${formatTime(start)} ${WORDS[status].toLowerCase()}`);

function step(by) {
  const order = [...document.querySelectorAll(".list button")].map((button) => Number(button.dataset.position));
  select(order[order.indexOf(selected) + by]);
}

const nudge = (seconds) => choose((chosen ?? listenFrom()) + seconds);

const KEYS = {
  Enter: () => chosen !== null && decide(chosen),
  x: () => decide(null),
  " ": toggle,
  ArrowLeft: (event) => nudge(event.shiftKey ? -5 : -1),
  ArrowRight: (event) => nudge(event.shiftKey ? 5 : 1),
  "[": () => choose(speech.sentenceBefore(chosen ?? listenFrom())),
  "]": () => choose(speech.sentenceAfter(chosen ?? listenFrom())),
  t: () => choose(audio.currentTime),
  j: () => step(1),
  k: () => step(-1),
  u: undo,
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || at("outcome").open || !at("single-keys").checked) return;
  const { target, key } = event;
  // A focused control keeps the keys that work it.
  if (target.matches("input, audio, summary") || (target.matches("button") && (key === "Enter" || key === " "))) return;
  const place = /^[1-9]$/.test(key) ? places[Number(key) - 1] : undefined;
  if (place) choose(place.seconds, { play: true });
  else if (Object.hasOwn(KEYS, key)) KEYS[key](event);
  else return;
  event.preventDefault();
});

for (const button of document.querySelectorAll("[data-nudge]")) button.addEventListener("click", () => nudge(Number(button.dataset.nudge)));
for (const [id, key] of [["play", " "], ["take", "t"], ["before", "["], ["after", "]"], ["confirm", "Enter"], ["reject", "x"], ["undo", "u"]]) {
  at(id).addEventListener("click", (event) => KEYS[key](event));
}
at("withdraw").addEventListener("click", () => decide(null, true));
at("finish").addEventListener("click", finish);
audio.addEventListener("error", () => (at("trouble").textContent = "The browser cannot play this audio; the decisions work all the same."));

function follow() {
  waveform.show({ now: audio.currentTime });
  speech.mark("spoken", audio.currentTime, !audio.paused);
  for (const name of ["x1", "x2"]) at("playhead")?.setAttribute(name, `${(100 * audio.currentTime) / state.duration}%`);
  if (!audio.paused) requestAnimationFrame(follow);
}
for (const event of ["play", "seeked", "pause"]) audio.addEventListener(event, follow);

// Somebody may have edited the file while this page was out of sight.
document.addEventListener("visibilitychange", async () => {
  if (document.hidden || !state || busy) return;
  const now = await ask("state");
  if (!now || JSON.stringify(now) === JSON.stringify(state)) return;
  state = now;
  show();
  select(selected, { play: false });
});

function make(name, className = "", text = "") {
  return Object.assign(document.createElement(name), { className, textContent: text });
}
