/* The review page: shows one feature at a time, plays it, and sends each decision to the server at once. Every answer of
   the server is the state of the files; the page stores no decision. */
import { TranscriptView } from "./transcript.js";
import { Waveform, formatTime } from "./waveform.js";

const DECISIONS = { confirmed: "confirmed", moved: "moved", not_discussed: "not discussed", end: "end set" };
const SAME_START_S = 0.05; // starts nearer than this are the same
const MAX_CANDIDATES = 9; // one for each digit key
const byId = (id) => document.getElementById(id);
const audio = byId("audio");

let state; // the server's answer: title, duration, stale, undo, statuses, features, unmatched
let queue = []; // positions of the features that needed a check when the page opened
let selected; // position of the feature on the screen
let chosen = null; // start in seconds, null while none is chosen
let candidates = []; // {seconds, origin} of the selected feature
let busy = false; // a decision is being sent

const NO_TRANSCRIPT = { highlightWord() {}, previousSentence() {}, nextSentence() {} };
let transcript = NO_TRANSCRIPT; // until it has loaded
const waveform = new Waveform(byId("waveform"), (seconds) => playFrom(seconds));

load();

async function load() {
  state = await request("state");
  if (!state) return;
  queue = state.features.filter((feature) => feature.needs_person).map((feature) => feature.position);
  show();
  select(queue[0] ?? state.features[0]?.position, { play: false });
  const answer = await request("transcript");
  if (answer) {
    transcript = new TranscriptView(byId("transcript"), answer.paragraphs, { onPlay: playFrom, onStart: (seconds) => choose(seconds, { play: true }) });
    waveform.wordStarts = transcript.wordStarts;
    showChosen();
  }
  const peaks = await fetch("peaks").catch(() => null);
  if (peaks?.ok) waveform.loudness = new Uint8Array(await peaks.arrayBuffer());
  waveform.draw();
}

/* Sends a request and returns the server's answer; shows an error and returns null if there is one. */
async function request(path, body) {
  byId("error").textContent = "";
  const options = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let answer;
  try {
    const response = await fetch(path, options);
    answer = response.status === 403 ? { error: await response.text() } : await response.json();
  } catch {
    answer = { error: "The server does not answer: start catalog review again, and open the URL that it prints." };
  }
  if (!answer.error) return answer;
  byId("error").textContent = answer.error;
  return null;
}

const getFeature = (position = selected) => state.features.find((feature) => feature.position === position);
const isUsed = (feature) => feature.decision && feature.decision.decision !== "end" && !feature.problem;
const startOf = (feature) => (isUsed(feature) ? feature.decision.start : feature.start);

/* Shows the heading, the lists and the overview: everything except the selected feature. */
function show() {
  document.title = `Review: ${state.title}`;
  byId("episode").textContent = state.title;
  const left = state.features.filter((feature) => feature.needs_person).length;
  const decided = state.features.filter((feature) => feature.decision).length;
  byId("progress").textContent = `${left ? `${left} to check` : "All checked"}, ${decided} decided${state.stale ? "; finish to align again" : ""}`;
  byId("undo").disabled = !state.undo;
  byId("finish").disabled = !state.stale;
  const toCheck = state.features.filter((feature) => queue.includes(feature.position));
  const others = state.features.filter((feature) => !queue.includes(feature.position));
  byId("to-check").replaceChildren(...(toCheck.length ? toCheck.map(makeListItem) : [make("li", "muted", "Nothing: every start is confident.")]));
  byId("others").replaceChildren(...others.map(makeListItem));
  byId("unmatched-heading").hidden = !state.unmatched.length;
  byId("unmatched").replaceChildren(...state.unmatched.map(makeUnmatchedItem));
  drawOverview();
}

function makeListItem(feature) {
  const item = make("li");
  const button = make("button");
  button.type = "button";
  button.dataset.position = feature.position;
  const start = startOf(feature);
  button.append(make("span", "time", start === null ? "–" : formatTime(start)), make("span", "name", feature.title), makeBadge(feature));
  button.addEventListener("click", () => select(feature.position));
  item.append(button);
  return item;
}

