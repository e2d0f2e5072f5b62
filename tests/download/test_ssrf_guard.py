"""Connections go to the public internet or where a person pointed; what may pass is tried again, ever more slowly."""

import socket
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.download.http import fetch_document
from pipeline.download.retry import FetchPolicy, TransientError, parse_retry_after, rate_limit, retry_transient
from pipeline.download.ssrf_guard import block_private_addresses, has_private_host, is_private
from tests.support.faulty_server import Server, redirect, respond, serve

QUICK = FetchPolicy(retries=2, first_wait=0.01)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "::",
    ],
)  # fmt: skip
def test_an_address_of_no_public_network_is_private(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_an_address_of_the_public_internet_is_not(address: str) -> None:
    assert not is_private(address)


@given(st.ip_addresses())
def test_every_address_is_one_or_the_other(address: object) -> None:
    assert is_private(str(address)) in (True, False)


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("http://127.0.0.1:80/a", True),
        ("http://localhost/a", True),
        ("https://[::1]/a", True),
        ("https://example.org/a", False),
        ("not an address", False),
        ("http://[bad", False),
    ],
)
def test_a_host_that_is_private_by_its_name_is_known(url: str, private: bool) -> None:
    assert has_private_host(url) is private


def test_a_redirect_to_a_private_address_is_refused_before_anything_is_sent() -> None:
    inner, outer = Server(files={"/secret": b"hush"}), Server()
    with serve(inner), serve(outer):
        outer.fail("/go", redirect(f"{inner.url}/secret"))
        with pytest.raises(InputError, match=r"leads to the private address 127\.0\.0\.1, which is refused"):
            fetch_document(f"{outer.url}/go", policy=QUICK)
        assert inner.requests == []
        fetched = fetch_document(f"{outer.url}/go", policy=FetchPolicy(allow_private=True))
    assert fetched is not None
    assert fetched.content == b"hush"


def test_a_name_that_stands_for_a_private_address_is_refused_too() -> None:
    with serve(Server(files={"/a": b"x"})) as server:
        port = server.url.rpartition(":")[2]
        with pytest.raises(InputError, match="private address"), block_private_addresses("https://example.org/", QUICK):
            requests.get(f"http://localhost:{port}/a", timeout=5)
        assert server.requests == []


def test_every_library_is_held_to_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as inner:
        with pytest.raises(InputError, match="private address"), block_private_addresses("https://example.org/", QUICK):
            socket.create_connection(inner.getsockname(), timeout=5)
        with socket.create_connection(inner.getsockname(), timeout=5):
            pass  # and outside of the block to nothing


def test_a_proxy_of_the_environment_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://localhost:{proxy.getsockname()[1]}")
        with (
            block_private_addresses("http://example.org/", QUICK),
            socket.create_connection(proxy.getsockname(), timeout=5),
        ):
            pass


def test_what_passes_is_tried_again() -> None:
    told: list[str] = []
    with serve(Server(files={"/list.txt": b"Sort by date"})) as server:
        server.fail("/list.txt", respond(503), times=2)
        policy = FetchPolicy(retries=2, first_wait=0.01, on_wait=told.append)
        assert fetch_document(f"{server.url}/list.txt", policy=policy) is not None
    assert server.request_counts["/list.txt"] == 3
    assert [message.rpartition("; ")[2] for message in told] == ["trying again in 0 s"] * 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_what_stays_so_is_asked_for_once(status: int) -> None:
    with serve(Server()) as server:
        server.fail("/list.txt", respond(status))
        with pytest.raises(InputError, match=f"answers {status}"):
            fetch_document(f"{server.url}/list.txt", policy=QUICK)
    assert server.request_counts["/list.txt"] == 1


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were asked for, in seconds; none of them is made."""
    asked: list[float] = []
    monkeypatch.setattr("pipeline.download.retry.time.sleep", asked.append)
    return asked


def test_a_server_that_names_its_wait_is_given_it(waits: list[float]) -> None:
    with serve(Server(files={"/list.txt": b"Sort by date"})) as server:
        server.fail("/list.txt", respond(429, {"Retry-After": "17"}), times=1)
        fetch_document(f"{server.url}/list.txt", policy=QUICK)
    assert waits == [17.0]


def test_a_wait_that_is_too_long_is_left_to_the_next_run() -> None:
    with serve(Server()) as server:
        server.fail("/list.txt", respond(503, {"Retry-After": "3600"}))
        with pytest.raises(InputError, match="asks to be left alone for 60 minutes"):
            fetch_document(f"{server.url}/list.txt", policy=QUICK)
    assert server.request_counts["/list.txt"] == 1


def test_only_attempts_that_bring_nothing_count() -> None:
    done = [0.0]

    def attempt() -> str:
        done[0] += 1
        if done[0] < 20:
            raise TransientError("cut")
        return "whole"

    assert retry_transient(attempt, FetchPolicy(retries=1, first_wait=0.001), progress=lambda: done[0]) == "whole"
    with pytest.raises(TransientError, match="cut"):
        retry_transient(attempt_nothing, FetchPolicy(retries=3, first_wait=0.001), progress=lambda: 5.0)


def attempt_nothing() -> None:
    raise TransientError("cut")


def test_pauses_grow(waits: list[float]) -> None:
    with pytest.raises(TransientError):
        retry_transient(attempt_nothing, FetchPolicy(retries=8, first_wait=1.0))
    assert len(waits) == 8
    for number, wait in enumerate(waits):
        assert min(60.0, 2.0**number) <= wait <= min(60.0, 1.3 * 2.0**number)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("12", 12.0),
        (" 7 ", 7.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 60.0),
        ("Thu, 01 Jan 1970 00:00:10 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("1e99", None),
        ("", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, now=40.0) == seconds


@given(st.text())
def test_no_retry_after_brings_us_down(value: str) -> None:
    parsed = parse_retry_after(value)
    assert parsed is None or parsed >= 0


@pytest.mark.parametrize(("later", "pause"), [(0.5, 4.5), (4.0, 1.0), (60.0, 0.0), (-3600.0, 5.0)])
def test_episodes_are_fetched_with_a_pause_between_whatever_the_clock_says(
    tmp_path: Path, waits: list[float], monkeypatch: pytest.MonkeyPatch, later: float, pause: float
) -> None:
    stamp = tmp_path / "last-download"
    monkeypatch.setattr("pipeline.download.retry.time.time", lambda: stamp.stat().st_mtime + later)
    for _ in range(2):
        with rate_limit(tmp_path, 5.0):
            pass
    assert waits == [0.0, pytest.approx(pause)]
