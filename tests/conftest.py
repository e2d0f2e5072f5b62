"""Records, a small project, a recogniser that knows its lines, an encoder that knows a few words, and a web server."""

import os
import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from faulty_server import Server, make_media, serve, write_feed
from filelock import FileLock
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

from pipeline.align.encoder import SIZE, Encoding
from pipeline.core.project import Project
from pipeline.core.schema import Segment, Transcript, Word
from pipeline.runs.job import RunOptions, StageResult
from pipeline.runs.workflow import run_stages
from pipeline.transcribe.transcriber import Progress, WhisperTranscriber

# Speed is measured in benchmarks/, never asserted here.
# CI tries the same examples each time; to hunt for others: HYPOTHESIS_EXAMPLES=5000 make test-fast
settings.register_profile(
    "unhurried",
    deadline=None,
    derandomize="CI" in os.environ,
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "100")),
)
settings.load_profile("unhurried")

REPOSITORY = Path(__file__).parent.parent
CHROMIUM = shutil.which("chromium")
DEMO_AUDIO = REPOSITORY / "demo" / "audio.ogg"

PAGE = """Kite release notes
Full Feature review:
Invoices can be sorted by due date | v4.10 #500111 | 0:11
The invoice list gets a sort button.
Added a dark theme to the mobile app | v4.10 #500122
Follows the setting of the phone.
"""

LINES = (
    "Hello and welcome to the kite show.",
    "Okay, first one, invoices can now be sorted by due date.",
    "So the invoice list has a sort button for the due date.",
    "All right, next up is the dark theme in the mobile app.",
    "The dark theme follows the setting of your phone.",
    "That was it, see you next week.",
)


def spoken(lines: Sequence[str], *, seconds_a_line: float = 10.0) -> Transcript:
    """Lines said one after the other, evenly, with word times."""
    segments = []
    for number, line in enumerate(lines):
        start, words = number * seconds_a_line, line.split()
        step = seconds_a_line * 0.9 / len(words)
        timed = tuple(
            Word(round(start + i * step, 3), round(start + (i + 1) * step, 3), f" {word}", 0.9)
            for i, word in enumerate(words)
        )
        segments.append(Segment(start, timed[-1].end, line, timed))
    return Transcript(tuple(segments), "en", len(lines) * seconds_a_line, source="whisper", model="told")


@dataclass
class ToldTranscriber:
    """A recogniser that says what it was told, and counts how often it was asked."""

    transcript: Transcript
    asked: list[Path] = field(default_factory=list)

    def transcribe(
        self, audio: Path, *, language: str | None, on_progress: Progress, parts: Path | None = None
    ) -> Transcript:
        self.asked.append(audio)
        on_progress(1.0, 1.0)
        return self.transcript


@dataclass
class Notes:
    """A reporter that keeps what it is told."""

    started: list[tuple[str, str, str]] = field(default_factory=list)
    results: list[StageResult] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    waited: list[Path] = field(default_factory=list)

    def stage_started(self, episode_id: str, stage: str, reason: str) -> None:
        self.started.append((episode_id, stage, reason))

    def stage_progress(self, done: float, total: float) -> None:
        assert total == 0 or done <= total

    def episode_progress(self, episode_id: str, done: float, total: float) -> None:
        assert total == 0 or done <= total

    def stage_ended(self, result: StageResult) -> None:
        self.results.append(result)

    def warn(self, episode_id: str, message: str) -> None:
        self.warnings.append(f"{episode_id}: {message}")

    def waiting(self, root: Path) -> None:
        self.waited.append(root)


@pytest.fixture
def transcriber() -> ToldTranscriber:
    return ToldTranscriber(spoken(LINES))


def make_project(root: Path) -> Project:
    """A project with one episode, `one`, whose audio is the demo's and whose list is PAGE."""
    made = Project(root)
    made.episodes.mkdir(parents=True)
    made.show.write_text("name: The Kite Show\nlanguage: en\nlink: https://example.org/{episode_id}#t={seconds}\n")
    add_episode(made, "one")
    return made


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """What `make_project` makes, in the test's own folder."""
    return make_project(tmp_path)


def add_episode(project: Project, episode_id: str, *, source: Path | str = DEMO_AUDIO, page: str = PAGE) -> None:
    """Give the project one more episode."""
    (project.root / f"{episode_id}.txt").write_text(page, encoding="utf-8")
    settings = f"title: Episode {episode_id}\nsource: {source}\nfeatures: {episode_id}.txt\npublished: 2026-11-02\n"
    project.episode(episode_id).write_text(settings)


def wait_for_another_time(path: Path) -> None:
    """Return once a file system gives a new change another time than the last one of `path`: some count in 4 ms."""
    probe = path.with_name(f"{path.name}.probe")
    while True:
        probe.touch()
        later = probe.stat().st_ctime_ns > path.stat().st_ctime_ns
        probe.unlink()
        if later:
            return


