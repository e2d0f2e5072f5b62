"""Count what a review costs: keys and clicks of a person who knows the true starts, in Chromium.

    python -m benchmarks.review_keys                                       # the bundled demo
    python -m benchmarks.review_keys AUDIO FEATURES GOLD [TRANSCRIPT.json] [--unsure 8]

`--unsure 8` puts the eight starts that the program is least sure of before the person, however sure it is.
Works on a project of its own, so that no decision stays. The person looks at what is put before them, in that order:
a start within 2 s of the true one is confirmed, one that also fits is chosen by its number, a near one is moved by
keys, a far one by a double click on its word in the transcript; what is not discussed is rejected. Times that the page
gives are not used. Where no transcript is given, the audio is transcribed first.
"""

import argparse
import socket
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from playwright.sync_api import Page, sync_playwright

from pipeline.cli.progress import ConsoleReporter
from pipeline.core.project import Project
from pipeline.core.schema import Transcript
from pipeline.core.storage import read_json, write_json
from pipeline.publish.evaluation import load_gold
from pipeline.publish.tables import read_rows
from pipeline.review.access import make_token
from pipeline.review.server import build_app, make_server_config
from pipeline.review.session import ReviewSession
from pipeline.runs.workflow import run_stages
from pipeline.transcribe.transcriber import WhisperTranscriber
from pipeline.transcribe.transcript_files import load_transcript

DEMO = Path(__file__).parent.parent / "demo"
NEAR_S, FAR_S = 2.0, 15.0
# What a person is taken to need: listening to each feature, and a second for each key or click.
LISTENING_S = 15.0


class Told:
    """A transcriber that says what a transcript says."""

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript

    def transcribe(self, audio: Path, **_: object) -> Transcript:  # noqa: ARG002
        """Return the transcript."""
        return self.transcript


class Quiet(ConsoleReporter):
    """Says nothing of what the list and the notes warn of."""

    def warn(self, episode_id: str, message: str) -> None:
        """Say nothing."""


