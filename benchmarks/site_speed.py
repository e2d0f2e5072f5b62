"""Time the search site at the size of a large back catalog: 20,000 invented features in 667 episodes, in Chromium.

    python -m benchmarks.site_speed

Needs Debian's chromium and the development requirements. Prints how long the site takes to write (all of it, after a
change of one episode, without a change), its size, how long the search page takes to show its first list, and how long
each keystroke takes until its list is painted, over queries with and without results.
"""

import itertools
import random
import statistics
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from pipeline.core.config import ShowConfig
from pipeline.core.project import Project
from pipeline.core.schema import (
    Alignment,
    Episode,
    Feature,
    Method,
    Placement,
    Provenance,
    Segment,
    Status,
    Transcript,
    Word,
)
from pipeline.core.serialization import transcript_to_json
from pipeline.core.storage import write_json
from pipeline.publish.rows import CatalogRow, build_rows
from pipeline.publish.site import write_site
from pipeline.publish.tables import write_catalog

ROWS = 20_000
ROWS_PER_EPISODE = 30

# Distinct words of the invented language.
WORDS = 12_000

# Words of an episode's transcript: 51 minutes.
SPOKEN_WORDS = 7_500

CHROMIUM = "/usr/bin/chromium"

# The consonants and vowels of a syllable, and the endings of a word.
SYLLABLES = ("b c d f g h k l m n p r s t v w st tr pl ch".split(), "a e i o u ai ea ou".split())
ENDINGS = ["", "n", "r", "s", "t", "ing", "ed", "ion", "er"]

# Runs in the page: `first` is when the first list was painted, `paints` the milliseconds from each input to the paint
# after it.
STOPWATCH = """
window.paints = []; window.first = null;
const painted = (done) => requestAnimationFrame(() => setTimeout(done));
addEventListener("input", () => {
  const began = performance.now();
  painted(() => paints.push(performance.now() - began));
}, true);
new MutationObserver((_, watch) => {
  if (!document.querySelector("#results li")) return;
  watch.disconnect();
  painted(() => { first = performance.now(); });
}).observe(document, { childList: true, subtree: true });
"""


def make_speech(chance: random.Random) -> list[str]:
    """Return invented words, in order of length: the short ones are the frequent ones."""
    words: set[str] = set()
    while len(words) < WORDS:
        syllables = ("".join(map(chance.choice, SYLLABLES)) for _ in range(chance.randint(1, 3)))
        words.add("".join(syllables) + chance.choice(ENDINGS))
    return sorted(sorted(words), key=lambda word: (len(word), word))


def make_rows(number: int, words: list[str], weights: list[float], chance: random.Random) -> tuple[CatalogRow, ...]:
    """Return one episode's invented rows: titles of 8 words, descriptions of 18, quotes of about 200 characters."""

    def invent_text(count: int) -> str:
        return " ".join(chance.choices(words, cum_weights=weights, k=count))

    features = [
        Feature(
            position=n,
            title=invent_text(8),
            description=invent_text(18),
            feature_id=500_000 + number * ROWS_PER_EPISODE + n,
            version=f"v2.{number // 3}",
            highlight=n % 10 == 0,
        )
        for n in range(1, ROWS_PER_EPISODE + 1)
    ]
    statuses = (Status.CONFIDENT, Status.CONFIDENT, Status.CONFIDENT, Status.REVIEW)
    placements = tuple(
        Placement(n, 100.0 * n, 100.0 * n + 90, statuses[n % 4], 0.9, Method.PHRASE, "", invent_text(34)[:200])
        for n in range(1, ROWS_PER_EPISODE + 1)
    )
    published = date(2012, 1, 3) + timedelta(weeks=number)
    episode = Episode("Show", f"ep{number}", f"Episode {number}", published, "https://youtu.be/abcdefghijk?t={seconds}")
    return build_rows(episode, features, Alignment(placements), Provenance("whisper", "base", None, None))


