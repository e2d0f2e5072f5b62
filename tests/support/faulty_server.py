"""A web server on 127.0.0.1 for media, feeds and playlists, with faults on demand."""

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np

# Samples a second.
RATE = 48_000

# The codec, container and options of each media file, by its name.
FORMATS = {
    "talk.mp3": ("libmp3lame", "mp3", {}),
    "talk.m4a": ("aac", "ipod", {"movflags": "faststart"}),
    "talk.webm": ("libopus", "webm", {}),
    "index.m3u8": ("aac", "hls", {"hls_time": "4", "hls_list_size": "0", "hls_playlist_type": "vod"}),
}

# The content type of a file, by its suffix.
CONTENT_TYPES = {
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".webm": "audio/webm",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".ts": "video/mp2t",
    ".xml": "application/rss+xml",
    ".html": "text/html; charset=utf-8",
    ".vtt": "text/vtt",
    ".txt": "text/plain",
}


def write_tone(path: Path, name: str, seconds: float, *, pitch: float = 220.0) -> Path:
    """Write `seconds` of a tone of varying pitch, with noise, in the format FORMATS[name]."""
    codec, container, options = FORMATS[name]
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format=container, options=options) as out:
        stream: Any = out.add_stream(codec, rate=RATE, layout="mono")
        stream.bit_rate = 64_000
        context = stream.codec_context
        if codec == "libmp3lame":
            context.format = "fltp"
        at, noise = 0, np.random.default_rng(7)
        while at < seconds * RATE:
            size = context.frame_size or 1024
            moment = (at + np.arange(size)) / RATE
            wave = 0.3 * np.sin(2 * np.pi * pitch * moment + 3 * np.sin(moment)) + 0.05 * noise.standard_normal(size)
            planar = context.format.name.endswith("p") or context.format.name == "flt"
            samples = wave.astype(np.float32) if planar else (wave * 32_000).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples[None, :], format=context.format.name, layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
            out.mux(stream.encode(frame))
            at += size
        out.mux(stream.encode(None))
    return path


def make_media(folder: Path, seconds: float = 20.0) -> Path:
    """Write the same tone as mp3, m4a, webm and HLS into `folder`."""
    for name in FORMATS:
        write_tone(folder / name, name, seconds)
    return folder


# Seconds that `trickle` takes if the client does not leave.
TRICKLE_S = 20.0

# Seconds between two bytes of `trickle`.
TRICKLE_PAUSE_S = 0.05