@dataclass
class Person:
    """Somebody who knows the true starts, by position, and counts what they do."""

    page: Page
    truth: dict[int, float | None]
    keys: int = 0
    clicks: int = 0
    did: list[str] = field(default_factory=list)

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)
            self.keys += 1

    def judge(self, feature: dict[str, object]) -> None:
        """Decide about the feature on the screen."""
        true = self.truth.get(int(str(feature["position"])))
        start = feature["start"]
        if true is None:
            self.press("x")
            self.did.append("rejected")
            return
        if isinstance(start, float) and abs(start - true) <= NEAR_S:
            self.did.append("confirmed")
        elif number := self.find_place(true):
            self.press(str(number))
            self.did.append("another place chosen")
        elif isinstance(start, float) and abs(start - true) <= FAR_S:
            way = round(true - start)
            fives, ones = divmod(abs(way), 5)
            arrow = "ArrowRight" if way > 0 else "ArrowLeft"
            self.press(*[f"Shift+{arrow}"] * fives, *[arrow] * ones)
            self.did.append("moved by keys")
        else:
            self.double_click(true)
            self.did.append("double click on a word")
        self.press("Enter")

    def find_place(self, true: float) -> int | None:
        """The number of a place that fits and is right; what the page says is not looked at."""
        for number, button in enumerate(self.page.locator("#candidates button").all(), start=1):
            seconds = float(button.get_attribute("data-seconds") or "nan")
            if "page says" not in button.inner_text() and abs(seconds - true) <= NEAR_S:
                return number
        return None

    def double_click(self, true: float) -> None:
        """Double click the word spoken at a second."""
        spot = self.page.evaluate(
            """async (true_) => {
              const { paragraphs } = await (await fetch("transcript")).json();
              const spoken = paragraphs.filter((one) => one.words.length);
              const index = spoken.findLastIndex((one) => one.starts[0] <= true_ + 0.3);
              const { words, starts } = spoken[index];
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
        self.page.mouse.dblclick(*spot)
        self.clicks += 2


def make_project(project: Project, audio: Path, features: Path, transcript: Path | None) -> None:
    """Run an episode from its files."""
    project.episodes.mkdir(parents=True)
    project.show.write_text("name: Show\nlanguage: en\n")
    project.episode("one").write_text(f"title: One\nsource: {audio.resolve()}\nfeatures: {features.resolve()}\n")
    result = run_stages(
        project,
        ["one"],
        ("download", "transcribe", "align", "publish"),
        transcriber=lambda show: (
            Told(load_transcript(transcript)) if transcript else WhisperTranscriber(show.model, project.root)
        ),
        reporter=Quiet(quiet=True),
    )
    if result.exit_code:
        sys.exit("the episode could not be run")


def doubt(project: Project, count: int) -> None:
    """Mark the least sure starts of the alignment as doubtful."""
    record = read_json(project.alignment("one"))
    found = [one for one in record["placements"] if one["start"] is not None]
    for placement in sorted(found, key=lambda one: float(one["confidence"]))[:count]:
        placement["status"] = "review"
    write_json(project.alignment("one"), record)


def review(person: Person, address: str) -> None:
    """Review everything that needs a person, and finish."""
    page = person.page
    page.goto(address)
    page.wait_for_selector("#transcript p")
    waiting = [one for one in page.evaluate("fetch('state').then((r) => r.json())")["features"] if one["needs_person"]]
    for feature in waiting:
        while page.locator("#title").inner_text() != feature["title"] or page.locator(".feature").is_hidden():
            time.sleep(0.02)
        person.judge(feature)
        while (
            not page.locator("#status").inner_text().startswith("Saved")
            or str(feature["title"]) not in page.locator("#status").inner_text()
        ):
            time.sleep(0.02)
    if waiting:
        person.press("Enter")
        page.wait_for_selector("dialog[open]")
        print(page.locator("#outcome-text").inner_text().replace("\n", " | "))
    seconds = LISTENING_S * len(waiting) + person.keys + person.clicks
    print(f"{len(waiting)} to check: {person.keys} keys, {person.clicks} clicks: {', '.join(person.did)}")
    print(
        f"with {LISTENING_S:.0f} s of listening for each, and a second for each key and click: {seconds / 60:.1f} min"
    )


def main() -> None:
    """Run the episode, serve its review, let the person at it, and score the catalog before and after."""
    parser = argparse.ArgumentParser()
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--unsure", type=int, default=0)
    asked = parser.parse_args()
    paths = asked.paths or [
        DEMO / "audio.ogg", DEMO / "features.txt", DEMO / "gold.json"
    ]  # fmt: skip
    audio, features, gold = paths[:3]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        project = Project(Path(folder))
        make_project(project, audio, features, paths[3] if len(paths) > 3 else None)
        doubt(project, asked.unsure)
        listener = socket.create_server(("127.0.0.1", 0))
        port, token = listener.getsockname()[1], make_token()
        app = build_app(ReviewSession.open(project, "one"), token, port)
        server = uvicorn.Server(make_server_config(app))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        truth = load_gold(gold, read_rows(project.dataset)["one"])
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        print_right("before", project, truth)
        review(Person(browser.new_page(), truth), f"http://127.0.0.1:{port}/{token}/")
        print_right("after", project, truth)
        browser.close()
        server.should_exit = True
        thread.join()


def print_right(when: str, project: Project, truth: dict[int, float | None]) -> None:
    """Print how many features are where they belong, within 30 s."""
    rows = read_rows(project.dataset)["one"]
    right = 0
    for row in rows:
        true = truth.get(row.position)
        right += (true is None) == (row.start_s is None) and abs((row.start_s or 0.0) - (true or 0.0)) <= 30.0
    print(f"{when}: {right} of {len(rows)} features are right within 30 s")


if __name__ == "__main__":
    main()
