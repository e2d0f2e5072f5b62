"""Lists from addresses: politely, within limits, and only what is new; every fault is one plain line."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.download import http as fetch
from pipeline.download.feature_lists import find_revision, refresh_revision
from pipeline.download.http import Fetched, fetch_document
from pipeline.download.retry import FetchPolicy

PAGE = b"<html><body><p>A page</p></body></html>"


class Handler(BaseHTTPRequestHandler):
    """Answers by path; remembers what it was asked."""

    asked: list[tuple[str, dict[str, str]]]
    body: bytes

    def do_GET(self) -> None:
        self.asked.append((self.path, dict(self.headers)))
        match self.path.strip("/").split("?")[0]:
            case "loop":
                self.send_response(302)
                self.send_header("Location", "/loop")
                self.send_header("Content-Length", "0")
                self.end_headers()
            case "moved":
                self.send_response(301)
                self.send_header("Location", "/list.txt")
                self.send_header("Content-Length", "0")
                self.end_headers()
            case "down":
                self.send_error(503)
            case "huge":
                self._send(b"x" * 4096, length=1 << 40)
            case "stream":
                self._send(b"y" * (1 << 16), length=None, times=400)
            case "short":
                self._send(b"z" * 10, length=1000)
            case "empty":
                self._send(b"")
            case "gone":
                self.send_error(404)
            case _:
                self._send_list()

    def _send_list(self) -> None:
        etag = f'"{hash(self.server.body)}"'  # type: ignore[attr-defined]
        if self.headers.get("If-None-Match") == etag:
            self.send_response(304)
            self.end_headers()
            return
        self._send(self.server.body, etag=etag)  # type: ignore[attr-defined]

    def _send(self, body: bytes, *, length: int | None = -1, times: int = 1, etag: str | None = None) -> None:
        self.send_response(200)
        kind = "text/html; charset=utf-8" if body == PAGE else "text/plain"
        self.send_header("Content-Type", kind)
        if etag:
            self.send_header("ETag", etag)
        if length is not None:
            self.send_header("Content-Length", str(len(body) if length == -1 else length))
        self.end_headers()
        try:
            for _ in range(times):
                self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    handler = type("Asked", (Handler,), {"asked": []})
    running = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    running.body = b"Sort by date | v4.10 #500111\n"  # type: ignore[attr-defined]
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture
def address(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


def asked(server: ThreadingHTTPServer) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = server.RequestHandlerClass.asked  # type: ignore[attr-defined]
    return found


def test_a_document_comes_with_the_ending_of_its_type(server: ThreadingHTTPServer, address: str) -> None:
    fetched = fetch_document(f"{address}/list.txt")
    assert isinstance(fetched, Fetched)
    assert (fetched.content, fetched.suffix) == (b"Sort by date | v4.10 #500111\n", ".txt")
    assert asked(server)[0][1]["User-Agent"].startswith("episode-catalog/")
    server.body = PAGE  # type: ignore[attr-defined]
    page = fetch_document(f"{address}/list")
    assert page is not None
    assert page.suffix == ".html"


def test_what_did_not_change_is_not_sent_again(address: str) -> None:
    first = fetch_document(f"{address}/list.txt")
    assert first is not None
    assert fetch_document(f"{address}/list.txt", etag=first.etag) is None


def test_a_redirect_is_followed(address: str) -> None:
    fetched = fetch_document(f"{address}/moved")
    assert fetched is not None
    assert fetched.content.startswith(b"Sort")


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("gone", "answers 404 Not Found: check the address"),
        ("down", "answers 503"),
        ("loop", "redirects more than 5 times"),
        ("huge", "cannot be fetched"),
        ("stream", "larger than 16 MB"),
        ("short", "cannot be fetched"),
        ("empty", "is empty"),
    ],
)
def test_a_fault_is_one_line_that_names_the_address(address: str, path: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as raised:
        fetch_document(f"{address}/{path}?token=hush", policy=FetchPolicy(retries=0))
    assert f"{address}/{path}?token=***" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_TIMEOUTS", (0.5, 0.5))
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(InputError, match="does not answer in time"):
        fetch_document(f"http://127.0.0.1:{silent.getsockname()[1]}/", policy=FetchPolicy(retries=0))


@pytest.mark.parametrize("url", ["ftp://example.org/a", "file:///etc/passwd", "gopher://x"])
def test_only_web_addresses_are_fetched(url: str) -> None:
    with pytest.raises(InputError, match="is not an http"):
        fetch_document(url)


def test_every_revision_is_kept_as_it_came(tmp_path: Path, server: ThreadingHTTPServer, address: str) -> None:
    url = f"{address}/list.txt"
    assert find_revision(url, tmp_path) is None
    first = refresh_revision(url, tmp_path)
    assert refresh_revision(url, tmp_path) == first
    server.body = b"Sort by date | v4.10 #500111 | 0:11\n"  # type: ignore[attr-defined]
    second = refresh_revision(url, tmp_path)
    assert find_revision(url, tmp_path) == second
    assert {path.read_bytes() for path in (first, second)} == {
        b"Sort by date | v4.10 #500111\n",
        b"Sort by date | v4.10 #500111 | 0:11\n",
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([first.name, second.name, "latest.json"])


def test_another_address_is_fetched_anew(tmp_path: Path, address: str) -> None:
    refresh_revision(f"{address}/list.txt", tmp_path)
    assert find_revision(f"{address}/other.txt", tmp_path) is None


def test_a_failed_refresh_leaves_the_revision_of_before(tmp_path: Path, address: str) -> None:
    kept = refresh_revision(f"{address}/list.txt", tmp_path)
    with pytest.raises(InputError):
        refresh_revision(f"{address}/gone", tmp_path)
    assert find_revision(f"{address}/list.txt", tmp_path) == kept
