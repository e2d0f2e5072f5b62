"""How we behave on the network: whom we may connect to, how long we try, and how long we wait before trying again."""

import errno
import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from pipeline.core.errors import InputError
from pipeline.core.urls import redact_url
from pipeline.download.retry import FetchPolicy


@dataclass
class _Guard:
    """Whom the work of the moment may connect to, and whom it was kept from."""

    trusted: frozenset[tuple[str, int]]
    allow_private: bool = False
    refused: list[str] = field(default_factory=list)


# What yt-dlp may start: the runtimes for YouTube's scripts. Its other helpers (rtmpdump, ffmpeg, mpv) would connect to
# whatever a page tells them, past our eyes.
_RUNTIMES = frozenset({"deno", "node", "bun", "qjs", "quickjs"})


class _PrivateAddressError(Exception):
    """Not an OSError, so that no library takes it for a line that is down and tries another way."""


_guard: ContextVar[_Guard | None] = ContextVar("guard", default=None)
_watching = False


@contextmanager
def block_private_addresses(url: str, policy: FetchPolicy) -> Iterator[None]:
    """Refuse connections to private addresses while the block runs, wherever redirects, feeds or playlists lead.

    Connections are judged by the address they really go to, whichever library makes them, so no name and no DNS answer
    gets around it. Where a person named a private address outright, its own host and port stay open.
    Proxies of the environment stay open, too. InputError names what was refused. No program but a JavaScript runtime
    is started, since nobody could watch whom it connects to.
    """
    named = policy.user_url or url
    _watch_connections()
    guard = _Guard(frozenset([_named_host(named), *_find_proxies()]), policy.allow_private)
    token = _guard.set(guard)
    try:
        yield
    except Exception as error:
        if guard.refused:
            raise InputError(
                f"{redact_url(named)} leads to the private address {guard.refused[0]}, which is refused: if that "
                "is meant, set `allow_private_addresses: true` under `download:` in configs/show.yaml"
            ) from error
        raise
    finally:
        _guard.reset(token)


def is_private(address: str) -> bool:
    """Tell whether an IP address is anything but one of the public internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    # An IPv4 address can be dressed as an IPv6 one in three ways that lead anywhere.
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_private(str(inner))
        # Public addresses are given out of this block alone (RFC 4291); elsewhere are older dresses, and sites' own.
        if ip not in ipaddress.ip_network("2000::/3"):
            return True
    return not ip.is_global or ip.is_multicast


def has_private_host(url: str) -> bool:
    """Tell whether an address names a private host outright, as a number or as this machine."""
    host, _ = _named_host(url)
    try:
        return host == "localhost" or is_private(host)
    except ValueError:
        return False


def _named_host(url: str) -> tuple[str, int]:
    """The host and port that an address or a proxy names."""
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        return (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    except ValueError:
        return ("", 0)


def _find_proxies() -> Iterator[tuple[str, int]]:
    """The proxies of the environment, by the addresses their names stand for."""
    for host, port in map(_named_host, getproxies().values()):
        with suppress(OSError):
            yield from ((str(found[4][0]), port) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def _watch_connections() -> None:
    """Look at what this process is about to do on the network: Python's audit hooks see that of every library."""
    global _watching
    if not _watching:
        sys.addaudithook(_judge)
        _watching = True


def _judge(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in {"socket.connect", "subprocess.Popen"} or (guard := _guard.get()) is None:
        return
    if event == "subprocess.Popen":
        program = str(arguments[0] or arguments[1][0])
        if Path(program).name not in _RUNTIMES:
            # As if it were not installed, which every library is prepared for.
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)
    elif not guard.allow_private:
        _judge_connection(guard, *arguments)


def _judge_connection(guard: _Guard, connected: Any, address: Any) -> None:
    if connected.family not in (socket.AF_INET, socket.AF_INET6):
        return
    host, port = str(address[0]), int(address[1])
    try:
        private = is_private(host)
    except ValueError:  # a name: the system resolves it inside connect, so that it could be any
        private = True
    if private and not any(port == known and _is_same_host(host, name) for name, known in guard.trusted):
        guard.refused.append(host)
        connected.close()  # its owner expects an OSError, if any, and would leave it open
        raise _PrivateAddressError(host)


def _is_same_host(host: str, name: str) -> bool:
    """Tell whether a trusted name is this very address: written out as such, or this machine's own name."""
    return name == host or (name == "localhost" and ipaddress.ip_address(host.partition("%")[0]).is_loopback)