@dataclass
class Server:
    """The files of a server, its requests and its faults.

    Attributes:
        files: the content under each path.
        content_types: the content type under a path, where it differs from that of the suffix.
        faults: under each path, a function that responds in place of the server, or returns False.
        request_counts: how often each path was requested.
        requests: the path and headers of each request.
        ranges: whether the server supports range requests.
        etags: the ETag under a path.
        url: of the running server, without a final slash.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    content_types: dict[str, str] = field(default_factory=dict)
    faults: dict[str, Callable[["Handler"], bool]] = field(default_factory=dict)
    request_counts: Counter[str] = field(default_factory=Counter)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    ranges: bool = True
    etags: dict[str, str] = field(default_factory=dict)
    url: str = ""

    def put(self, path: str, content: bytes, content_type: str) -> None:
        """Serve content under a path."""
        self.files[path] = content
        self.content_types[path] = content_type

    def put_folder(self, folder: Path) -> "Server":
        """Serve the files of a folder under their names."""
        self.files |= {f"/{path.name}": path.read_bytes() for path in folder.iterdir() if path.is_file()}
        return self

    def fail(self, path: str, fault: Callable[["Handler"], bool], times: int = 1_000_000) -> None:
        """Let `fault` respond to the first `times` requests for a path; where it returns False the file follows."""
        left = [times]

        def limited(handler: "Handler") -> bool:
            left[0] -= 1
            return left[0] >= 0 and fault(handler)

        self.faults[path] = limited


class Handler(BaseHTTPRequestHandler):
    """Responds with whole files, ranges of them, and 304 to a matching If-None-Match."""

    server_state: Server
    timeout = 20

    def do_HEAD(self) -> None:
        self._respond(with_body=False)

    def do_GET(self) -> None:
        self._respond(with_body=True)

    def _respond(self, *, with_body: bool) -> None:
        state, path = self.server_state, self.path.split("?")[0]
        state.request_counts[path] += 1
        state.requests.append((self.path, dict(self.headers)))
        fault = state.faults.get(path)
        if fault is not None and fault(self):
            return
        if path not in state.files:
            self.send_error(404)
            return
        self.send_file(path, with_body=with_body)

    def send_file(self, path: str, *, with_body: bool = True, cut: int | None = None) -> None:
        """Send a file, or the requested range; after `cut` bytes of it the connection closes."""
        state = self.server_state
        content = state.files[path]
        if path in state.etags and self.headers.get("If-None-Match") == state.etags[path]:
            self.send_response(304)
            self.end_headers()
            return
        requested = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")) if state.ranges else None
        first = int(requested[1]) if requested else 0
        if requested and first >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        last = min(int(requested[2]), len(content) - 1) if requested and requested[2] else len(content) - 1
        self.send_response(206 if requested else 200)
        self.send_header(
            "Content-Type",
            state.content_types.get(path) or CONTENT_TYPES.get(Path(path).suffix, "application/octet-stream"),
        )
        self.send_header("Content-Length", str(last + 1 - first))
        if state.ranges:
            self.send_header("Accept-Ranges", "bytes")
        if path in state.etags:
            self.send_header("ETag", state.etags[path])
        if requested:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.end_headers()
        if with_body:
            body = content[first : last + 1]
            with suppress(OSError):  # the client may close the connection first
                self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def respond(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Callable[[Handler], bool]:
    """A fault: respond with this status, these headers and this body."""

    def fault(handler: Handler) -> bool:
        handler.send_response(status)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
        return True

    return fault


def redirect(target: str) -> Callable[[Handler], bool]:
    """A fault: redirect."""
    return respond(302, {"Location": target})


def cut_at_random(seed: int, times: int, smallest: int = 200, largest: int = 4_000) -> Callable[[Handler], bool]:
    """A fault: close the connection after a random number of bytes, `times` times; then send the whole file."""
    random_source, left = random.Random(seed), [times]

    def fault(handler: Handler) -> bool:
        if left[0] <= 0 or handler.command == "HEAD":
            return False
        # yt-dlp's first request reads the beginning only: count the ones that continue a download.
        left[0] -= "Range" in handler.headers
        handler.send_file(handler.path.split("?")[0], cut=random_source.randint(smallest, largest))
        return True

    return fault


def cut(length: int) -> Callable[[Handler], bool]:
    """A fault: close the connection after `length` bytes."""

    def fault(handler: Handler) -> bool:
        handler.send_file(handler.path.split("?")[0], cut=length)
        return True

    return fault


def cut_and_go_down(length: int) -> Callable[[Handler], bool]:
    """A fault: close the connection after `length` bytes of a download, and respond 503 from then on."""
    cuts: list[Handler] = []

    def fault(handler: Handler) -> bool:
        # yt-dlp's first request reads the beginning only.
        if len(cuts) >= 2:
            return respond(503)(handler)
        cuts.append(handler)
        handler.send_file(handler.path.split("?")[0], cut=length)
        return True

    return fault


def trickle(handler: Handler) -> bool:
    """A fault: send a byte every TRICKLE_PAUSE_S, for at most TRICKLE_S."""
    handler.send_response(200)
    handler.send_header("Content-Type", "audio/mpeg")
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    with suppress(OSError):
        for _ in range(round(TRICKLE_S / TRICKLE_PAUSE_S)):
            handler.wfile.write(b"x")
            time.sleep(TRICKLE_PAUSE_S)
    return True


def stall(handler: Handler) -> bool:
    """A fault: send headers only, then nothing until the client closes the connection."""
    handler.send_response(200)
    handler.send_header("Content-Type", "audio/mpeg")
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.flush()
    handler.rfile.read(1)  # ends when the client closes the connection, or after the handler's timeout
    return True


@contextmanager
def serve(state: Server) -> Iterator[Server]:
    """Serve on a free port of 127.0.0.1 while the block runs."""
    handler = type("Handler", (Handler,), {"server_state": state})
    running = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    running.daemon_threads = True
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{running.server_address[1]}"
    try:
        yield state
    finally:
        running.shutdown()
        running.server_close()
        thread.join()


# An RSS feed; `items` are ITEMs.
FEED = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"
 xmlns:podcast="https://podcastindex.org/namespace/1.0" xmlns:psc="http://podlove.org/simple-chapters">
<channel><title>The Kite Show</title>{items}</channel></rss>"""

# An entry of a feed.
ITEM = """<item><title>{title}</title><guid isPermaLink="false">{guid}</guid>{number}
<pubDate>{date}</pubDate><itunes:duration>{duration}</itunes:duration><link>{page}</link>
<description>{description}</description>
<psc:chapters version="1.2"><psc:chapter start="0:05" title="Sorting"/></psc:chapters>
<podcast:transcript url="{captions}" type="text/vtt"/>
<enclosure url="{audio}" type="audio/mpeg" length="1"/></item>"""


def write_feed(url: str, audio: str = "/talk.mp3", *, numbered: bool = True, count: int = 3) -> bytes:
    """Return a feed of `count` episodes, the newest first, all with the same audio."""
    items = [
        ITEM.format(
            title=f"Episode {n}: kites &amp; wind",
            guid=f"kite-{n:04}",
            number=f"<itunes:episode>{n}</itunes:episode>" if numbered else "",
            date=f"Mon, {n + 1:02} Nov 2026 10:00:00 +0000",
            duration="0:20",
            page=f"{url}/page-{n}.html",
            description="Notes.&#10;0:05 Sorting&#10;Dark theme - 0:11",
            captions=f"{url}/talk.vtt",
            audio=audio if "://" in audio else f"{url}{audio}?episode={n}",
        )
        for n in range(count, 0, -1)
    ]
    return FEED.format(items="".join(items)).encode()
