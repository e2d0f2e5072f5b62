"""Count the keys and clicks of a review in Chromium, by a simulated reviewer who knows the true starts.

    python -m benchmarks.review_keys                                       # the bundled demo
    python -m benchmarks.review_keys AUDIO FEATURES GOLD [TRANSCRIPT.json] [--unsure 8]

The project is a temporary one. `--unsure 8` marks the eight starts of the lowest confidence for review. The reviewer
takes the features to check in order. A start within 2 s of the true one is confirmed. Otherwise a correct candidate is
chosen by its number, a start within 15 s is moved by keys, and any other is set by a double-click on its word in the
transcript. A feature that is not discussed is rejected. Times that the feature list gives are not used. Without a
transcript the audio is transcribed first.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from pipeline.core.project import Project
from pipeline.core.storage import read_json, write_json
from pipeline.publish.dataset import read_rows
from pipeline.publish.gold import load_gold
from pipeline.runs.reporter import Reporter
from pipeline.runs.workflow import run_stages
from pipeline.transcribe.transcriber import WhisperTranscriber
from pipeline.transcribe.transcript_files import load_transcript
from tests.support.project import FakeTranscriber
from tests.support.review import serve_in_thread

# The folder of the bundled demo.
DEMO = Path(__file__).parent.parent / "demo"

# Largest error of a start, seconds, that the reviewer accepts.
TOLERANCE_S = 2.0

# Largest error of a start, seconds, that the reviewer corrects by moving it with keys.
MAX_NUDGE_S = 15.0

# Assumed listening time per feature, seconds; a key or a click takes another second.
LISTENING_S = 15.0


@dataclass
class Reviewer:
    """A simulated person who knows the true starts by position; counts keys and clicks, and records decisions."""

    page: Page
    truth: dict[int, float | None]
    keys: int = 0
    clicks: int = 0
    decisions: list[str] = field(default_factory=list)

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)
            self.keys += 1

    def decide(self, feature: dict[str, object]) -> None:
        """Decide about the feature on the screen."""
        true = self.truth.get(int(str(feature["position"])))
        start = feature["start"]
        if true is None:
            self.press("x")
            self.decisions.append("rejected")
            return
        if isinstance(start, float) and abs(start - true) <= TOLERANCE_S:
            self.decisions.append("confirmed")
        elif number := self.find_candidate(true):
            self.press(str(number))
            self.decisions.append("candidate chosen")
        elif isinstance(start, float) and abs(start - true) <= MAX_NUDGE_S:
            move = round(true - start)
            fives, ones = divmod(abs(move), 5)
            arrow = "ArrowRight" if move > 0 else "ArrowLeft"
            self.press(*[f"Shift+{arrow}"] * fives, *[arrow] * ones)
            self.decisions.append("moved by keys")
        else:
            self.double_click(true)
            self.decisions.append("double-click on a word")
        self.press("Enter")

    def find_candidate(self, true: float) -> int | None:
        """Return the number of a correct candidate; times that the feature list gives are ignored."""
        for number, button in enumerate(self.page.locator("#candidates button").all(), start=1):
            seconds = float(button.get_attribute("data-seconds") or "nan")
            if "page says" not in button.inner_text() and abs(seconds - true) <= TOLERANCE_S:
                return number
        return None

    def double_click(self, true: float) -> None:
        """Double-click the word that is spoken at a second."""
        point = self.page.evaluate(
            """async (true_) => {
              const { paragraphs } = await (await fetch("transcript")).json();
              const blocks = paragraphs.filter(({ words }) => words.length);
              const index = blocks.findLastIndex(({ starts }) => starts[0] <= true_ + 0.3);
              const { words, starts } = blocks[index];
              const number = starts.findLastIndex((start) => start <= true_ + 0.3);
              const text = document.querySelectorAll("#transcript p")[index].firstChild;
              const range = new Range();
              range.setStart(text, words.slice(0, number).join(" ").length + (number ? 1 : 0));
              range.setEnd(text, range.startOffset + 1);
              range.startContainer.parentElement.scrollIntoView();
              const box = range.getBoundingClientRect();
              return [box.x + 1, box.y + box.height / 2];
            }""",
            true,
        )
        self.page.mouse.dblclick(*point)
        self.clicks += 2


def make_project(project: Project, audio: Path, features: Path, transcript: Path | None) -> None:
    """Make a project with one episode, and run it."""
    project.episodes.mkdir(parents=True)
    project.show.write_text("name: Show\nlanguage: en\n")
    project.episode("one").write_text(f"title: One\nsource: {audio.resolve()}\nfeatures: {features.resolve()}\n")
    result = run_stages(
        project,
        ["one"],
        ("download", "transcribe", "align", "publish"),
        transcriber=lambda show: (
            FakeTranscriber(load_transcript(transcript)) if transcript else WhisperTranscriber(show.model, project.root)
        ),
        reporter=Reporter(),
    )
    if result.exit_code:
        sys.exit(f"the run of the episode failed: {result.failures[0].error}")


def mark_for_review(project: Project, count: int) -> None:
    """Give the starts of the lowest confidence the status `review`."""
    record = read_json(project.alignment("one"))
    placed = [placement for placement in record["placements"] if placement["start"] is not None]
    for placement in sorted(placed, key=lambda placement: float(placement["confidence"]))[:count]:
        placement["status"] = "review"
    write_json(project.alignment("one"), record)


def review(reviewer: Reviewer, url: str) -> None:
    """Review all features to check, finish, and print the counts."""
    page = reviewer.page
    page.goto(url)
    page.wait_for_selector("#transcript p")
    state = page.evaluate("fetch('state').then((response) => response.json())")
    waiting = [feature for feature in state["features"] if feature["needs_person"]]
    for feature in waiting:
        while page.locator("#title").inner_text() != feature["title"] or page.locator(".feature").is_hidden():
            time.sleep(0.02)
        reviewer.decide(feature)
        while (
            not page.locator("#status").inner_text().startswith("Saved")
            or str(feature["title"]) not in page.locator("#status").inner_text()
        ):
            time.sleep(0.02)
    if waiting:
        reviewer.press("Enter")
        page.wait_for_selector("dialog[open]")
        print(page.locator("#outcome-text").inner_text().replace("\n", " | "))
    seconds = LISTENING_S * len(waiting) + reviewer.keys + reviewer.clicks
    print(f"{len(waiting)} to check: {reviewer.keys} keys, {reviewer.clicks} clicks: {', '.join(reviewer.decisions)}")
    print(f"with {LISTENING_S:.0f} s of listening per feature, and a second per key and click: {seconds / 60:.1f} min")


def main() -> None:
    """Run the episode, review it, and score the catalog before and after."""
    parser = argparse.ArgumentParser()
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--unsure", type=int, default=0)
    arguments = parser.parse_args()
    paths = arguments.paths or [
        DEMO / "audio.ogg", DEMO / "features.txt", DEMO / "gold.json"
    ]  # fmt: skip
    audio, features, gold = paths[:3]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        project = Project(Path(folder))
        make_project(project, audio, features, paths[3] if len(paths) > 3 else None)
        mark_for_review(project, arguments.unsure)
        truth = load_gold(gold, read_rows(project.dataset)["one"])
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        print_score("before", project, truth)
        for server in serve_in_thread(project):
            review(Reviewer(browser.new_page(), truth), server.url)
        print_score("after", project, truth)
        browser.close()


def print_score(when: str, project: Project, truth: dict[int, float | None]) -> None:
    """Print how many features are within 30 s of their true starts, or are correctly without one."""
    rows = read_rows(project.dataset)["one"]
    correct = 0
    for row in rows:
        true = truth.get(row.position)
        correct += (true is None) == (row.start_s is None) and abs((row.start_s or 0.0) - (true or 0.0)) <= 30.0
    print(f"{when}: {correct} of {len(rows)} features are correct within 30 s")


if __name__ == "__main__":
    main()
