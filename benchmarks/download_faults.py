"""Run `catalog download` on each kind of source and each fault: its messages, its exit code, the files it leaves.

    python -m benchmarks.download_faults           prints the table of docs/evaluation/download.md
    python -m benchmarks.download_faults --write   writes it there
    python -m benchmarks.download_faults --cuts 20 downloads a file 20 times, each cut 30 times at random

The real command and the real yt-dlp, against the server of tests/support/faulty_server.py on 127.0.0.1.
"""

import argparse
import contextlib
import hashlib
import io
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support import faulty_server as faulty
from tests.support.faulty_server import Server, cut_and_go_down, redirect, respond

REPOSITORY = Path(__file__).parent.parent
PAGE = REPOSITORY / "docs" / "evaluation" / "download.md"

# The comments around the table in PAGE.
MARKERS = ("<!-- measured -->\n", "<!-- /measured -->")

# Bytes; writing fails above them, as on a full disk. Smaller than the media.
FILE_SIZE_LIMIT = 60_000

# How often each download of `measure_cuts` is cut.
CUTS = 30

# A sign-in page.
HTML = b"<!DOCTYPE html><html><title>Sign in</title><p>Please sign in.</p></html>"

# A page with two players.
TWO = b'<html><video src="/talk.mp3"></video><video src="/talk.m4a"></video></html>'


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes:
        name: the source or the fault.
        source: the episode's source; a format string of `url`, `host` and `media`.
        settings: further settings of the episode.
        show: the show's settings under `download:`.
        break_server: puts the fault into the server.
        full_disk: whether writes fail above FILE_SIZE_LIMIT.
    """

    name: str
    source: str
    settings: str = ""
    show: str = ""
    break_server: Callable[[Server], object] = lambda _: None
    full_disk: bool = False


def put(path: str, content: bytes, content_type: str = "") -> Callable[[Server], object]:
    """Return a fault: serve this content, with this content type if given."""

    def change(server: Server) -> None:
        server.files[path] = content
        if content_type:
            server.content_types[path] = content_type

    return change


def shorten(path: str, length: int) -> Callable[[Server], object]:
    """Return a fault: serve the beginning of a file as if it were the whole file."""
    return lambda server: server.files.update({path: server.files[path][:length]})


def fail(path: str, fault: Callable[[faulty.Handler], bool], times: int = 1_000_000) -> Callable[[Server], object]:
    """Return a fault: let `fault` respond to the first `times` requests."""
    return lambda server: server.fail(path, fault, times)


def name_private_address(server: Server) -> None:
    """Put the feed's audio at a private address."""
    server.files["/feed.xml"] = faulty.write_feed(server.url, "http://10.0.0.1/a.mp3")


def go_live(server: Server) -> None:
    """Serve a stream that has not ended."""
    stream = server.files["/index.m3u8"]
    for tag in (b"#EXT-X-ENDLIST", b"#EXT-X-PLAYLIST-TYPE:VOD"):
        stream = stream.replace(tag, b"")
    server.files["/live.m3u8"] = stream


# A setting under `download:`: a single retry.
ONE_RETRY = "retries: 1"

# A setting under `download:`: the smallest limit of size.
ONE_MB = "max_megabytes: 1"

# A header that asks for a pause of a second.
SHORT_PAUSE = {"Retry-After": "1"}

# A header that asks for a pause longer than a run waits.
LONG_PAUSE = {"Retry-After": "3600"}

# A redirect to the address at which clouds serve credentials.
PRIVATE = redirect("http://169.254.169.254/x")

# 2 MB that begin like an mp3.
BIG = b"\xff\xfb" * (1 << 20)

# The source that most faults concern.
MP3 = "{url}/talk.mp3"