/* A decision that no feature fits, with a button that gives it to the feature on the screen. */
function makeUnmatchedItem(decision) {
  const item = make("li");
  const time = decision.start ?? decision.end;
  const decided = `${DECISIONS[decision.decision]}${time === null ? "" : ` at ${formatTime(time)}`}${decision.who ? ` by ${decision.who}` : ""}`;
  const button = make("button", "", "Attach to this feature");
  button.type = "button";
  button.setAttribute("aria-label", `Attach the decision about ${decision.title ?? decision.name} to the feature on the screen`);
  button.addEventListener("click", () => attach(decision));
  item.append(make("span", "name", decision.title ?? decision.name), make("span", "muted", `${decided}: ${decision.reason}`), button);
  return item;
}

function makeBadge(feature) {
  if (feature.decision) return make("span", "badge corrected", `✓ ${DECISIONS[feature.decision.decision]}`);
  return make("span", `badge ${feature.status}`, state.statuses[feature.status]);
}

function drawOverview() {
  const svg = (name, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, text] of Object.entries(attributes)) element.setAttribute(key, text);
    return element;
  };
  const share = (seconds) => `${(100 * seconds) / state.duration}%`;
  // With many features the usual borders would be wider than the bars.
  const picture = svg("svg", { width: "100%", height: "24", class: state.features.length > 100 ? "dense" : "" });
  for (const feature of state.features) {
    const start = startOf(feature);
    if (start === null) continue;
    const width = Math.max(1, (feature.end ?? start) - start);
    const status = feature.decision ? "corrected" : feature.status;
    const bar = svg("rect", { x: share(start), width: share(width), y: 4, height: 16, class: `bar ${status}${feature.position === selected ? " selected" : ""}` });
    bar.addEventListener("click", () => select(feature.position));
    picture.append(bar);
  }
  picture.append(svg("line", { id: "playhead", class: "playhead", y1: 0, y2: 24, x1: 0, x2: 0 }));
  byId("overview").replaceChildren(picture);
}

function select(position, { play = byId("autoplay").checked } = {}) {
  if (position === undefined) return;
  selected = position;
  const feature = getFeature();
  chosen = startOf(feature);
  if (feature.decision?.decision === "not_discussed") chosen = null;
  candidates = listCandidates(feature);
  byId("title").textContent = feature.title;
  byId("description").textContent = feature.description;
  byId("facts").replaceChildren(...makeFacts(feature));
  byId("reason").textContent = describe(feature);
  byId("quote").textContent = feature.quote;
  byId("quote").classList.toggle("ended", /[.?!…]$/.test(feature.quote));
  byId("quote").hidden = !feature.quote;
  byId("withdraw").hidden = !feature.decision;
  byId("candidates").replaceChildren(...candidates.map(makeCandidateButton));
  for (const button of document.querySelectorAll(".list button")) {
    button.toggleAttribute("aria-current", Number(button.dataset.position) === position);
    if (button.hasAttribute("aria-current")) button.scrollIntoView({ block: "nearest" });
  }
  drawOverview();
  showChosen();
  byId("feature").focus({ preventScroll: true });
  if (play) playFrom(findPlayStart());
  else audio.currentTime = findPlayStart();
}

function makeFacts(feature) {
  const facts = [`${feature.position} of ${state.features.length}`, feature.version, feature.feature_id === null ? null : `#${feature.feature_id}`];
  const spans = facts.filter(Boolean).map((text) => make("span", "", text));
  return [...spans, ...(feature.highlight ? [make("span", "badge highlight", "Highlight")] : []), makeBadge(feature)];
}

function describe({ decision, confidence, reason, problem }) {
  if (problem) return problem;
  if (decision) return `${DECISIONS[decision.decision]}${decision.who ? ` by ${decision.who}` : ""}${decision.why ? `: ${decision.why}` : ""}`;
  return `${Math.round(confidence * 100)} % sure${reason ? `: ${reason}` : ""}`;
}

/* The possible starts of a feature: the alignment's start, its alternatives, the time on the page; none twice. */
function listCandidates(feature) {
  const starts = [
    [feature.start, feature.decision ? "aligned" : "found"],
    ...feature.alternatives.map((seconds) => [seconds, "also fits"]),
    [feature.published_s, "page says"],
  ];
  const list = [];
  for (const [seconds, origin] of starts) {
    if (seconds !== null && !list.some((candidate) => Math.abs(candidate.seconds - seconds) < 1)) list.push({ seconds, origin });
  }
  return list.slice(0, MAX_CANDIDATES);
}

