"""How we behave on the network: whom we may connect to, how long we try, and how long we wait before trying again."""

import errno
import ipaddress
import os
import random
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

from pipeline.addresses import without_secrets
from pipeline.errors import InputError

Result = TypeVar("Result")

# A server may ask for a longer wait than we would take; beyond this the next run is the better time.
LONGEST_WAIT = 300.0
# HTTP answers that may be others the next time.
PASSING_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


class PassingError(InputError):
    """What may be gone the next time: no answer, a cut line, a busy server (`retry_after`: seconds it asks for)."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        """Keep how long the server asks us to wait, if it does."""
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Access:
    """What a fetch may do: whom it may reach, what it may take, how often it tries again, and as whom it comes.

    `named` is the address that a person gave, where the one to be fetched was found in a feed or playlist there;
    `retries` counts attempts in a row that brought nothing, `first_wait` is the pause in seconds before the first of
    them, and `tell` hears why and how long we wait.
    """

    named: str | None = None
    allow_private: bool = False
    max_bytes: int = 4000 << 20
    max_seconds: float = 7200.0
    retries: int = 5
    first_wait: float = 1.0
    cookies: Path | None = None
    tell: Callable[[str], None] | None = None


def retry_passing(
    attempt: Callable[[], Result], access: Access, *, progress: Callable[[], float] = lambda: 0.0
) -> Result:
    """Return what `attempt` gives; a PassingError is tried again after growing pauses, Retry-After honoured.

    Only attempts in a row that brought nothing count: as long as `progress` grows, a bad line is no reason to give up.
    InputError where a server asks to be left alone for longer than LONGEST_WAIT.
    """
    import tenacity

    reached, idle = progress(), 0

    def count(_: tenacity.RetryCallState) -> None:
        nonlocal reached, idle
        idle, reached = (0 if progress() > reached else idle + 1), max(progress(), reached)

    def give_up(state: tenacity.RetryCallState) -> bool:
        return idle > access.retries or _asked_wait(state) > LONGEST_WAIT

    def pause(state: tenacity.RetryCallState) -> float:
        grown = access.first_wait * 2 ** max(idle - 1, 0) * random.uniform(1.0, 1.3)  # noqa: S311 - spreads requests
        wait = max(min(grown, 60.0), _asked_wait(state))
        return float(wait)

    def tell(state: tenacity.RetryCallState) -> None:
        if access.tell is not None and idle:
            access.tell(f"{state.outcome and state.outcome.exception()}; trying again in {state.upcoming_sleep:.0f} s")

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(PassingError),
        after=count,  # called before the next two
        wait=pause,
        stop=give_up,
        before_sleep=tell,
        sleep=time.sleep,
        reraise=True,
    )
    try:
        return retrying(attempt)
    except PassingError as error:
        asked = error.retry_after or 0.0
        if asked <= LONGEST_WAIT:
            raise
        raise InputError(f"{error}; it asks to be left alone for {asked / 60:.0f} minutes") from error


def _asked_wait(state: Any) -> float:
    error = state.outcome.exception()
    return float(error.retry_after or 0.0) if isinstance(error, PassingError) else 0.0


@contextmanager
def take_turn(folder: Path, pause: float) -> Iterator[None]:
    """Wait until nobody else fetches for the project, `pause` seconds after the last one, and keep others waiting."""
    from filelock import FileLock

    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / "last-download"
    with FileLock(folder / "download.lock"):
        since = time.time() - stamp.stat().st_mtime if stamp.exists() else pause
        # A clock that was set back must not make us wait for it.
        time.sleep(min(max(pause - since, 0.0), pause))
        try:
            yield
        finally:
            stamp.touch()


def parse_retry_after(value: str | None, *, now: float | None = None) -> float | None:
    """Return the seconds a Retry-After header asks for, given as a number or as a date; None where it says neither."""
    from email.utils import parsedate_to_datetime

    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value.strip())
    try:
        due = parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, due - (time.time() if now is None else now))


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
def public_only(url: str, access: Access) -> Iterator[None]:
    """Refuse connections to private addresses while the block runs, wherever redirects, feeds or playlists lead.

    Connections are judged by the address they really go to, whichever library makes them, so no name and no DNS answer
    gets around it. Where a person named a private address outright, its own host and port stay open.
    Proxies of the environment stay open, too. InputError names what was refused. No program but a JavaScript runtime
    is started, since nobody could watch whom it connects to.
    """
    named = access.named or url
    _watch_connections()
    guard = _Guard(frozenset([_named_host(named), *_find_proxies()]), access.allow_private)
    token = _guard.set(guard)
    try:
        yield
    except Exception as error:
        if guard.refused:
            raise InputError(
                f"{without_secrets(named)} leads to the private address {guard.refused[0]}, which is refused: if that "
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


def names_private_host(url: str) -> bool:
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