def make_project(project: Project, chance: random.Random) -> list[str]:
    """Write a catalog and transcripts of 51 minutes; return the words they are made of."""
    words = make_speech(chance)
    weights = list(itertools.accumulate(1 / (rank + 3) for rank in range(WORDS)))
    spoken = chance.choices(words, cum_weights=weights, k=SPOKEN_WORDS)
    timed = [Word(n * 0.41, n * 0.41 + 0.4, f" {word}", 0.9) for n, word in enumerate(spoken)]
    parts = [tuple(timed[at : at + 15]) for at in range(0, SPOKEN_WORDS, 15)]
    segments = tuple(Segment(p[0].start, p[-1].end, "".join(w.word for w in p).strip(), p) for p in parts)
    write_json(
        project.transcript("ep0"), transcript_to_json(Transcript(segments, "en", 0.41 * SPOKEN_WORDS, "whisper"))
    )
    for number in range(-(-ROWS // ROWS_PER_EPISODE)):
        write_catalog(make_rows(number, words, weights, chance), project.catalog(f"ep{number}"))
        if number:
            project.transcript(f"ep{number}").hardlink_to(project.transcript("ep0"))
    return words


def time_writing(project: Project, label: str) -> None:
    """Bring the site up to date, and print the seconds."""
    began = time.perf_counter()
    write_site(project, ShowConfig(name="Show"), find_audio=lambda _: None, warn=print)
    print(f"{label}: {time.perf_counter() - began:.2f} s")


def wait_until(page: Page, expression: str) -> None:
    """Wait until an expression is true in the page, whose security policy blocks Playwright's own function for it."""
    while not page.evaluate(expression):
        time.sleep(0.005)


def time_first_list(page: Page, url: str) -> float:
    """Return the milliseconds from the start of loading a page until its first list is painted."""
    page.goto(url)
    wait_until(page, "first !== null")
    return float(page.evaluate("first"))


def time_keys(page: Page, query: str) -> list[float]:
    """Type a query, letter by letter, and return the milliseconds of each letter until the list is painted."""
    page.fill("#query", "")
    page.wait_for_timeout(100)
    page.evaluate("paints.length = 0")
    for number, letter in enumerate(query, start=1):
        page.keyboard.type(letter)
        wait_until(page, f"paints.length >= {number}")
    return [float(value) for value in page.evaluate("paints")]


def time_pages(project: Project, words: list[str], weights: list[float], page: Page) -> None:
    """Print how long the search page takes to show its first list, and how long each keystroke takes."""
    url = (project.site / "index.html").as_uri()
    title = make_rows(5, words, weights, random.Random(1))[0].title.split()
    for label, start in (("first list", url), ("first list of a shared search", f"{url}?q={title[5]}+{title[6]}")):
        times = sorted(time_first_list(page, start) for _ in range(5))
        print(f"{label}: {times[2]:.0f} ms (slowest of five {times[-1]:.0f} ms)")
    for query in make_queries(words):
        times = time_keys(page, query)
        print(f"{query!r}: {len(times)} keys, median {statistics.median(times):.0f} ms, slowest {max(times):.0f} ms")


def make_queries(words: list[str]) -> tuple[str, ...]:
    """Return queries: frequent and rare words, words with an edit, an id, a version, and a word that is absent."""
    long, longer = (next(word for word in words[rank:] if len(word) > 8) for rank in (6000, 9000))
    swapped = longer[:3] + longer[4] + longer[3] + longer[5:]
    first_letter = "qx"[long[0] == "q"] + long[1:]
    pairs = (f"{words[60]} {first_letter}", f"{words[60]} {long}")
    return (words[0], words[40], long, swapped, first_letter, *pairs, "500123", "v2.117", "zzzz")


def main() -> None:
    """Write the catalog and the site, open the site in Chromium, and print the times."""
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        project = Project(Path(folder))
        words = make_project(project, chance)
        time_writing(project, "all pages written")
        weights = list(itertools.accumulate(1 / (rank + 3) for rank in range(WORDS)))
        write_catalog(make_rows(5, words, weights, chance), project.catalog("ep5"))
        time_writing(project, "after a change of one episode")
        time_writing(project, "without a change")
        size = sum(path.stat().st_size for path in project.site.rglob("*") if path.is_file())
        data = (project.site / "data" / "catalog.js").stat().st_size
        print(f"{size / 1e6:.0f} MB in all, of which the search page loads {data / 1e6:.1f} MB of data")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.add_init_script(STOPWATCH)
        time_pages(project, words, weights, page)
        browser.close()


if __name__ == "__main__":
    main()