class _Handler(BaseHTTPRequestHandler):
    """Serves what the fixture holds, and 404 for the rest."""

    pages: dict[str, tuple[str, bytes]]

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        found = self.pages.get(self.path.split("?")[0])
        if found is None:
            self.send_error(404)
            return
        kind, body = found
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def aligned_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a project with one episode, `one`, that was run."""
    made = make_project(tmp_path_factory.mktemp("aligned"))
    run_stages(
        made,
        ["one"],
        ("download", "transcribe", "align", "publish"),
        transcriber=lambda show: ToldTranscriber(spoken(LINES)),
        reporter=Notes(),
    )
    return made.root


@pytest.fixture
def aligned(aligned_once: Path, tmp_path: Path) -> Project:
    """A project of one's own with one episode, `one`, that was run."""
    return Project(Path(shutil.copytree(aligned_once, tmp_path / "aligned")))


@dataclass
class MediaServer:
    """A web server on 127.0.0.1: put (kind, body) into `pages` under a path."""

    address: str
    pages: dict[str, tuple[str, bytes]]


@pytest.fixture
def media_server() -> Iterator[MediaServer]:
    pages: dict[str, tuple[str, bytes]] = {}
    handler = type("Handler", (_Handler,), {"pages": pages})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield MediaServer(f"http://127.0.0.1:{server.server_address[1]}", pages)
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with twenty seconds of sound as talk.mp3, talk.m4a, talk.webm and HLS (index.m3u8)."""
    return make_media(tmp_path_factory.mktemp("media"))


@pytest.fixture
def faulty(media: Path) -> Iterator[Server]:
    """A server of that media and of a feed of three episodes, which fails where it is told to."""
    with serve(Server().put_folder(media)) as state:
        state.files["/feed.xml"] = write_feed(state.address)
        yield state


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """A folder with `talk.srt`, LINES as captions, and `list.txt`, two of whose features are discussed in it."""
    cues = [
        f"{n}\n00:00:{segment.start:02.0f},000 --> 00:00:{segment.end:02.0f},000\n{segment.text}\n"
        for n, segment in enumerate(spoken(LINES).segments, start=1)
    ]
    (tmp_path / "talk.srt").write_text("\n".join(cues))
    (tmp_path / "list.txt").write_text(
        "Invoices can be sorted by due date | v4.10 #500111\nThe list gets a button.\n"
        "Dark theme | v4.10 #500122\nFollows the phone.\n"
    )
    return tmp_path


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The repository's own project, in a folder of its own, run once, by whichever process comes first."""
    shared = tmp_path_factory.getbasetemp()
    root = (shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "demo"
    with FileLock(f"{root}.lock"):
        if not root.exists():
            _run_demo(Project(root))
    return Project(root)


def _run_demo(project: Project) -> None:
    for folder in ("configs", "demo"):
        shutil.copytree(REPOSITORY / folder, project.root / folder)
    result = run_stages(
        project,
        ["demo"],
        ("download", "transcribe", "align", "publish"),
        transcriber=lambda show: WhisperTranscriber(show.model, project.root, offline=True),
        reporter=Notes(),
        options=RunOptions(offline=True),
    )
    assert result.exit_code == 0, result.failures


# Not for the whole session: while Playwright is at work, nothing else may run an event loop.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium without a window; where REQUIRE_CHROMIUM is set, a machine without it fails."""
    if CHROMIUM is None:
        if os.environ.get("REQUIRE_CHROMIUM"):
            pytest.fail("chromium is not installed, and REQUIRE_CHROMIUM asks for it")
        pytest.skip("chromium is not installed: apt-get install chromium")
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *quiet])
        yield browser
        browser.close()


TOPICS = {"dog": 0, "puppy": 0, "rain": 1, "weather": 1, "soup": 2, "lunch": 2}


class Telling:
    """Knows that a puppy is a dog: each topic is a direction, and counts what it was asked."""

    name = "telling"

    def __init__(self) -> None:
        self.asked = 0

    def encode(self, texts: Sequence[str]) -> Encoding:
        self.asked += len(texts)
        vectors = np.zeros((len(texts), SIZE), dtype=np.float32)
        vectors[:, 10] = 0.3
        words, places = [], []
        for row, text in enumerate(texts):
            for match in re.finditer(r"\w+", text.lower()):
                word = np.zeros(SIZE, dtype=np.float32)
                word[TOPICS.get(match.group(), 11)] = 1.0
                vectors[row] += word * (match.group() in TOPICS)
                words.append(word)
                places.append((row, *match.span()))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return Encoding(
            vectors,
            np.array(words, dtype=np.float16).reshape(-1, SIZE),
            np.array(places, dtype=np.int32).reshape(-1, 3),
        )
