"""What `catalog download` makes of each source and each fault: what one sees, the exit code, what is on disk then.

    python -m benchmarks.download_faults           prints the table of docs/evaluation/download.md
    python -m benchmarks.download_faults --write   puts it there
    python -m benchmarks.download_faults --cuts 20 downloads cut 30 times at random, with 20 seeds

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
MARKS = ("<!-- measured -->\n", "<!-- /measured -->")
HTML = b"<!DOCTYPE html><html><title>Sign in</title><p>Please sign in.</p></html>"
TWO = b'<html><video src="/talk.mp3"></video><video src="/talk.m4a"></video></html>'


@dataclass(frozen=True)
class Case:
    """One row: what it is, the episode's source and settings, and what is wrong with the server."""

    name: str
    source: str
    settings: str = ""
    show: str = ""
    break_server: Callable[[Server], object] = lambda _: None
    full_disk: bool = False


def put(path: str, content: bytes, kind: str = "") -> Callable[[Server], object]:
    """Serve this, said to be of this kind."""

    def change(server: Server) -> None:
        server.files[path] = content
        if kind:
            server.content_types[path] = kind

    return change


def shorten(path: str, length: int) -> Callable[[Server], object]:
    """Serve the beginning of a file, as if it were all of it."""
    return lambda server: server.files.update({path: server.files[path][:length]})


def fail(path: str, fault: Callable[[faulty.Handler], bool], times: int = 1_000_000) -> Callable[[Server], object]:
    """Answer by a fault."""
    return lambda server: server.fail(path, fault, times)


def lead_inside(server: Server) -> None:
    """Let the feed's audio lie in a private network."""
    server.files["/feed.xml"] = faulty.write_feed(server.url, "http://10.0.0.1/a.mp3")


def go_live(server: Server) -> None:
    """Serve a stream that has no end yet."""
    stream = server.files["/index.m3u8"]
    for mark in (b"#EXT-X-ENDLIST", b"#EXT-X-PLAYLIST-TYPE:VOD"):
        stream = stream.replace(mark, b"")
    server.files["/live.m3u8"] = stream


ONCE, ONE_MB = "retries: 1", "max_megabytes: 1"
LATER, MUCH_LATER = {"Retry-After": "1"}, {"Retry-After": "3600"}
INSIDE = redirect("http://169.254.169.254/x")
BIG = b"\xff\xfb" * (1 << 20)

MP3 = "{address}/talk.mp3"

CASES = (
    Case("a file of this machine", "{media}/talk.mp3"),
    Case("an mp3's address", "{address}/talk.mp3"),
    Case("an m4a's address", "{address}/talk.m4a"),
    Case("a webm's address", "{address}/talk.webm"),
    Case("an HLS stream, no ffmpeg here", "{address}/index.m3u8"),
    Case("a feed, by number", "{address}/feed.xml", "entry: 2"),
    Case("a feed, by title", "{address}/feed.xml", 'entry: "Episode 3: kites & wind"'),
    Case("a feed, by guid", "{address}/feed.xml", "entry: kite-0001"),
    Case("a page with one player", "{address}/one.html", break_server=put("/one.html", TWO.replace(b"/talk.m4a", b""))),
    Case("a page with two players, by number", "{address}/two.html", "entry: 2", break_server=put("/two.html", TWO)),
    Case("a feed, no entry named", "{address}/feed.xml"),
    Case("a feed without that entry", "{address}/feed.xml", "entry: 9"),
    Case("a file that is not there", "nowhere.mp3"),
    Case("not http, not a file", "ftp://example.org/talk.mp3"),
    Case("404", "{address}/gone.mp3"),
    Case("403", "{address}/talk.mp3", break_server=fail("/talk.mp3", respond(403))),
    Case("401", "{address}/talk.mp3", break_server=fail("/talk.mp3", respond(401))),
    Case("429 once, Retry-After: 1", MP3, show=ONCE, break_server=fail("/talk.mp3", respond(429, LATER), 1)),
    Case("503, Retry-After: 3600", "{address}/talk.mp3", break_server=fail("/talk.mp3", respond(503, MUCH_LATER))),
    Case("503, again and again", "{address}/talk.mp3", show=ONCE, break_server=fail("/talk.mp3", respond(503))),
    Case("nothing listens there", "http://127.0.0.1:9/talk.mp3"),
    Case("no such server", "http://nowhere.invalid/talk.mp3"),
    Case("https spoken to http", "https://{host}/talk.mp3"),
    Case("line cut, then server down", "{address}/talk.mp3", break_server=fail("/talk.mp3", cut_and_go_down(90_000))),
    Case("a piece of a stream missing", "{address}/index.m3u8", break_server=fail("/index3.ts", respond(404))),
    Case("mp3 cut off on the server", "{address}/talk.mp3", break_server=shorten("/talk.mp3", 80_000)),
    Case("m4a cut off on the server", "{address}/talk.m4a", break_server=shorten("/talk.m4a", 80_000)),
    Case("webm cut off on the server", "{address}/talk.webm", break_server=shorten("/talk.webm", 80_000)),
    Case("shorter than `duration`", "{address}/index.m3u8", 'duration: "1:00"'),
    Case("a web page instead of audio", "{address}/talk.mp3", break_server=put("/talk.mp3", HTML, "text/html")),
    Case("the same, said to be audio", "{address}/talk.mp3", break_server=put("/talk.mp3", HTML)),
    Case("no byte at all", "{address}/talk.mp3", break_server=put("/talk.mp3", b"")),
    Case("noise instead of audio", "{address}/talk.mp3", break_server=put("/talk.mp3", b"no sound at all " * 400)),
    Case("larger than `max_megabytes`", "{address}/big.mp3", show=ONE_MB, break_server=put("/big.mp3", BIG)),
    Case("slower than `max_minutes`", MP3, show="max_minutes: 0.02", break_server=fail("/talk.mp3", faulty.trickle)),
    Case("disk full", "{address}/talk.mp3", full_disk=True),
    Case("a redirect to a private address", "{address}/go.mp3", break_server=fail("/go.mp3", INSIDE)),
    Case("a feed that leads to one", "{address}/feed.xml", "entry: 2", break_server=lead_inside),
    Case("a redirect to a file", "{address}/go.mp3", break_server=fail("/go.mp3", redirect("file:///etc/passwd"))),
    Case("a redirect to itself", "{address}/go.mp3", break_server=fail("/go.mp3", redirect("/go.mp3"))),
    Case("a live broadcast", "{address}/live.m3u8", break_server=go_live),
    Case("cookies that are not there", "{address}/talk.mp3", show="cookies: cookies.txt"),
)  # fmt: skip


