"""Time the search site at the size of a large back catalogue: 20,000 invented features in 667 episodes, in Chromium.

    python -m benchmarks.site_speed

Needs Debian's chromium and the development requirements. Prints how long the site takes to write (all of it, after one
episode changed, with nothing to do), its size, when the first list stands on the screen, and how long each keystroke
takes until its list is painted, over questions right and wrong.
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

ROWS, EACH, WORDS, SPOKEN = 20_000, 30, 12_000, 7_500
CHROMIUM = "/usr/bin/chromium"
SYLLABLES = ("b c d f g h k l m n p r s t v w st tr pl ch".split(), "a e i o u ai ea ou".split())
ENDINGS = ["", "n", "r", "s", "t", "ing", "ed", "ion", "er"]

# In the page: when the first list was painted, and the milliseconds from each input to the paint after it.
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
    """Return invented words, the frequent ones first."""
    words: set[str] = set()
    while len(words) < WORDS:
        syllables = ("".join(map(chance.choice, SYLLABLES)) for _ in range(chance.randint(1, 3)))
        words.add("".join(syllables) + chance.choice(ENDINGS))
    return sorted(sorted(words), key=lambda word: (len(word), word))


def make_rows(number: int, words: list[str], weights: list[float], chance: random.Random) -> tuple[CatalogRow, ...]:
    """Return one episode's invented rows: titles of 8 words, descriptions of 18, quotes of about 200 characters."""

    def say(count: int) -> str:
        return " ".join(chance.choices(words, cum_weights=weights, k=count))

    features = [
        Feature(n, say(8), say(18), 500_000 + number * EACH + n, f"v2.{number // 3}", highlight=n % 10 == 0)
        for n in range(1, EACH + 1)
    ]
    statuses = (Status.CONFIDENT, Status.CONFIDENT, Status.CONFIDENT, Status.REVIEW)
    places = tuple(
        Placement(n, 100.0 * n, 100.0 * n + 90, statuses[n % 4], 0.9, Method.PHRASE, "", say(34)[:200])
        for n in range(1, EACH + 1)
    )
    published = date(2012, 1, 3) + timedelta(weeks=number)
    episode = Episode("Show", f"ep{number}", f"Episode {number}", published, "https://youtu.be/abcdefghijk?t={seconds}")
    return build_rows(episode, features, Alignment(places), Provenance("whisper", "base", None, None))


def make_project(project: Project, chance: random.Random) -> list[str]:
    """Write a catalog and transcripts of 52 minutes; return the words they are made of."""
    words = make_speech(chance)
    weights = list(itertools.accumulate(1 / (rank + 3) for rank in range(WORDS)))
    spoken = chance.choices(words, cum_weights=weights, k=SPOKEN)
    timed = [Word(n * 0.41, n * 0.41 + 0.4, f" {word}", 0.9) for n, word in enumerate(spoken)]
    parts = [tuple(timed[at : at + 15]) for at in range(0, SPOKEN, 15)]
    segments = tuple(Segment(p[0].start, p[-1].end, "".join(w.word for w in p).strip(), p) for p in parts)
    write_json(project.transcript("ep0"), transcript_to_json(Transcript(segments, "en", 0.41 * SPOKEN, "whisper")))
    for number in range(-(-ROWS // EACH)):
        write_catalog(make_rows(number, words, weights, chance), project.catalog(f"ep{number}"))
        if number:
            project.transcript(f"ep{number}").hardlink_to(project.transcript("ep0"))
    return words


def time_writing(project: Project, label: str) -> None:
    """Write what is not up to date, and print the seconds."""
    began = time.perf_counter()
    write_site(project, ShowConfig(name="Show"), find_audio=lambda _: None, warn=print)
    print(f"{label}: {time.perf_counter() - began:.2f} s")


def wait_until(page: Page, expression: str) -> None:
    """Wait for something to be true in the page, whose security policy forbids Playwright's own way to wait."""
    while not page.evaluate(expression):
        time.sleep(0.005)


def time_first_list(page: Page, address: str) -> float:
    """Return the milliseconds from the start of loading a page to its first list on the screen."""
    page.goto(address)
    wait_until(page, "first !== null")
    return float(page.evaluate("first"))


def time_keys(page: Page, question: str) -> list[float]:
    """Type a question, letter by letter, and return the milliseconds of each until the list is painted."""
    page.fill("#question", "")
    page.wait_for_timeout(100)
    page.evaluate("paints.length = 0")
    for number, letter in enumerate(question, start=1):
        page.keyboard.type(letter)
        wait_until(page, f"paints.length >= {number}")
    return [float(value) for value in page.evaluate("paints")]


def main() -> None:
    """Make the catalog, write the site, look at it, and print the times."""
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        project = Project(Path(folder))
        words = make_project(project, chance)
        time_writing(project, "all pages written")
        weights = list(itertools.accumulate(1 / (rank + 3) for rank in range(WORDS)))
        write_catalog(make_rows(5, words, weights, chance), project.catalog("ep5"))
        time_writing(project, "after one episode changed")
        time_writing(project, "nothing to do")
        size = sum(path.stat().st_size for path in project.site.rglob("*") if path.is_file())
        data = (project.site / "data" / "catalog.js").stat().st_size
        print(f"{size / 1e6:.0f} MB in all, of which the search page loads {data / 1e6:.1f} MB of data")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.add_init_script(STOPWATCH)
        address = (project.site / "index.html").as_uri()
        firsts = sorted(time_first_list(page, address) for _ in range(5))
        print(f"first list: {firsts[2]:.0f} ms (slowest of five {firsts[-1]:.0f} ms)")
        title = make_rows(5, words, weights, random.Random(1))[0].title.split()
        firsts = sorted(time_first_list(page, f"{address}?q={title[5]}+{title[6]}") for _ in range(5))
        print(f"first list of a shared search: {firsts[2]:.0f} ms (slowest of five {firsts[-1]:.0f} ms)")
        long, longer = (next(word for word in words[at:] if len(word) > 8) for at in (6000, 9000))
        swapped = longer[:3] + longer[4] + longer[3] + longer[5:]
        aside = "qx"[long[0] == "q"] + long[1:]
        typed = (words[0], words[40], long, swapped, aside, f"{words[60]} {aside}", f"{words[60]} {long}")
        for question in (*typed, "500123", "v2.117", "zzzz"):
            times = time_keys(page, question)
            middle, most = statistics.median(times), max(times)
            print(f"{question!r}: {len(times)} keys, median {middle:.0f} ms, slowest {most:.0f} ms")
        browser.close()


if __name__ == "__main__":
    main()