CASES = (
    Case("a local file", "{media}/talk.mp3"),
    Case("the URL of an mp3", MP3),
    Case("the URL of an m4a", "{url}/talk.m4a"),
    Case("the URL of a webm", "{url}/talk.webm"),
    Case("an HLS stream, without ffmpeg", "{url}/index.m3u8"),
    Case("a feed, by number", "{url}/feed.xml", "entry: 2"),
    Case("a feed, by title", "{url}/feed.xml", 'entry: "Episode 3: kites & wind"'),
    Case("a feed, by guid", "{url}/feed.xml", "entry: kite-0001"),
    Case("a page with one player", "{url}/one.html", break_server=put("/one.html", TWO.replace(b"/talk.m4a", b""))),
    Case("a page with two players, by number", "{url}/two.html", "entry: 2", break_server=put("/two.html", TWO)),
    Case("a feed, without `entry`", "{url}/feed.xml"),
    Case("a feed, by a number it lacks", "{url}/feed.xml", "entry: 9"),
    Case("a missing file", "nowhere.mp3"),
    Case("neither http nor a file", "ftp://example.org/talk.mp3"),
    Case("404", "{url}/gone.mp3"),
    Case("403", MP3, break_server=fail("/talk.mp3", respond(403))),
    Case("401", MP3, break_server=fail("/talk.mp3", respond(401))),
    Case("429 once, Retry-After: 1", MP3, show=ONE_RETRY, break_server=fail("/talk.mp3", respond(429, SHORT_PAUSE), 1)),
    Case("503, Retry-After: 3600", MP3, break_server=fail("/talk.mp3", respond(503, LONG_PAUSE))),
    Case("503, every time", MP3, show=ONE_RETRY, break_server=fail("/talk.mp3", respond(503))),
    Case("no server at the port", "http://127.0.0.1:9/talk.mp3"),
    Case("an unknown host", "http://nowhere.invalid/talk.mp3"),
    Case("https to an http server", "https://{host}/talk.mp3"),
    Case("connection lost, then 503", MP3, break_server=fail("/talk.mp3", cut_and_go_down(90_000))),
    Case("a stream with a missing fragment", "{url}/index.m3u8", break_server=fail("/index3.ts", respond(404))),
    Case("an mp3 cut off on the server", MP3, break_server=shorten("/talk.mp3", 80_000)),
    Case("an m4a cut off on the server", "{url}/talk.m4a", break_server=shorten("/talk.m4a", 80_000)),
    Case("a webm cut off on the server", "{url}/talk.webm", break_server=shorten("/talk.webm", 80_000)),
    Case("shorter than `duration`", "{url}/index.m3u8", 'duration: "1:00"'),
    Case("a web page instead of audio", MP3, break_server=put("/talk.mp3", HTML, "text/html")),
    Case("the same, declared as audio", MP3, break_server=put("/talk.mp3", HTML)),
    Case("an empty file", MP3, break_server=put("/talk.mp3", b"")),
    Case("noise instead of audio", MP3, break_server=put("/talk.mp3", b"no sound at all " * 400)),
    Case("larger than `max_megabytes`", "{url}/big.mp3", show=ONE_MB, break_server=put("/big.mp3", BIG)),
    Case("slower than `max_minutes`", MP3, show="max_minutes: 0.02", break_server=fail("/talk.mp3", faulty.trickle)),
    Case("a full disk", MP3, full_disk=True),
    Case("a redirect to a private address", "{url}/go.mp3", break_server=fail("/go.mp3", PRIVATE)),
    Case("a feed with a private address", "{url}/feed.xml", "entry: 2", break_server=name_private_address),
    Case("a redirect to a `file:` URL", "{url}/go.mp3", break_server=fail("/go.mp3", redirect("file:///etc/passwd"))),
    Case("a redirect to itself", "{url}/go.mp3", break_server=fail("/go.mp3", redirect("/go.mp3"))),
    Case("a live broadcast", "{url}/live.m3u8", break_server=go_live),
    Case("a missing cookie file", MP3, show="cookies: cookies.txt"),
)  # fmt: skip