function makeCandidateButton({ seconds, origin }, index) {
  const button = make("button");
  button.type = "button";
  button.dataset.seconds = seconds;
  button.append(make("kbd", "", String(index + 1)), ` ${formatTime(seconds)} `, make("span", "muted", origin));
  button.addEventListener("click", () => choose(seconds, { play: true }));
  return button;
}

/* Where playing begins: the chosen start, else the first candidate, else the end of the feature before. */
function findPlayStart() {
  if (chosen !== null) return chosen;
  if (candidates.length) return candidates[0].seconds;
  const previous = state.features.filter((feature) => feature.position < selected && feature.end !== null).at(-1);
  return previous ? previous.end : 0;
}

function choose(seconds, { play = false } = {}) {
  if (seconds === undefined || !Number.isFinite(seconds)) return;
  chosen = Math.min(state.duration, Math.max(0, Math.round(seconds * 1000) / 1000));
  showChosen();
  if (play || !audio.paused) playFrom(chosen);
  else audio.currentTime = chosen;
}

/* Shows the chosen start as a time, among the candidates, in the waveform and in the transcript. */
function showChosen() {
  byId("start").textContent = chosen === null ? "none" : formatTime(chosen, true);
  byId("confirm").disabled = chosen === null;
  for (const button of byId("candidates").children) {
    button.setAttribute("aria-pressed", String(chosen !== null && Math.abs(Number(button.dataset.seconds) - chosen) <= SAME_START_S));
  }
  waveform.show({ center: findPlayStart(), start: chosen, candidates: candidates.map((candidate) => candidate.seconds) });
  transcript.highlightWord("chosen", findPlayStart(), true);
}

function playFrom(seconds) {
  audio.currentTime = seconds;
  audio.play().catch((error) => {
    if (error.name === "NotSupportedError") byId("error").textContent = "The browser cannot play this audio.";
  });
}

function togglePlay() {
  if (audio.paused) playFrom(findPlayStart());
  else audio.pause();
}

/* Sends a change of the files and shows their state afterwards; after a refusal the error stays visible. */
async function change(path, body) {
  if (busy) return null;
  busy = true;
  const answer = await request(path, body);
  busy = false;
  const error = byId("error").textContent;
  state = answer ?? (await request("state")) ?? state;
  byId("error").textContent = answer ? "" : error;
  show();
  if (!answer) select(getFeature() ? selected : state.features[0]?.position, { play: false });
  return answer;
}

async function decide(start, withdraw = false) {
  const feature = getFeature();
  const answer = await change("decide", { position: feature.position, start, seen: feature.signature, withdraw });
  if (!answer) return;
  const decision = getFeature(feature.position)?.decision;
  const time = decision?.start == null ? "" : ` at ${formatTime(decision.start, true)}`;
  byId("status").textContent = decision ? `Saved: “${feature.title}” ${DECISIONS[decision.decision]}${time}.` : `Withdrawn: “${feature.title}”.`;
  if (withdraw) return select(selected, { play: false });
  selectNext();
}

/* Selects the next feature that needs a check; after the last one, focuses the button that ends the review. */
function selectNext() {
  const waiting = queue.filter((position) => getFeature(position).needs_person);
  const next = waiting.find((position) => position > selected) ?? waiting[0];
  if (next !== undefined) return select(next);
  audio.pause();
  select(selected, { play: false });
  byId("finish").focus();
}

async function attach(decision) {
  const feature = getFeature();
  const answer = await change("attach", { position: feature.position, start: null, seen: feature.signature, decision: decision.signature });
  if (!answer) return;
  byId("status").textContent = `Attached: the decision is about “${feature.title}” now.`;
  select(selected, { play: false });
}

async function undo() {
  const answer = await change("undo", { seen: state.undo_signature });
  if (!answer) return;
  byId("status").textContent = "Undone.";
  select(answer.position ?? selected, { play: false });
}

