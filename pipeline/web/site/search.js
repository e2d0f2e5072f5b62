"use strict";
/* The search page: what is asked for stands in the address, and the list shows what answers. */
(() => {
  const PAGE = 25; // more rows would take longer to lay out than to find
  const STATUS = { confident: "Confident", review: "To review", not_found: "Not found", corrected: "Corrected" };
  const NAMES = ["episode", "position", "id", "version", "title", "description", "highlight", "start", "status", "quote", "url"];
  const { episodes, features } = window.catalogData;
  const form = document.getElementById("finder");
  const list = document.getElementById("results");
  const more = document.getElementById("more");
  const count = document.getElementById("count");
  const clear = document.getElementById("clear");
  const dock = document.getElementById("player");
  const single = document.getElementById("single-keys");
  const column = (name) => NAMES.indexOf(name);
  const value = (row, name) => features[row][column(name)];
  const texts = (name) => features.map((feature) => Matching.fold(feature[column(name)]));
  const fields = [
    [3, texts("title")],
    [3, features.map((feature) => `${feature[2] ?? ""} ${feature[3]} ${episodes[feature[0]][0]} ${Matching.fold(episodes[feature[0]][1])}`)],
    [1.5, texts("description")],
    [1, texts("quote")],
  ];
  const player = new Player(dock, ".");
  let found = { rows: [], words: [] };
  let answers = new Set();
  let shown = 0;
  let pending;

  fillFilters();
  readAddress();
  update();

  form.addEventListener("input", () => {
    keepAddress();
    update();
  });
  form.addEventListener("reset", () => {
    // The controls are empty only after this event.
    setTimeout(() => {
      clearTimeout(pending);
      history.replaceState(null, "", location.pathname);
      update();
    });
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => {
    const first = shown;
    showMore();
    list.children[first]?.querySelector("a, button").focus();
  });
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button.start");
    if (button) play(Number(button.closest("li").dataset.row));
  });
  for (const event of ["hashchange", "popstate"]) {
    addEventListener(event, () => {
      readAddress();
      update();
    });
  }
  addEventListener("keydown", followKey);
  try {
    single.checked = localStorage.getItem("single-keys") !== "off";
    single.addEventListener("change", () => localStorage.setItem("single-keys", single.checked ? "on" : "off"));
  } catch {
    // A browser that keeps nothing for pages on disk still has the keys.
  }

  function fillFilters() {
    const counts = new Map();
    for (const feature of features) counts.set(feature[3], (counts.get(feature[3]) || 0) + 1);
    const versions = [...counts.keys()].filter(Boolean).sort((a, b) => compareVersions(b, a));
    for (const version of versions) form.elements.version.append(new Option(`${version} (${counts.get(version)})`, version));
    for (const [id, title] of episodes) form.elements.episode.append(new Option(title, id));
  }

  function compareVersions(a, b) {
    return a.localeCompare(b, "en", { numeric: true });
  }

  function readAddress() {
    const asked = new URLSearchParams(location.search);
    for (const element of form.elements) {
      if (!element.name) continue;
      const text = asked.get(element.name) || "";
      if (element.type === "checkbox") element.checked = text === "1";
      else if (element.options) element.value = [...element.options].some((option) => option.value === text) ? text : "";
      else element.value = text;
    }
  }

  function writeAddress() {
    const asked = new URLSearchParams();
    for (const [name, text] of new FormData(form)) if (text) asked.set(name, text);
    const query = asked.toString();
    history.replaceState(null, "", location.pathname + (query ? `?${query}` : ""));
  }

  /* Not for every letter: browsers refuse more than some hundred changes in half a minute. */
  function keepAddress() {
    clearTimeout(pending);
    if (location.hash) writeAddress();
    else pending = setTimeout(writeAddress, 200);
  }

  /* A link such as index.html#998146 shows that feature, in every episode that has it. */
  function linkedId() {
    return /^#\d+$/.test(location.hash) ? Number(location.hash.slice(1)) : null;
  }

  function update() {
    const id = linkedId();
    const { q, version, episode, status, sort, highlight } = form.elements;
    const number = episodes.findIndex((one) => one[0] === episode.value);
    const keep = (row) => {
      const feature = features[row];
      if (id !== null && feature[2] !== id) return false;
      return (
        (!version.value || feature[3] === version.value) &&
        (number < 0 || feature[0] === number) &&
        (!status.value || feature[8] === status.value) &&
        (!highlight.checked || feature[6] === 1)
      );
    };
    const { rows, scores, words } = Matching.search(fields, q.value);
    found = { rows: order(rows.filter(keep), scores, sort.value || (words.length ? "best" : "time")), words };
    list.replaceChildren();
    shown = 0;
    showMore();
    tellCount(id);
  }

  function order(rows, scores, by) {
    // The data comes newest episode first, then in order of time, which is what equals keep.
    if (by === "best") {
      // Few different scores, and rows in order already: quicker than to compare them all.
      const groups = Map.groupBy(rows, (row) => scores[row]);
      return [...groups.keys()].sort((a, b) => b - a).flatMap((score) => groups.get(score));
    }
    if (by === "id") return rows.sort((a, b) => (value(a, "id") ?? Infinity) - (value(b, "id") ?? Infinity) || a - b);
    if (by === "version") return rows.sort((a, b) => compareVersions(value(b, "version"), value(a, "version")) || a - b);
    return rows;
  }

  function tellCount(id) {
    const size = found.rows.length;
    const what = size ? `${size.toLocaleString("en")} feature${size === 1 ? "" : "s"}` : "Nothing found";
    count.textContent = id === null ? what : `${what} with the id #${id}`;
    clear.hidden = id === null && ![...new FormData(form).values()].some(Boolean);
    if (size) return;
    list.append(make("li", "empty", features.length ? "No feature has all of these words. Try fewer of them, or clear the search." : "The catalog is empty: no episode has been published yet."));
  }

  function showMore() {
    const next = found.rows.slice(shown, shown + PAGE);
    answers = Matching.findAnswers(next.flatMap(shownTexts), found.words);
    list.append(...next.map(render));
    shown += next.length;
    const left = found.rows.length - shown;
    more.hidden = left <= 0;
    more.textContent = `Show ${Math.min(PAGE, left)} more of ${left.toLocaleString("en")}`;
  }

  /* The texts of a row in which words may be marked. */
  function shownTexts(row) {
    const [episode, , id, version, title, description, , , , quote] = features[row];
    return [title, description, quote, version, String(id), episodes[episode][1]];
  }

  function render(row) {
    const feature = Object.fromEntries(NAMES.map((name, number) => [name, features[row][number]]));
    const [episodeId, episodeTitle] = episodes[feature.episode];
    const item = make("li", `row ${feature.status}`);
    item.dataset.row = row;
    const body = make("div");
    const heading = make("h3");
    const link = make("a");
    link.href = `episodes/${episodeId}.html#${feature.id ?? `p${feature.position}`}`;
    link.append(Matching.mark(feature.title, answers));
    heading.append(link);
    body.append(heading, renderMarks(feature, episodeId, episodeTitle));
    for (const name of ["description", "quote"]) {
      if (!feature[name]) continue;
      const ended = name === "quote" && /[.?!…]$/.test(feature.quote);
      const text = make("p", ended ? "quote ended" : name);
      text.append(Matching.mark(feature[name], answers));
      body.append(text);
    }
    item.append(renderStart(feature), body);
    return item;
  }

  function renderMarks(feature, episodeId, episodeTitle) {
    const marks = make("p", "marks");
    if (feature.version) marks.append(marked(make("span"), feature.version));
    if (feature.id !== null) {
      const link = make("a", "", "#");
      link.href = `#${feature.id}`;
      marks.append(marked(link, String(feature.id)));
    }
    const page = make("a");
    page.href = `episodes/${episodeId}.html`;
    marks.append(marked(page, episodeTitle));
    if (feature.highlight) marks.append(make("span", "badge highlight", "Highlight"));
    if (feature.status !== "confident") marks.append(make("span", `badge ${feature.status}`, STATUS[feature.status]));
    return marks;
  }

  function marked(element, text) {
    element.append(Matching.mark(text, answers));
    return element;
  }

  function renderStart(feature) {
    if (feature.start === null) return make("span", "start none", "–");
    const time = formatTime(feature.start);
    if (episodes[feature.episode][3] !== "none") {
      const button = make("button", "start", time);
      button.type = "button";
      button.setAttribute("aria-label", `Play from ${time}: ${feature.title}`);
      return button;
    }
    if (!feature.url) return make("span", "start", time);
    const link = outward(feature.url, time);
    link.className = "start";
    link.setAttribute("aria-label", `Open at ${time}: ${feature.title}`);
    return link;
  }

  function formatTime(seconds) {
    const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
    const two = (number) => String(number).padStart(2, "0");
    return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
  }

  function play(row) {
    const [, title, , kind, address] = episodes[value(row, "episode")];
    dock.hidden = false;
    document.body.classList.add("docked");
    for (const item of list.children) item.classList.toggle("playing", Number(item.dataset.row) === row);
    player.play({ kind, address, title, label: value(row, "title"), link: value(row, "url") }, value(row, "start"));
    if (!player.now.querySelector("button")) {
      const close = make("button", "quiet", "✕");
      close.setAttribute("aria-label", "Close the player");
      close.addEventListener("click", () => {
        player.stop();
        dock.hidden = true;
        document.body.classList.remove("docked");
        const was = list.querySelector(".playing");
        was?.classList.remove("playing");
        was?.querySelector(".start").focus();
      });
      player.now.append(close);
    }
  }

  function followKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { q } = form.elements;
    const writing = isWriting(event.target);
    if (event.key === "Escape" && event.target !== q) q.focus();
    else if (event.key === "ArrowDown" && (event.target === q || list.contains(event.target))) walk(1);
    else if (event.key === "ArrowUp" && list.contains(event.target)) walk(-1);
    else if (event.key === "Enter" && event.target === q) list.querySelector(".start:not(span)")?.click();
    else if (event.key === "/" && !writing && single.checked) q.focus();
    else if (event.key === "p" && !writing && single.checked) player.toggle();
    else if (event.key === "ArrowLeft" && !writing) player.skip(-5);
    else if (event.key === "ArrowRight" && !writing) player.skip(5);
    else return;
    event.preventDefault();
  }

  /* From the search into the results, along them, and back; every row has a place to stop at. */
  function walk(step) {
    const stops = [...list.children].map((item) => item.querySelector("button.start, a.start, h3 a")).filter(Boolean);
    const here = [...list.children].indexOf(document.activeElement.closest("li"));
    const next = stops[here + step];
    if (next) next.focus();
    else if (step < 0) form.elements.q.focus();
    else if (!more.hidden) more.focus();
  }
})();
