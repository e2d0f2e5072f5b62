"""Connections to private addresses are refused, unless the user named the host."""

import socket

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.download.http import fetch_document
from pipeline.download.retry import FetchPolicy
from pipeline.download.ssrf_guard import guard_connections, has_private_host, is_private
from tests.support.faulty_server import Server, redirect, serve

QUICK = FetchPolicy(retries=2, first_wait=0.01)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "::",
    ],
)  # fmt: skip
def test_private_address_is_recognized(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_public_address_is_recognized(address: str) -> None:
    assert not is_private(address)


@given(st.ip_addresses())
def test_every_address_is_classified(address: object) -> None:
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
def test_private_host_in_url_is_recognized(url: str, private: bool) -> None:
    assert has_private_host(url) is private


def test_redirect_to_private_address_is_refused() -> None:
    inner, outer = Server(files={"/secret": b"hush"}), Server()
    with serve(inner), serve(outer):
        outer.fail("/go", redirect(f"{inner.url}/secret"))
        with pytest.raises(InputError, match=r"leads to the private address 127\.0\.0\.1, which is refused"):
            fetch_document(f"{outer.url}/go", policy=QUICK)
        assert inner.requests == []
        fetched = fetch_document(f"{outer.url}/go", policy=FetchPolicy(allow_private=True))
    assert fetched is not None
    assert fetched.content == b"hush"


def test_host_name_of_private_address_is_refused() -> None:
    with serve(Server(files={"/a": b"x"})) as server:
        port = server.url.rpartition(":")[2]
        with pytest.raises(InputError, match="private address"), guard_connections("https://example.org/", QUICK):
            requests.get(f"http://localhost:{port}/a", timeout=5)
        assert server.requests == []


def test_guard_covers_every_library() -> None:
    with socket.create_server(("127.0.0.1", 0)) as inner:
        with pytest.raises(InputError, match="private address"), guard_connections("https://example.org/", QUICK):
            socket.create_connection(inner.getsockname(), timeout=5)
        with socket.create_connection(inner.getsockname(), timeout=5):
            pass  # the guard ends with the block


def test_proxy_of_the_environment_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://localhost:{proxy.getsockname()[1]}")
        with (
            guard_connections("http://example.org/", QUICK),
            socket.create_connection(proxy.getsockname(), timeout=5),
        ):
            pass
