"use strict";
/* An episode's page: plays from any feature or word, and follows the transcript. Words are marked by ranges (CSS custom
   highlights) instead of elements: the text stays selectable, printable, and readable without scripts. */
(() => {
  const root = document.documentElement.dataset.root;
  const listen = document.querySelector(".listen");
  const medium = { ...listen.dataset }; // kind, source and title
  const player = new Player(document.getElementById("player"), root);
  const playhead = document.getElementById("playhead");
  const timeline = document.querySelector(".timeline");
  const follow = document.getElementById("follow");
  const paragraphs = [...document.querySelectorAll("[data-paragraph]")];
  const wordStarts = window.catalogWords; // of each paragraph, by its number: the second at which each word starts
  const numbers = paragraphs.map((paragraph) => Number(paragraph.dataset.paragraph));
  const paragraphStarts = numbers.map((number) => wordStarts[number][0]);
  const features = [...document.querySelectorAll(".features .start[data-play]")].map((start) => ({ start: Math.floor(Number(start.dataset.play)), row: start.closest("li") })).sort((a, b) => a.start - b.start);
  const featureStarts = features.map((feature) => feature.start);
  const lastStart = Math.max(...wordStarts.flat().slice(-1), ...featureStarts.slice(-1), 0);
  const duration = Number(timeline?.dataset.duration) || lastStart;
  let current = null; // the paragraph that is spoken

  if (medium.kind !== "none") player.prepare(medium);
  // The transcript sticks below the player, whose height is known only here.
  new ResizeObserver(() => document.documentElement.style.setProperty("--listen-height", `${listen.offsetHeight}px`)).observe(listen);
  player.onTime(showTime);
  addEventListener("click", (event) => {
    const target = event.target.closest("[data-play]");
    if (target) playFrom(Number(target.dataset.play));
    else if (event.target.closest("[data-paragraph]") && getSelection().isCollapsed) playWord(event);
  });
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "ArrowLeft") player.skip(-5);
    else if (event.key === "ArrowRight") player.skip(5);
    else return;
    event.preventDefault();
  });

  function playFrom(seconds) {
    if (medium.kind === "none") return;
    player.play({ ...medium, link: medium.kind === "youtube" ? `https://youtu.be/${medium.source}?t=${Math.floor(seconds)}` : "" }, seconds);
  }

  /* Plays from the word that was clicked. */
  function playWord(event) {
    const caret = document.caretPositionFromPoint?.(event.clientX, event.clientY); // older browsers: the clocks still play
    const node = caret?.offsetNode;
    const paragraph = node?.parentElement?.closest("[data-paragraph]");
    if (!paragraph || medium.kind === "none") return;
    const word = node.data.slice(0, caret.offset).split(" ").length - 1;
    playFrom(wordStarts[Number(paragraph.dataset.paragraph)][word]);
  }

  function showTime(seconds) {
    if (playhead) {
      const share = `${Math.min(100, (100 * seconds) / duration)}%`;
      playhead.setAttribute("x1", share);
      playhead.setAttribute("x2", share);
      playhead.setAttribute("visibility", "visible");
    }
    const playing = features[lastBefore(featureStarts, seconds)];
    for (const feature of features) feature.row.classList.toggle("playing", feature === playing);
    showWord(seconds);
  }

  function showWord(seconds) {
    const index = lastBefore(paragraphStarts, seconds);
    const paragraph = paragraphs[index];
    if (!paragraph) return;
    const word = lastBefore(wordStarts[numbers[index]], seconds);
    highlight("spoken", [makeWordRange(paragraph, word)]);
    if (paragraph === current) return;
    current = paragraph;
    if (follow.checked) reveal(paragraph);
  }

  /* Scrolls to an element that is out of sight: the transcript where it has a scroll bar of its own, else the page. */
  function reveal(element) {
    const transcript = document.getElementById("transcript");
    const scrolls = transcript.scrollHeight > transcript.clientHeight;
    const box = element.getBoundingClientRect();
    const frame = transcript.getBoundingClientRect();
    const [top, bottom] = scrolls ? [frame.top, frame.bottom] : [listen.getBoundingClientRect().bottom, innerHeight];
    if (box.top >= top && box.bottom <= bottom) return;
    if (scrolls) transcript.scrollTop += box.top - top - transcript.clientHeight / 4;
    else element.scrollIntoView({ block: "center" });
  }

  /* Returns the place of the last start that is not after `seconds`, by bisection; -1 before the first. */
  function lastBefore(starts, seconds) {
    let [low, high] = [0, starts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= seconds + 0.01) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  function makeWordRange(paragraph, number) {
    const text = paragraph.firstChild;
    let start = 0;
    for (let passed = 0; passed < number; passed += 1) start = text.data.indexOf(" ", start) + 1;
    const end = text.data.indexOf(" ", start);
    return makeRange(text, start, end < 0 ? text.length : end);
  }

  function makeRange(node, start, end) {
    const range = new Range();
    range.setStart(node, start);
    range.setEnd(node, end);
    return range;
  }

  function highlight(name, ranges) {
    if (window.Highlight) CSS.highlights.set(name, new Highlight(...ranges));
  }

  const finder = document.getElementById("transcript-finder");
  if (!finder) return;
  const status = document.getElementById("matches");
  const steps = [...finder.querySelectorAll("[data-step]")];
  let matches = []; // ranges
  let chosen = -1; // place in `matches`
  finder.addEventListener("input", findMatches);
  finder.addEventListener("submit", (event) => event.preventDefault());
  finder.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("input")) chooseMatch(event.shiftKey ? -1 : 1);
  });
  for (const button of steps) button.addEventListener("click", () => chooseMatch(Number(button.dataset.step)));

  function findMatches() {
    const query = finder.querySelector("input").value.trim().toLowerCase().split(/\s+/).join(" ");
    matches = [];
    chosen = -1;
    for (const paragraph of query ? paragraphs : []) {
      const node = paragraph.firstChild;
      const text = node.data.toLowerCase();
      for (let start = text.indexOf(query); start >= 0; start = text.indexOf(query, start + query.length)) {
        // In lower case, a text may have more characters.
        matches.push(makeRange(node, start, Math.min(start + query.length, node.length)));
      }
    }
    highlight("found", matches);
    highlight("chosen", []);
    for (const button of steps) button.disabled = !matches.length;
    status.textContent = query && !matches.length ? "none" : "";
    chooseMatch(1);
  }

  function chooseMatch(step) {
    if (!matches.length) return;
    chosen = (chosen + step + matches.length) % matches.length;
    highlight("chosen", [matches[chosen]]);
    status.textContent = `${chosen + 1} of ${matches.length}`;
    reveal(matches[chosen]);
  }
})();
