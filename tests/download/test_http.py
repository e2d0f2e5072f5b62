"""Documents over HTTP: conditional requests, limits, and one line for every failure."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.download import http
from pipeline.download.http import fetch_document
from pipeline.download.retry import FetchPolicy
from tests.support.faulty_server import Handler, Server, redirect, respond, serve

LIST = b"Sort by date | v4.10 #500111\n"
ONCE = FetchPolicy(retries=0)


def send(body: bytes, *, length: int | None, times: int = 1) -> Callable[[Handler], bool]:
    """A fault: the body, `times` times, after a Content-Length that need not be its own."""

    def fault(handler: Handler) -> bool:
        handler.send_response(200)
        if length is not None:
            handler.send_header("Content-Length", str(length))
        handler.end_headers()
        with suppress(OSError):  # the client may close the connection first
            for _ in range(times):
                handler.wfile.write(body)
        return True

    return fault


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server(files={"/list.txt": LIST}, etags={"/list.txt": '"first"'})
    with serve(state):
        yield state


def test_document_comes_with_type_and_validators(server: Server) -> None:
    server.content_types["/list.txt"] = "text/html; charset=utf-8"
    fetched = fetch_document(f"{server.url}/list.txt")
    assert fetched is not None
    assert (fetched.content, fetched.content_type, fetched.etag) == (LIST, "text/html", '"first"')
    assert server.requests[0][1]["User-Agent"].startswith("episode-catalog/")


def test_unchanged_document_is_not_sent_again(server: Server) -> None:
    assert fetch_document(f"{server.url}/list.txt", etag='"first"') is None
    assert fetch_document(f"{server.url}/list.txt", etag='"other"') is not None


def test_redirect_is_followed(server: Server) -> None:
    server.fail("/moved", redirect("/list.txt"))
    fetched = fetch_document(f"{server.url}/moved")
    assert fetched is not None
    assert fetched.content == LIST


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (respond(404), "answers 404 Not Found: check the URL"),
        (respond(206, {"Content-Range": "bytes 0-3/90"}, b"Sort"), "answers 206 Partial Content: check the URL"),
        (respond(503), "answers 503 Service Unavailable: try again later"),
        (redirect("/faulty"), "redirects more than 5 times"),
        (send(b"x" * 4096, length=1 << 40), "cannot be fetched"),
        (send(b"y" * (1 << 16), length=None, times=400), "larger than 16 MB"),
        (send(b"z" * 10, length=1000), "cannot be fetched"),
        (respond(200), "is empty"),
    ],
    ids=["gone", "part", "down", "loop", "huge", "stream", "short", "empty"],
)
def test_failure_is_one_line_with_the_url(server: Server, fault: Callable[[Handler], bool], message: str) -> None:
    server.fail("/faulty", fault)
    with pytest.raises(InputError, match=message) as raised:
        fetch_document(f"{server.url}/faulty?token=hush", policy=ONCE)
    assert f"{server.url}/faulty?token=***" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_silent_server_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "READ_TIMEOUT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(InputError, match="does not answer in time"):
        fetch_document(f"http://127.0.0.1:{silent.getsockname()[1]}/", policy=ONCE)


def test_slow_document_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_SECONDS", -1.0)
    with pytest.raises(InputError, match="takes longer than"):
        fetch_document(f"{server.url}/list.txt", policy=ONCE)


@contextmanager
def dripping(beginning: bytes, drop: bytes) -> Iterator[str]:
    """Serve the URL of a server that answers with `beginning`, then sends `drop` twenty times a second, for 20 s."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def answer() -> None:
        with suppress(OSError):
            while not ended.is_set():
                connection, _ = listener.accept()
                threading.Thread(target=drip, args=(connection,), daemon=True).start()

    def drip(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(4096)
            connection.sendall(beginning)
            for _ in range(400):
                if ended.wait(0.05):
                    return
                connection.sendall(drop)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


OK = b"HTTP/1.1 200 OK\r\n"
DRIPS = {
    "status": (b"", b"H"),
    "headers": (OK, b"X-Mark: y\r\n"),
    "one header": (OK + b"X-Long: ", b"a"),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (OK + b"Content-Length: 100000\r\n\r\n", b"x"),
    "body without length": (OK + b"\r\n", b"x"),
    "chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "chunk extension": (OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"a"),
    "body of a redirect": (b"HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 9999\r\n\r\n", b"x"),
}


@pytest.mark.parametrize("part", DRIPS)
def test_time_limits_the_whole_exchange(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    monkeypatch.setattr(http, "MAX_SECONDS", 0.6)
    began = time.monotonic()
    with dripping(*DRIPS[part]) as url, pytest.raises(InputError, match="takes longer than 1 s"):
        fetch_document(url)
    assert time.monotonic() - began < 8


def test_only_credentials_of_the_url_are_sent(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login anna password secret\nmachine localhost login anna password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    port = server.url.rpartition(":")[2]
    server.fail("/moved", redirect(f"http://localhost:{port}/list.txt"))
    fetch_document(f"{server.url}/list.txt")
    fetch_document(f"{server.url}/moved", policy=FetchPolicy(allow_private=True))
    fetch_document(f"http://me:mine@127.0.0.1:{port}/list.txt")
    sent = [headers.get("Authorization") for _, headers in server.requests]
    assert sent == [None, None, None, "Basic bWU6bWluZQ=="]


@pytest.mark.parametrize(
    "url",
    ["http://[::1", "http://[::1/x", f"http://{'a' * 70}.invalid/", "http://a..b.invalid/", "http://127.0.0.1:99999/"],
)
def test_impossible_url_is_one_line(server: Server, url: str) -> None:
    server.fail("/moved", redirect(url))
    for wanted in (url, f"{server.url}/moved"):
        with pytest.raises(InputError) as raised:
            fetch_document(wanted, policy=FetchPolicy(retries=0, allow_private=True))
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("url", ["ftp://example.org/a", "file:///etc/passwd", "gopher://x"])
def test_only_web_urls_are_fetched(url: str) -> None:
    with pytest.raises(InputError, match="is not an http"):
        fetch_document(url)