def run_case(case: Case, media: Path) -> str:
    """Run one case in a project of its own; its row of the table."""
    with tempfile.TemporaryDirectory() as name, faulty.serve(Server().put_folder(media)) as server:
        root = Path(name)
        server.files["/feed.xml"] = faulty.write_feed(server.url)
        case.break_server(server)
        source = case.source.format(address=server.url, media=media, host=server.url.removeprefix("http://"))
        (root / "configs" / "episodes").mkdir(parents=True)
        show = "\n  ".join(["name: Kites\ndownload:", "pause: 0", case.show or "retries: 0"])
        (root / "configs" / "show.yaml").write_text(f"{show}\n")
        settings = f"title: Kites\nfeatures: list.txt\nsource: {source}\n{case.settings}\n"
        (root / "configs" / "episodes" / "one.yaml").write_text(settings)
        code, said = (run_limited if case.full_disk else run_command)(root)
        seen = [line for line in said.splitlines() if "warning:" in line or "error:" in line] or ["(done)"]
        text = " <br> ".join(seen).replace("|", "\\|")
        for real, shown in ((server.url, "https://example.org"), (str(root), "."), (str(media), "media")):
            text = text.replace(real, shown)
        text = text.replace(server.url.removeprefix("http://"), "example.org")
        folder = root / "data" / "raw" / "one"
        files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "marks.json"]
        kept = ", ".join(f"`{re.sub('[0-9a-f]{12}', '…', path.relative_to(folder).as_posix())}`" for path in files)
        return f"| {case.name} | {text} | {code} | {kept or 'nothing'} |"


def run_command(root: Path) -> tuple[int, str]:
    """`catalog download one` in this process: its exit code and what it says on stderr."""
    from pipeline.cli import app

    heard = io.StringIO()
    with contextlib.redirect_stderr(heard), contextlib.redirect_stdout(io.StringIO()):
        code = app(["download", "one", "--root", str(root)], standalone_mode=False)
    return int(code or 0), heard.getvalue()


def run_limited(root: Path) -> tuple[int, str]:
    """The same where no file can become larger than 60 kB: writing fails where a full disk would make it fail."""
    ended = subprocess.run(
        [sys.executable, "-m", "pipeline", "download", "one", "--root", str(root)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)),
    )
    return ended.returncode, ended.stderr


def make_table(media: Path) -> str:
    """The whole table, as Markdown."""
    head = "| source or fault | what you see | exit code | then in `data/raw/one` |\n|---|---|---|---|"
    return "\n".join([head, *(run_case(case, media) for case in CASES)]) + "\n"


def fill_page(text: str, table: str) -> str:
    """The documentation with the table between its marks."""
    before, rest = text.split(MARKS[0])
    return f"{before}{MARKS[0]}{table}{MARKS[1]}{rest.split(MARKS[1])[1]}"


def measure_cuts(media: Path, seeds: int) -> None:
    """Print how downloads end that are cut 30 times at random."""
    from pipeline.download.retry import FetchPolicy
    from pipeline.download.ytdlp import fetch_media

    right = hashlib.sha256((media / "talk.mp3").read_bytes()).hexdigest()
    ended, asked, began = 0, 0, time.monotonic()
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as name, faulty.serve(Server().put_folder(media)) as server:
            server.fail("/talk.mp3", faulty.cut_at_random(seed, 30))
            policy = FetchPolicy(first_wait=0.001)
            path, _ = fetch_media(f"{server.url}/talk.mp3", Path(name), policy, lambda *_: None)
            ended += hashlib.sha256(path.read_bytes()).hexdigest() == right
            asked += sum("Range" in headers for _, headers in server.requests)
    seconds = time.monotonic() - began
    print(
        f"{seeds} downloads, cut 30 times each: {ended} of the right SHA-256, {asked} resumed requests, {seconds:.0f} s"
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
