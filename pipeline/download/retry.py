"""Retries, and turns on the network."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pipeline.core.errors import InputError

Result = TypeVar("Result")

# A server may ask for a longer wait than we would take; beyond this the next run is the better time.
LONGEST_WAIT = 300.0

# HTTP answers that may be others the next time.
TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


class TransientError(InputError):
    """What may be gone the next time: no answer, a cut line, a busy server (`retry_after`: seconds it asks for)."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        """Keep how long the server asks us to wait, if it does."""
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """What a fetch may do: whom it may reach, what it may take, how often it tries again, and as whom it comes.

    `user_url` is the address that a person gave, where the one to be fetched was found in a feed or playlist there;
    `retries` counts attempts in a row that brought nothing, `first_wait` is the pause in seconds before the first of
    them, and `on_wait` hears why and how long we wait.
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
    attempt: Callable[[], Result], policy: FetchPolicy, *, progress: Callable[[], float] = lambda: 0.0
) -> Result:
    """Return what `attempt` gives; a TransientError is tried again after growing pauses, Retry-After honoured.

    Only attempts in a row that brought nothing count: as long as `progress` grows, a bad line is no reason to give up.
    InputError where a server asks to be left alone for longer than LONGEST_WAIT.
    """
    import tenacity

    reached, idle = progress(), 0

    def count(_: tenacity.RetryCallState) -> None:
        nonlocal reached, idle
        idle, reached = (0 if progress() > reached else idle + 1), max(progress(), reached)

    def give_up(state: tenacity.RetryCallState) -> bool:
        return idle > policy.retries or _asked_wait(state) > LONGEST_WAIT

    def pause(state: tenacity.RetryCallState) -> float:
        grown = policy.first_wait * 2 ** max(idle - 1, 0) * random.uniform(1.0, 1.3)  # noqa: S311 - spreads requests
        wait = max(min(grown, 60.0), _asked_wait(state))
        return float(wait)

    def tell(state: tenacity.RetryCallState) -> None:
        if policy.on_wait is not None and idle:
            policy.on_wait(
                f"{state.outcome and state.outcome.exception()}; trying again in {state.upcoming_sleep:.0f} s"
            )

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TransientError),
        after=count,  # called before the next two
        wait=pause,
        stop=give_up,
        before_sleep=tell,
        sleep=time.sleep,
        reraise=True,
    )
    try:
        return retrying(attempt)
    except TransientError as error:
        asked = error.retry_after or 0.0
        if asked <= LONGEST_WAIT:
            raise
        raise InputError(f"{error}; it asks to be left alone for {asked / 60:.0f} minutes") from error


def _asked_wait(state: Any) -> float:
    error = state.outcome.exception()
    return float(error.retry_after or 0.0) if isinstance(error, TransientError) else 0.0


@contextmanager
def rate_limit(folder: Path, pause: float) -> Iterator[None]:
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
