"use strict";
/* The search page. The query and the filters stand in the page's address; the list shows the features that match. */
(() => {
  const PAGE = 25; // features in one part of the list: more would take longer to lay out than to find
  const WRITE_DELAY = 200; // milliseconds from the last letter until the address follows
  const { columns, statuses, features } = window.catalogData;
  // A feature is a list of cells; `at.title` is the place of its title. Objects would double the time to load them.
  const at = Object.fromEntries(columns.features.map((name, place) => [name, place]));
  const episodes = window.catalogData.episodes.map((cells) => toObject(columns.episodes, cells));
  const form = document.getElementById("finder");
  const list = document.getElementById("results");
  const more = document.getElementById("more");
  const count = document.getElementById("count");
  const clear = document.getElementById("clear");
  const dock = document.getElementById("player");
  const singleKeys = document.getElementById("single-keys");
  const foldColumn = (name) => features.map((feature) => Matching.fold(feature[at[name]]));
  const foldedEpisodes = episodes.map((episode) => `${episode.episode_id} ${Matching.fold(episode.episode_title)}`);
  const fields = [
    { weight: 3, texts: foldColumn("title") },
    { weight: 3, texts: features.map((feature) => `${feature[at.feature_id] ?? ""} ${feature[at.version]} ${foldedEpisodes[feature[at.episode]]}`) },
    { weight: 1.5, texts: foldColumn("description") },
    { weight: 1, texts: foldColumn("quote") },
  ];
  const player = new Player(dock, ".");
  let result = { rows: [], words: [] }; // rows are places in `features`
  let marked = new Set(); // words of the list's texts that match the query
  let shown = 0;
  let pending;

  fillFilters();
  readAddress();
  update();

  form.addEventListener("input", () => {
    scheduleAddress();
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
  addEventListener("keydown", handleKey);
  try {
    singleKeys.checked = localStorage.getItem("single-keys") !== "off";
    singleKeys.addEventListener("change", () => localStorage.setItem("single-keys", singleKeys.checked ? "on" : "off"));
  } catch {
    // Some browsers store nothing for pages on disk: the keys then work, and the choice is not kept.
  }

  function toObject(names, cells) {
    return Object.fromEntries(names.map((name, place) => [name, cells[place]]));
  }

  function fillFilters() {
    const counts = new Map();
    for (const feature of features) counts.set(feature[at.version], (counts.get(feature[at.version]) || 0) + 1);
    const versions = [...counts.keys()].filter(Boolean).sort((a, b) => compareVersions(b, a));
    for (const version of versions) form.elements.version.append(new Option(`${version} (${counts.get(version)})`, version));
    for (const episode of episodes) form.elements.episode.append(new Option(episode.episode_title, episode.episode_id));
  }

  function compareVersions(a, b) {
    return a.localeCompare(b, "en", { numeric: true });
  }

  function readAddress() {
    const parameters = new URLSearchParams(location.search);
    for (const element of form.elements) {
      if (!element.name) continue;
      const text = parameters.get(element.name) || "";
      if (element.type === "checkbox") element.checked = text === "1";
      else if (element.options) element.value = [...element.options].some((option) => option.value === text) ? text : "";
      else element.value = text;
    }
  }

  function writeAddress() {
    const parameters = new URLSearchParams();
    for (const [name, text] of new FormData(form)) if (text) parameters.set(name, text);
    const query = parameters.toString();
    history.replaceState(null, "", location.pathname + (query ? `?${query}` : ""));
  }

  /* Not at every letter: browsers refuse more than about a hundred changes of the address in half a minute. */
  function scheduleAddress() {
    clearTimeout(pending);
    if (location.hash) writeAddress();
    else pending = setTimeout(writeAddress, WRITE_DELAY);
  }

  /* A link such as index.html#998146 shows that feature, in every episode that has it. */
  function linkedId() {
    return /^#\d+$/.test(location.hash) ? Number(location.hash.slice(1)) : null;
  }

  function update() {
    const id = linkedId();
    const { q, version, episode, status, sort, highlight } = form.elements;
    const episodeNumber = episodes.findIndex(({ episode_id }) => episode_id === episode.value);
    const passesFilters = (row) => {
      const feature = features[row];
      if (id !== null && feature[at.feature_id] !== id) return false;
      return (
        (!version.value || feature[at.version] === version.value) &&
        (episodeNumber < 0 || feature[at.episode] === episodeNumber) &&
        (!status.value || feature[at.status] === status.value) &&
        (!highlight.checked || feature[at.highlight])
      );
    };
    const { rows, scores, words } = Matching.search(fields, q.value);
    result = { rows: sortRows(rows.filter(passesFilters), scores, sort.value || (words.length ? "best" : "time")), words };
    list.replaceChildren();
    shown = 0;
    showMore();
    showCount(id);
  }

  /* Rows come newest episode first, then in order of time; equal rows keep that order. */
  function sortRows(rows, scores, by) {
    if (by === "best") {
      // Grouping is quicker than sorting: there are few different scores.
      const groups = Map.groupBy(rows, (row) => scores[row]);
      return [...groups.keys()].sort((a, b) => b - a).flatMap((score) => groups.get(score));
    }
    const value = (row, name) => features[row][at[name]];
    if (by === "id") return rows.sort((a, b) => (value(a, "feature_id") ?? Infinity) - (value(b, "feature_id") ?? Infinity) || a - b);
    if (by === "version") return rows.sort((a, b) => compareVersions(value(b, "version"), value(a, "version")) || a - b);
    return rows;
  }

  function showCount(id) {
    const size = result.rows.length;
    const text = size ? `${size.toLocaleString("en")} feature${size === 1 ? "" : "s"}` : "Nothing found";
    count.textContent = id === null ? text : `${text} with the id #${id}`;
    clear.hidden = id === null && ![...new FormData(form).values()].some(Boolean);
    if (size) return;
    list.append(make("li", "empty", features.length ? "No feature has all of these words. Try fewer of them, or clear the search." : "The catalog is empty: no episode has been published yet."));
  }

  function showMore() {
    const next = result.rows.slice(shown, shown + PAGE);
    marked = Matching.findMatchingWords(next.flatMap(listTexts), result.words);
    list.append(...next.map(render));
    shown += next.length;
    const left = result.rows.length - shown;
    more.hidden = left <= 0;
    more.textContent = `Show ${Math.min(PAGE, left)} more of ${left.toLocaleString("en")}`;
  }

  /* The texts of a row in which words may be marked. */
  function listTexts(row) {
    const feature = readFeature(row);
    return [feature.title, feature.description, feature.quote, feature.version, String(feature.feature_id), feature.episode.episode_title];
  }

  /* A feature as an object by column name, with its episode in place of the episode's number. */
  function readFeature(row) {
    const feature = toObject(columns.features, features[row]);
    return { ...feature, episode: episodes[feature.episode] };
  }

  function render(row) {
    const feature = readFeature(row);
    const item = make("li", `row ${feature.status}`);
    item.dataset.row = row;
    const body = make("div");
    const heading = make("h3");
    const link = make("a");
    link.href = `episodes/${feature.episode.episode_id}.html#${feature.feature_id ?? `p${feature.position}`}`;
    heading.append(appendMarked(link, feature.title));
    body.append(heading, renderFacts(feature));
    for (const name of ["description", "quote"]) {
      if (!feature[name]) continue;
      const ended = name === "quote" && /[.?!…]$/.test(feature.quote);
      body.append(appendMarked(make("p", ended ? "quote ended" : name), feature[name]));
    }
    item.append(renderStart(feature), body);
    return item;
  }

  /* Version, id, episode, and what else stands in the line below a title. */
  function renderFacts(feature) {
    const facts = make("p", "facts");
    if (feature.version) facts.append(appendMarked(make("span"), feature.version));
    if (feature.feature_id !== null) {
      const link = make("a", "", "#");
      link.href = `#${feature.feature_id}`;
      facts.append(appendMarked(link, String(feature.feature_id)));
    }
    const page = make("a");
    page.href = `episodes/${feature.episode.episode_id}.html`;
    facts.append(appendMarked(page, feature.episode.episode_title));
    if (feature.highlight) facts.append(make("span", "badge highlight", "Highlight"));
    if (feature.status !== "confident") facts.append(make("span", `badge ${feature.status}`, statuses[feature.status]));
    return facts;
  }

  function appendMarked(element, text) {
    element.append(Matching.mark(text, marked));
    return element;
  }

  function renderStart(feature) {
    if (feature.start_s === null) return make("span", "start none", "–");
    if (feature.episode.player_kind !== "none") {
      const button = make("button", "start", feature.start);
      button.type = "button";
      button.setAttribute("aria-label", `Play from ${feature.start}: ${feature.title}`);
      return button;
    }
    if (!feature.url) return make("span", "start", feature.start);
    const link = makeExternalLink(feature.url, feature.start);
    link.className = "start";
    link.setAttribute("aria-label", `Open at ${feature.start}: ${feature.title}`);
    return link;
  }

  function play(row) {
    const feature = readFeature(row);
    const { episode_title: title, player_kind: kind, player_source: source } = feature.episode;
    dock.hidden = false;
    document.body.classList.add("docked");
    for (const item of list.children) item.classList.toggle("playing", Number(item.dataset.row) === row);
    player.play({ kind, source, title, label: feature.title, link: feature.url }, feature.start_s);
    if (!player.heading.querySelector("button")) player.heading.append(makeCloseButton());
  }

  function makeCloseButton() {
    const close = make("button", "quiet", "✕");
    close.setAttribute("aria-label", "Close the player");
    close.addEventListener("click", () => {
      player.stop();
      dock.hidden = true;
      document.body.classList.remove("docked");
      const playing = list.querySelector(".playing");
      playing?.classList.remove("playing");
      playing?.querySelector(".start").focus();
    });
    return close;
  }

  function handleKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { q } = form.elements;
    const typing = isTyping(event.target);
    if (event.key === "Escape" && event.target !== q) q.focus();
    else if (event.key === "ArrowDown" && (event.target === q || list.contains(event.target))) moveFocus(1);
    else if (event.key === "ArrowUp" && list.contains(event.target)) moveFocus(-1);
    else if (event.key === "Enter" && event.target === q) list.querySelector(".start:not(span)")?.click();
    else if (event.key === "/" && !typing && singleKeys.checked) q.focus();
    else if (event.key === "p" && !typing && singleKeys.checked) player.toggle();
    else if (event.key === "ArrowLeft" && !typing) player.skip(-5);
    else if (event.key === "ArrowRight" && !typing) player.skip(5);
    else return;
    event.preventDefault();
  }

  /* Moves from the search field into the results, along them, and back. */
  function moveFocus(step) {
    const stops = [...list.children].map((item) => item.querySelector("button.start, a.start, h3 a")).filter(Boolean);
    const current = [...list.children].indexOf(document.activeElement.closest("li"));
    const next = stops[current + step];
    if (next) next.focus();
    else if (step < 0) form.elements.q.focus();
    else if (!more.hidden) more.focus();
  }
})();