def run_case(case: Case, media: Path) -> str:
    """Run one case in a project of its own; return its row of the table."""
    with tempfile.TemporaryDirectory() as name, faulty.serve(Server().put_folder(media)) as server:
        root = Path(name)
        server.files["/feed.xml"] = faulty.write_feed(server.url)
        case.break_server(server)
        source = case.source.format(url=server.url, media=media, host=server.url.removeprefix("http://"))
        (root / "configs" / "episodes").mkdir(parents=True)
        show = "\n  ".join(["name: Kites\ndownload:", "pause: 0", case.show or "retries: 0"])
        (root / "configs" / "show.yaml").write_text(f"{show}\n")
        settings = f"title: Kites\nfeatures: list.txt\nsource: {source}\n{case.settings}\n"
        (root / "configs" / "episodes" / "one.yaml").write_text(settings)
        code, output = (run_limited if case.full_disk else run_command)(root)
        messages = [line for line in output.splitlines() if "warning:" in line or "error:" in line] or ["(done)"]
        text = " <br> ".join(messages).replace("|", "\\|")
        for real, shown in ((server.url, "https://example.org"), (str(root), "."), (str(media), "media")):
            text = text.replace(real, shown)
        text = text.replace(server.url.removeprefix("http://"), "example.org")
        folder = root / "data" / "raw" / "one"
        files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "marks.json"]
        kept = ", ".join(f"`{re.sub('[0-9a-f]{12}', '…', path.relative_to(folder).as_posix())}`" for path in files)
        return f"| {case.name} | {text} | {code} | {kept or 'nothing'} |"


def run_command(root: Path) -> tuple[int, str]:
    """Run `catalog download one` in this process; return its exit code and stderr."""
    from pipeline.cli import app

    stderr = io.StringIO()
    with contextlib.redirect_stderr(stderr), contextlib.redirect_stdout(io.StringIO()):
        code = app(["download", "one", "--root", str(root)], standalone_mode=False)
    return int(code or 0), stderr.getvalue()


def run_limited(root: Path) -> tuple[int, str]:
    """Run it in a process that cannot write more than FILE_SIZE_LIMIT to a file: the write fails as on a full disk."""
    completed = subprocess.run(
        [sys.executable, "-m", "pipeline", "download", "one", "--root", str(root)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_SIZE_LIMIT, FILE_SIZE_LIMIT)),
    )
    return completed.returncode, completed.stderr


def make_table(media: Path) -> str:
    """Return the table as Markdown."""
    head = "| source or fault | message | exit code | files in `data/raw/one` |\n|---|---|---|---|"
    return "\n".join([head, *(run_case(case, media) for case in CASES)]) + "\n"


def fill_page(text: str, table: str) -> str:
    """Return the page with the table between its markers."""
    before, rest = text.split(MARKERS[0])
    return f"{before}{MARKERS[0]}{table}{MARKERS[1]}{rest.split(MARKERS[1])[1]}"


def measure_cuts(media: Path, seeds: int) -> None:
    """Download a file `seeds` times, each cut CUTS times at random; print how many are complete."""
    from pipeline.download.retry import FetchPolicy
    from pipeline.download.ytdlp import fetch_media

    expected = hashlib.sha256((media / "talk.mp3").read_bytes()).hexdigest()
    complete, resumed, began = 0, 0, time.monotonic()
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as name, faulty.serve(Server().put_folder(media)) as server:
            server.fail("/talk.mp3", faulty.cut_at_random(seed, CUTS))
            policy = FetchPolicy(first_wait=0.001)
            path, _ = fetch_media(f"{server.url}/talk.mp3", Path(name), policy, lambda *_: None)
            complete += hashlib.sha256(path.read_bytes()).hexdigest() == expected
            resumed += sum("Range" in headers for _, headers in server.requests)
    seconds = time.monotonic() - began
    print(
        f"{seeds} downloads, cut {CUTS} times each: {complete} with the right SHA-256, {resumed} resumed requests, "
        f"{seconds:.0f} s"
    )


def main() -> None:
    """Print or write the table, or measure cuts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--cuts", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        media = faulty.make_media(Path(name))
        if options.cuts:
            measure_cuts(media, options.cuts)
        elif options.write:
            PAGE.write_text(fill_page(PAGE.read_text(encoding="utf-8"), make_table(media)), encoding="utf-8")
        else:
            print(make_table(media), end="")


if __name__ == "__main__":
    main()