async function finish() {
  byId("finish").disabled = true;
  audio.pause();
  byId("status").textContent = "Aligning again…";
  const answer = await request("finish", {});
  byId("status").textContent = "";
  if (!answer) return void (byId("finish").disabled = false);
  state = answer;
  queue = state.features.filter((feature) => queue.includes(feature.position) || feature.needs_person).map((feature) => feature.position);
  show();
  select(selected, { play: false });
  showOutcome(answer);
}

function showOutcome({ moved, warnings }) {
  const summary = moved.length ? "Other starts that moved:" : "Nothing else moved. The catalog, the notes and the site are up to date.";
  const list = make("ul", "moved");
  for (const { position, title, before, after } of moved) {
    const item = make("li");
    const button = make("button", "quiet", title);
    button.addEventListener("click", () => {
      byId("outcome").close();
      select(position);
    });
    item.append(button, make("span", "muted", `${describePlacement(before)} → ${describePlacement(after)}`));
    list.append(item);
  }
  byId("outcome-text").replaceChildren(make("p", "", summary), list, ...warnings.map((warning) => make("p", "muted", warning)));
  byId("outcome").showModal();
}

const describePlacement = ({ start, status }) => (start === null ? "not found" : `${formatTime(start)} ${state.statuses[status].toLowerCase()}`);

function step(by) {
  const order = [...document.querySelectorAll(".list button")].map((button) => Number(button.dataset.position));
  select(order[order.indexOf(selected) + by]);
}

const nudge = (seconds) => choose((chosen ?? findPlayStart()) + seconds);

const KEYS = {
  Enter: () => chosen !== null && decide(chosen),
  x: () => decide(null),
  " ": togglePlay,
  ArrowLeft: (event) => nudge(event.shiftKey ? -5 : -1),
  ArrowRight: (event) => nudge(event.shiftKey ? 5 : 1),
  "[": () => choose(transcript.previousSentence(chosen ?? findPlayStart())),
  "]": () => choose(transcript.nextSentence(chosen ?? findPlayStart())),
  t: () => choose(audio.currentTime),
  j: () => step(1),
  k: () => step(-1),
  u: undo,
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("outcome").open || !byId("single-keys").checked) return;
  const { target, key } = event;
  // A focused control keeps its own keys.
  if (target.matches("input, audio, summary") || (target.matches("button") && (key === "Enter" || key === " "))) return;
  const candidate = /^[1-9]$/.test(key) ? candidates[Number(key) - 1] : undefined;
  if (candidate) choose(candidate.seconds, { play: true });
  else if (Object.hasOwn(KEYS, key)) KEYS[key](event);
  else return;
  event.preventDefault();
});

const KEY_BUTTONS = { play: " ", "use-position": "t", "previous-sentence": "[", "next-sentence": "]", confirm: "Enter", reject: "x", undo: "u" };
for (const [id, key] of Object.entries(KEY_BUTTONS)) byId(id).addEventListener("click", (event) => KEYS[key](event));
for (const button of document.querySelectorAll("[data-nudge]")) button.addEventListener("click", () => nudge(Number(button.dataset.nudge)));
byId("withdraw").addEventListener("click", () => decide(null, true));
byId("finish").addEventListener("click", finish);
audio.addEventListener("error", () => (byId("error").textContent = "The browser cannot play this audio; decisions still work."));

/* Shows the player's position, frame by frame while it plays. */
function followAudio() {
  waveform.show({ position: audio.currentTime });
  transcript.highlightWord("spoken", audio.currentTime, !audio.paused);
  for (const name of ["x1", "x2"]) byId("playhead")?.setAttribute(name, `${(100 * audio.currentTime) / state.duration}%`);
  if (!audio.paused) requestAnimationFrame(followAudio);
}
for (const event of ["play", "seeked", "pause"]) audio.addEventListener(event, followAudio);

// The corrections file may have changed while the page was hidden.
document.addEventListener("visibilitychange", async () => {
  if (document.hidden || !state || busy) return;
  const current = await request("state");
  if (!current || JSON.stringify(current) === JSON.stringify(state)) return;
  state = current;
  show();
  select(getFeature() ? selected : state.features[0]?.position, { play: false });
});

function make(name, className = "", text = "") {
  return Object.assign(document.createElement(name), { className, textContent: text });
}
