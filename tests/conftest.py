"""Fixtures: a small project, a transcriber of fixed text, the demo, web servers and a browser."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

from pipeline.core.project import Project
from pipeline.runs.job import RunOptions
from pipeline.runs.workflow import run_stages
from pipeline.transcribe.transcriber import WhisperTranscriber
from tests.support.faulty_server import Server, make_media, serve, write_feed
from tests.support.project import LINES, REPOSITORY, FakeTranscriber, RecordingReporter, make_project, make_transcript
from tests.support.releases import make_released_project
from tests.support.review import ReviewServer, serve_in_thread

# The browser of the tests; None where it is not installed.
CHROMIUM = shutil.which("chromium")

# Speed is measured in benchmarks/, never asserted here.
# CI tries the same examples each time. HYPOTHESIS_EXAMPLES=5000 make test-fast tries more, at random.
settings.register_profile(
    "unhurried",
    deadline=None,
    derandomize="CI" in os.environ,
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "100")),
)
settings.load_profile("unhurried")


@pytest.fixture
def transcriber() -> FakeTranscriber:
    return FakeTranscriber(make_transcript(LINES))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The project of `make_project`, in the test's own folder."""
    return make_project(tmp_path)


@pytest.fixture(scope="session")
def aligned_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a project whose only episode, `one`, was run."""
    project = make_project(tmp_path_factory.mktemp("aligned"))
    run_stages(
        project,
        ["one"],
        ("download", "transcribe", "align", "publish"),
        transcriber=lambda show: FakeTranscriber(make_transcript(LINES)),
        reporter=RecordingReporter(),
    )
    return project.root


@pytest.fixture
def aligned(aligned_once: Path, tmp_path: Path) -> Project:
    """A copy, for each test, of a project whose only episode, `one`, was run."""
    return Project(Path(shutil.copytree(aligned_once, tmp_path / "aligned")))


@pytest.fixture(scope="session")
def released_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a project with release lists that was run."""
    return make_released_project(tmp_path_factory.mktemp("released")).root


@pytest.fixture
def released(released_once: Path, tmp_path: Path) -> Project:
    """A copy, for each test, of that project."""
    return Project(Path(shutil.copytree(released_once, tmp_path / "released")))


@pytest.fixture
def web_server() -> Iterator[Server]:
    """An empty web server: put files into it."""
    with serve(Server()) as state:
        yield state


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with twenty seconds of sound as talk.mp3, talk.m4a, talk.webm and HLS (index.m3u8)."""
    return make_media(tmp_path_factory.mktemp("media"))


@pytest.fixture
def faulty(media: Path) -> Iterator[Server]:
    """A server of that media and of a feed of three episodes; faults can be put into it."""
    with serve(Server().put_folder(media)) as state:
        state.files["/feed.xml"] = write_feed(state.url)
        yield state


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """A folder with `talk.srt`, LINES as captions, and `list.txt`, two of whose features are discussed in it."""
    cues = [
        f"{n}\n00:00:{segment.start:02.0f},000 --> 00:00:{segment.end:02.0f},000\n{segment.text}\n"
        for n, segment in enumerate(make_transcript(LINES).segments, start=1)
    ]
    (tmp_path / "talk.srt").write_text("\n".join(cues))
    (tmp_path / "list.txt").write_text(
        "Invoices can be sorted by due date | v4.10 #500111\nThe list gets a button.\n"
        "Dark theme | v4.10 #500122\nFollows the phone.\n"
    )
    return tmp_path


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The repository's project, run once in a temporary folder; parallel test processes share it."""
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
        reporter=RecordingReporter(),
        options=RunOptions(offline=True),
    )
    assert result.exit_code == 0, result.failures


# The scope is a module: while Playwright is open, nothing else may run an event loop in this process.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium without a window. Without it, tests are skipped, or fail if REQUIRE_CHROMIUM is set."""
    if CHROMIUM is None:
        if os.environ.get("REQUIRE_CHROMIUM"):
            pytest.fail("chromium is not installed, and REQUIRE_CHROMIUM is set")
        pytest.skip("chromium is not installed: apt-get install chromium")
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *quiet])
        yield browser
        browser.close()


@pytest.fixture
def review_server(aligned: Project) -> Iterator[ReviewServer]:
    yield from serve_in_thread(aligned)
