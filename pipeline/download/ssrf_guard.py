"""Guard the connections of a fetch: none leads into a private network (SSRF), and all end at a deadline.

A server can send its status, its headers, `100 Continue` or the body a byte at a time, for days. A limit on the wait
for the next byte does not end that. At the deadline all connections are shut down, whatever they wait for.
"""

import errno
import ipaddress
import os
import socket
import sys
import threading
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

# The only programs that yt-dlp may start: the runtimes for YouTube's scripts. Its other helpers (rtmpdump, ffmpeg, mpv)
# would connect to any address that a page names, unseen by the audit hook.
_RUNTIMES = frozenset({"deno", "node", "bun", "qjs", "quickjs"})

# IPv6 addresses that embed an IPv4 one for translation (NAT64, RFC 6052).
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

# The only block that public IPv6 addresses come from (RFC 4291).
_IPV6_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")


# Seconds; the longest limit that a timer can keep, three years.
MAX_TIMER_S = 1e8


@dataclass
class _Guard:
    """The hosts and ports that the current block may reach though private, and the private addresses it tried."""

    trusted: frozenset[tuple[str, int]]
    allow_private: bool = False
    refused: list[str] = field(default_factory=list)
    connections: list[socket.socket] = field(default_factory=list)
    is_late: bool = False

    def watch(self, connection: socket.socket) -> None:
        """Keep a second handle of a connection: libraries replace the first one when they start TLS."""
        self.connections.append(connection.dup())

    def end(self) -> None:
        """Shut all connections down, as at the deadline."""
        self.is_late = True
        for connection in self.connections:
            with suppress(OSError):  # it may have ended, or not begun
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the handles."""
        for connection in self.connections:
            connection.close()


class _RefusedError(Exception):
    """A connection to a private address, or after the deadline.

    It is no OSError, so that no library takes it for a lost connection and tries another way.
    """


_guard: ContextVar[_Guard | None] = ContextVar("guard", default=None)
_hook_installed = False


@contextmanager
def guard_connections(
    url: str, policy: FetchPolicy, seconds: float | None = None, late: InputError | None = None
) -> Iterator[None]:
    """Refuse connections to private addresses while the block runs, and end all connections after `seconds`.

    Without `seconds`, the limit is that of the policy. `late` is the error of an exchange that takes longer.

    The check is on the IP address of each connection, whichever library opens it, so that no host name and no DNS
    answer gets around it. Two exceptions: the host and port of the URL that the user gave, where it names a private
    address outright, and the proxies of the environment. No program but a JavaScript runtime may start, since its
    connections are not seen. InputError names the refused address, or the limit of time.
    """
    user_url = policy.user_url or url
    _install_audit_hook()
    guard = _Guard(frozenset([_host_and_port(user_url), *_list_proxies()]), policy.allow_private)
    token = _guard.set(guard)
    seconds = policy.max_seconds if seconds is None else seconds
    timer = threading.Timer(min(max(seconds, 0.0), MAX_TIMER_S), guard.end)
    timer.daemon = True
    timer.start()
    if seconds <= 0:
        guard.end()
    late = late or InputError(f"{redact_url(user_url)} takes longer than {seconds:g} s", "try again later")
    try:
        yield
        # A body without a stated length looks complete when its connection is shut down.
        if guard.is_late:
            raise late
    except Exception as error:
        if guard.is_late and error is not late:
            raise late from error
        if guard.refused:
            raise InputError(
                f"{redact_url(user_url)} leads to the private address {guard.refused[0]}, which is refused",
                "if that is intended, set `allow_private_addresses: true` under `download:` in configs/show.yaml",
            ) from error
        raise
    finally:
        timer.cancel()
        guard.close()
        _guard.reset(token)


def is_private(address: str) -> bool:
    """Return whether an IP address is not one of the public internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    # Three IPv6 forms embed an IPv4 address, which decides.
    if isinstance(ip, ipaddress.IPv6Address):
        embedded = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            embedded = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if embedded is not None:
            return is_private(str(embedded))
        # Outside this block are obsolete embeddings and addresses of single sites.
        if ip not in _IPV6_GLOBAL_UNICAST:
            return True
    return not ip.is_global or ip.is_multicast


def has_private_host(url: str) -> bool:
    """Return whether a URL names a private host outright: a private IP address, or `localhost`."""
    host, _ = _host_and_port(url)
    try:
        return host == "localhost" or is_private(host)
    except ValueError:
        return False


def _host_and_port(url: str) -> tuple[str, int]:
    """The host and port of a URL, or of a proxy given without a scheme; `("", 0)` where it has none."""
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        return (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    except ValueError:
        return ("", 0)


def _list_proxies() -> Iterator[tuple[str, int]]:
    """The IP addresses and ports of the environment's proxies."""
    for host, port in map(_host_and_port, getproxies().values()):
        with suppress(OSError):
            yield from ((str(info[4][0]), port) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def _install_audit_hook() -> None:
    """Install the audit hook once a process: Python cannot remove one, so it does nothing outside a guarded block."""
    global _hook_installed
    if not _hook_installed:
        sys.addaudithook(_audit)
        _hook_installed = True


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in {"socket.connect", "subprocess.Popen"} or (guard := _guard.get()) is None:
        return
    if event == "subprocess.Popen":
        program = str(arguments[0] or arguments[1][0])
        if Path(program).name not in _RUNTIMES:
            # Libraries handle a program that is not installed.
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)
    elif arguments[0].family in (socket.AF_INET, socket.AF_INET6):
        if guard.is_late:
            raise _RefusedError("late")
        if not guard.allow_private:
            _check_connection(guard, *arguments)
        guard.watch(arguments[0])


def _check_connection(guard: _Guard, connection: Any, address: Any) -> None:
    host, port = str(address[0]), int(address[1])
    try:
        private = is_private(host)
    except ValueError:  # a host name: the system resolves it inside connect, to an address that is not shown
        private = True
    if private and not any(port == known and _is_same_host(host, name) for name, known in guard.trusted):
        guard.refused.append(host)
        connection.close()  # its owner handles OSErrors only, and would leave it open
        raise _RefusedError(host)


def _is_same_host(host: str, name: str) -> bool:
    """Return whether a trusted name is this IP address: the same address, or `localhost` for a loopback address."""
    return name == host or (name == "localhost" and ipaddress.ip_address(host.partition("%")[0]).is_loopback)
