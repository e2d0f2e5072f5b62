"""Documents over HTTP: conditional requests, limits, and one line for every failure."""

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress

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
        (respond(503), "answers 503 Service Unavailable: try again later"),
        (redirect("/faulty"), "redirects more than 5 times"),
        (send(b"x" * 4096, length=1 << 40), "cannot be fetched"),
        (send(b"y" * (1 << 16), length=None, times=400), "larger than 16 MB"),
        (send(b"z" * 10, length=1000), "cannot be fetched"),
        (respond(200), "is empty"),
    ],
    ids=["gone", "down", "loop", "huge", "stream", "short", "empty"],
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


@pytest.mark.parametrize("url", ["ftp://example.org/a", "file:///etc/passwd", "gopher://x"])
def test_only_web_urls_are_fetched(url: str) -> None:
    with pytest.raises(InputError, match="is not an http"):
        fetch_document(url)
