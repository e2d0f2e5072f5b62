"""The policy of a fetch, retries with growing pauses, and the rate limit between downloads."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pipeline.core.errors import InputError

Result = TypeVar("Result")

# Seconds. A server may ask for a longer pause (Retry-After) than a run should wait; the next run is the better time.
MAX_RETRY_AFTER_S = 300.0

_DAY_S = 24 * 3600

# Seconds; pauses double up to this.
MAX_BACKOFF_S = 60.0

# Each pause is multiplied by a random factor from 1 to this, so that clients of one server do not retry together.
MAX_JITTER = 1.3

# HTTP statuses that may change by themselves: time-outs, rate limits, and trouble on the server's side.
TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


class TransientError(InputError):
    """A failure that a later attempt may not meet: no response, a lost connection, a busy server."""

    def __init__(self, problem: str, advice: str = "", *, retry_after: float | None = None) -> None:
        """`retry_after`: the seconds that the server asks clients to wait, if it does."""
        super().__init__(problem, advice)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """What a fetch may do.

    Attributes:
        user_url: the URL that the user gave, where the fetched one comes from a feed or playlist; its host is trusted.
        allow_private: whether redirects, feeds and playlists may lead to private addresses.
        max_bytes: the largest media file.
        max_seconds: how long one fetch may take, all attempts together.
        retries: how many attempts in a row may bring no new bytes before the fetch fails.
        first_wait: seconds before the first retry; later pauses double.
        cookies: a cookie file in Netscape's format.
        on_wait: called before each pause with its reason and length, as one line.
    """

    user_url: str | None = None
    allow_private: bool = False
    max_bytes: int = 4000 << 20
    max_seconds: float = 7200.0
    retries: int = 5
    first_wait: float = 1.0
    cookies: Path | None = None
    on_wait: Callable[[str], None] | None = None


def retry_transient(
    attempt: Callable[[], Result],
    policy: FetchPolicy,
    *,
    progress: Callable[[], float] = lambda: 0.0,
    max_seconds: float | None = None,
) -> Result:
    """Return the result of `attempt`, retried after a TransientError with growing pauses or the server's Retry-After.

    `progress` returns the bytes so far. Only attempts in a row that add none count against `policy.retries`: a bad
    connection that still delivers is not a reason to give up. The last TransientError is raised when they are used up;
    InputError where the server asks for a pause above MAX_RETRY_AFTER_S, or one that does not end within the
    `max_seconds` of all attempts (by default those of the policy).
    """
    import tenacity

    limit = policy.max_seconds if max_seconds is None else max_seconds
    backoff = _Backoff(policy, progress, time.monotonic() + limit)
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TransientError),
        after=backoff.count,  # tenacity calls it before `wait` and `stop`
        wait=backoff.pause,
        stop=backoff.is_exhausted,
        before_sleep=backoff.report,
        sleep=time.sleep,
        reraise=True,
    )
    try:
        return retrying(attempt)
    except TransientError as error:
        retry_after = error.retry_after or 0.0
        if not backoff.is_too_long(retry_after):
            raise
        pause = _describe_pause(retry_after)
        raise InputError(f"{error.problem}; it asks for a pause of {pause}", "run again after it") from error


def _describe_pause(seconds: float) -> str:
    """Return a pause in words; a server may state any number."""
    if seconds > _DAY_S:
        return "more than a day"
    minutes = max(1, round(seconds / 60))
    return f"{minutes} minutes" if minutes > 1 else "1 minute"


class _Backoff:
    """How long to wait before the next attempt, and when to stop; the callbacks of tenacity."""

    def __init__(self, policy: FetchPolicy, progress: Callable[[], float], deadline: float) -> None:
        self._policy = policy
        self._deadline = deadline  # of the monotonic clock
        self._progress = progress
        self._reached = progress()
        self._idle = 0  # attempts in a row without progress

    def count(self, _: Any) -> None:
        """Count an attempt that failed."""
        reached = self._progress()
        self._idle = 0 if reached > self._reached else self._idle + 1
        self._reached = max(reached, self._reached)

    def pause(self, state: Any) -> float:
        """Return the seconds to wait."""
        jitter = random.uniform(1.0, MAX_JITTER)  # noqa: S311 - no secret depends on it
        grown: float = self._policy.first_wait * 2 ** max(self._idle - 1, 0) * jitter
        return max(min(grown, MAX_BACKOFF_S), _retry_after(state))

    def is_exhausted(self, state: Any) -> bool:
        """Return whether there is no further attempt in this run."""
        return self._idle > self._policy.retries or self.is_too_long(_retry_after(state))

    def is_too_long(self, pause: float) -> bool:
        """Return whether a run should not wait for a pause that a server asks for: the project is locked meanwhile."""
        return pause > MAX_RETRY_AFTER_S or (pause > 0 and time.monotonic() + pause > self._deadline)

    def report(self, state: Any) -> None:
        """Report the failure and the pause, unless the attempt made progress."""
        if self._policy.on_wait is not None and self._idle:
            error: TransientError = state.outcome.exception()
            self._policy.on_wait(f"{error.problem}; retrying in {state.upcoming_sleep:.0f} s")


def _retry_after(state: Any) -> float:
    error = state.outcome.exception()
    return float(error.retry_after or 0.0) if isinstance(error, TransientError) else 0.0


@contextmanager
def rate_limit(folder: Path, pause: float) -> Iterator[None]:
    """Let one process at a time download for a project, each `pause` seconds after the previous one ended.

    `folder` holds the lock and the time of the last download.
    """
    from filelock import FileLock

    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / "last-download"
    with FileLock(folder / "download.lock"):
        since = time.time() - stamp.stat().st_mtime if stamp.exists() else pause
        # If the clock was set back, `since` is negative: never wait longer than one pause.
        time.sleep(min(max(pause - since, 0.0), pause))
        try:
            yield
        finally:
            stamp.touch()


def parse_retry_after(value: str | None, *, now: float | None = None) -> float | None:
    """Return the seconds that a Retry-After header asks for, a number or an HTTP date (RFC 9110); None for others."""
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
