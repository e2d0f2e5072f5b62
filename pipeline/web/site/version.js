"use strict";
/* A version's page: shows the entries that match the query and the filter, which stand in the page's address. */
(() => {
  const WRITE_DELAY = 200; // milliseconds from the last letter until the address follows
  const form = document.getElementById("finder");
  if (!form) return;
  const query = form.elements.q;
  const filter = form.elements.show;
  const count = document.getElementById("count");
  const clear = document.getElementById("clear");
  const list = document.getElementById("entries");
  const entries = [...list.children];
  const foldPart = (selector) => entries.map((entry) => Matching.fold([...entry.querySelectorAll(selector)].map((part) => part.textContent).join(" ")));
  const fields = [
    { weight: 3, texts: foldPart("h3") },
    { weight: 2, texts: foldPart(".facts") },
    { weight: 1, texts: foldPart(".description") },
  ];
  let pending;

  form.hidden = false;
  readAddress();
  update();

  form.addEventListener("input", () => {
    clearTimeout(pending);
    pending = setTimeout(writeAddress, WRITE_DELAY);
    update();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  // At once: what is typed next belongs to the search field.
  clear.addEventListener("click", (event) => {
    event.preventDefault();
    form.reset();
    clearTimeout(pending);
    writeAddress();
    update();
    query.focus();
  });
  addEventListener("popstate", () => {
    readAddress();
    update();
  });
  addEventListener("keydown", handleKey);

  function readAddress() {
    const parameters = new URLSearchParams(location.search);
    const state = parameters.get("show") || "";
    query.value = parameters.get("q") || "";
    filter.value = [...filter.options].some((option) => option.value === state) ? state : "";
  }

  function writeAddress() {
    const parameters = new URLSearchParams();
    for (const [name, text] of new FormData(form)) if (text) parameters.set(name, text);
    const text = parameters.toString();
    history.replaceState(null, "", location.pathname + (text ? `?${text}` : "") + location.hash);
  }

  function update() {
    const matching = new Set(Matching.search(fields, query.value).rows);
    let shown = 0;
    entries.forEach((entry, row) => {
      entry.hidden = !matching.has(row) || Boolean(filter.value && entry.dataset.state !== filter.value);
      if (!entry.hidden) shown += 1;
    });
    const narrowed = Boolean(query.value.trim() || filter.value);
    clear.hidden = !narrowed;
    count.textContent = shown ? `${shown.toLocaleString("en")} of ${entries.length.toLocaleString("en")} entries` : "Nothing found";
  }

  function handleKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input, select");
    if (event.key === "Escape" && event.target !== query) query.focus();
    else if (event.key === "/" && !typing && usesSingleKeys()) query.focus();
    else if (event.key === "ArrowDown" && (event.target === query || list.contains(event.target))) moveFocus(1);
    else if (event.key === "ArrowUp" && list.contains(event.target)) moveFocus(-1);
    else return;
    event.preventDefault();
  }

  /* The search page has the switch. */
  function usesSingleKeys() {
    try {
      return localStorage.getItem("single-keys") !== "off";
    } catch {
      return true; // some browsers store nothing for pages on disk
    }
  }

  /* Moves from the search field into the entries, along them, and back. */
  function moveFocus(step) {
    const shown = entries.filter((entry) => !entry.hidden);
    const next = shown.indexOf(document.activeElement.closest("#entries > li")) + step;
    if (next < 0) query.focus();
    else shown[next]?.querySelector("h3 a").focus();
  }
})();
