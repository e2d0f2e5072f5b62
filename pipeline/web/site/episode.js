"use strict";
/* An episode's page: plays from any feature or word, and follows the transcript. Words are marked by ranges
   (CSS custom highlights), so that the text stays text: selectable, printable, and readable without scripts. */
(() => {
  const root = document.documentElement.dataset.root;
  const listen = document.querySelector(".listen");
  const source = { ...listen.dataset };
  const player = new Player(document.getElementById("player"), root);
  const playhead = document.getElementById("playhead");
  const timeline = document.querySelector(".timeline");
  const follow = document.getElementById("follow");
  const paragraphs = [...document.querySelectorAll("[data-paragraph]")];
  const words = window.catalogWords;
  const numbers = paragraphs.map((paragraph) => Number(paragraph.dataset.paragraph));
  const opening = numbers.map((number) => words[number][0]);
  const features = [...document.querySelectorAll(".features .start[data-play]")].map((start) => ({ start: Math.floor(Number(start.dataset.play)), row: start.closest("li") })).sort((a, b) => a.start - b.start);
  const last = Math.max(...words.flat().slice(-1), ...features.slice(-1).map((feature) => feature.start), 0);
  const duration = Number(timeline?.dataset.duration) || last;
  let current = null;

  if (source.kind !== "none") player.prepare(source);
  // The transcript stands below the player, however high that is.
  new ResizeObserver(() => document.documentElement.style.setProperty("--listen-height", `${listen.offsetHeight}px`)).observe(listen);
  player.onTime(showTime);
  addEventListener("click", (event) => {
    const target = event.target.closest("[data-play]");
    if (target) playFrom(Number(target.dataset.play));
    else if (event.target.closest("[data-paragraph]") && getSelection().isCollapsed) playWord(event);
  });
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
    if (event.key === "ArrowLeft") player.skip(-5);
    else if (event.key === "ArrowRight") player.skip(5);
    else return;
    event.preventDefault();
  });

  function playFrom(seconds) {
    if (source.kind === "none") return;
    player.play({ ...source, link: source.kind === "youtube" ? `https://youtu.be/${source.address}?t=${Math.floor(seconds)}` : "" }, seconds);
  }

  /* A click on a word plays from it. */
  function playWord(event) {
    const place = document.caretPositionFromPoint?.(event.clientX, event.clientY); // older browsers have the clocks
    const node = place?.offsetNode;
    const paragraph = node?.parentElement?.closest("[data-paragraph]");
    if (!paragraph || source.kind === "none") return;
    const before = node.data.slice(0, place.offset).split(" ").length - 1;
    playFrom(words[Number(paragraph.dataset.paragraph)][before]);
  }

  function showTime(seconds) {
    if (playhead) {
      const share = `${Math.min(100, (100 * seconds) / duration)}%`;
      playhead.setAttribute("x1", share);
      playhead.setAttribute("x2", share);
      playhead.setAttribute("visibility", "visible");
    }
    const feature = features[lastBefore(features.map((one) => one.start), seconds)];
    for (const one of features) one.row.classList.toggle("playing", one === feature);
    showWord(seconds);
  }

  function showWord(seconds) {
    const index = lastBefore(opening, seconds);
    const paragraph = paragraphs[index];
    if (!paragraph) return;
    const word = lastBefore(words[numbers[index]], seconds);
    highlight("spoken", [wordRange(paragraph, word)]);
    if (paragraph === current) return;
    current = paragraph;
    if (follow.checked) reveal(paragraph);
  }

  /* Scroll only where it is not in sight already: the transcript alone where it moves on its own, else the page. */
  function reveal(element) {
    const frame = document.getElementById("transcript");
    const alone = frame.scrollHeight > frame.clientHeight;
    const box = element.getBoundingClientRect();
    const [top, bottom] = alone ? [frame.getBoundingClientRect().top, frame.getBoundingClientRect().bottom] : [listen.getBoundingClientRect().bottom, innerHeight];
    if (box.top >= top && box.bottom <= bottom) return;
    if (alone) frame.scrollTop += box.top - top - frame.clientHeight / 4;
    else element.scrollIntoView({ block: "center" });
  }

  /* The number of the last start that is not after `seconds`, by bisection; -1 before the first. */
  function lastBefore(starts, seconds) {
    let [low, high] = [0, starts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= seconds + 0.01) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  function wordRange(paragraph, number) {
    const text = paragraph.firstChild;
    let from = 0;
    for (let passed = 0; passed < number; passed += 1) from = text.data.indexOf(" ", from) + 1;
    const end = text.data.indexOf(" ", from);
    return range(text, from, end < 0 ? text.length : end);
  }

  function range(node, from, to) {
    const made = new Range();
    made.setStart(node, from);
    made.setEnd(node, to);
    return made;
  }

  function highlight(name, ranges) {
    if (window.Highlight) CSS.highlights.set(name, new Highlight(...ranges));
  }

  const finder = document.getElementById("transcript-finder");
  if (!finder) return;
  const matches = document.getElementById("matches");
  const steps = [...finder.querySelectorAll("[data-step]")];
  let found = [];
  let chosen = -1;
  finder.addEventListener("input", find);
  finder.addEventListener("submit", (event) => event.preventDefault());
  finder.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("input")) choose(event.shiftKey ? -1 : 1);
  });
  for (const button of steps) button.addEventListener("click", () => choose(Number(button.dataset.step)));

  function find() {
    const asked = finder.querySelector("input").value.trim().toLowerCase().split(/\s+/).join(" ");
    found = [];
    chosen = -1;
    for (const paragraph of asked ? paragraphs : []) {
      const text = paragraph.firstChild.data.toLowerCase();
      for (let at = text.indexOf(asked); at >= 0; at = text.indexOf(asked, at + asked.length)) {
        found.push(range(paragraph.firstChild, at, Math.min(at + asked.length, paragraph.firstChild.length)));
      }
    }
    highlight("found", found);
    highlight("chosen", []);
    for (const button of steps) button.disabled = !found.length;
    matches.textContent = asked ? (found.length ? `${found.length} found` : "none") : "";
    if (found.length) choose(1);
  }

  function choose(step) {
    if (!found.length) return;
    chosen = (chosen + step + found.length) % found.length;
    highlight("chosen", [found[chosen]]);
    matches.textContent = `${chosen + 1} of ${found.length}`;
    reveal(found[chosen]);
  }
})();
