"""Retries: growing pauses, Retry-After, and the rate limit between downloads."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.download.http import fetch_document
from pipeline.download.retry import FetchPolicy, TransientError, parse_retry_after, rate_limit, retry_transient
from tests.support.faulty_server import Server, respond, serve

QUICK = FetchPolicy(retries=2, first_wait=0.01)


def test_transient_failure_is_retried_and_reported() -> None:
    messages: list[str] = []
    with serve(Server(files={"/list.txt": b"Sort by date"})) as server:
        server.fail("/list.txt", respond(503), times=2)
        policy = FetchPolicy(retries=2, first_wait=0.01, on_wait=messages.append)
        assert fetch_document(f"{server.url}/list.txt", policy=policy) is not None
    assert server.request_counts["/list.txt"] == 3
    assert [message.rpartition("; ")[2] for message in messages] == ["retrying in 0 s"] * 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_permanent_failure_is_requested_once(status: int) -> None:
    with serve(Server()) as server:
        server.fail("/list.txt", respond(status))
        with pytest.raises(InputError, match=f"answers {status}"):
            fetch_document(f"{server.url}/list.txt", policy=QUICK)
    assert server.request_counts["/list.txt"] == 1


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses in seconds; `time.sleep` only records them."""
    pauses: list[float] = []
    monkeypatch.setattr("pipeline.download.retry.time.sleep", pauses.append)
    return pauses


def test_retry_after_sets_the_pause(waits: list[float]) -> None:
    with serve(Server(files={"/list.txt": b"Sort by date"})) as server:
        server.fail("/list.txt", respond(429, {"Retry-After": "17"}), times=1)
        fetch_document(f"{server.url}/list.txt", policy=QUICK)
    assert waits == [17.0]


def test_long_retry_after_ends_the_run() -> None:
    with serve(Server()) as server:
        server.fail("/list.txt", respond(503, {"Retry-After": "3600"}))
        with pytest.raises(InputError, match="asks for a pause of 60 minutes: run again after it"):
            fetch_document(f"{server.url}/list.txt", policy=QUICK)
    assert server.request_counts["/list.txt"] == 1


def test_only_attempts_without_progress_count() -> None:
    done = [0.0]

    def attempt() -> str:
        done[0] += 1
        if done[0] < 20:
            raise TransientError("cut")
        return "whole"

    assert retry_transient(attempt, FetchPolicy(retries=1, first_wait=0.001), progress=lambda: done[0]) == "whole"
    with pytest.raises(TransientError, match="cut"):
        retry_transient(fail_to_connect, FetchPolicy(retries=3, first_wait=0.001), progress=lambda: 5.0)


def fail_to_connect() -> None:
    raise TransientError("cut")


def test_pause_beyond_the_limit_is_not_waited_for(waits: list[float]) -> None:
    with serve(Server()) as server:
        server.fail("/list.txt", respond(429, {"Retry-After": "75"}))
        # 75 s is less than MAX_RETRY_AFTER_S, but a document has 60 s in all.
        with pytest.raises(InputError, match="asks for a pause of 1 minute: run again after it"):
            fetch_document(f"{server.url}/list.txt")
    assert waits == []


def test_endless_pause_is_described_in_words() -> None:
    with serve(Server()) as server:
        server.fail("/list.txt", respond(503, {"Retry-After": "9" * 400}))
        with pytest.raises(InputError, match="asks for a pause of more than a day: run again after it"):
            fetch_document(f"{server.url}/list.txt")


def test_pauses_double_up_to_a_minute(waits: list[float]) -> None:
    with pytest.raises(TransientError):
        retry_transient(fail_to_connect, FetchPolicy(retries=8, first_wait=1.0))
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
def test_retry_after_is_parsed(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, now=40.0) == seconds


@given(st.text())
def test_any_retry_after_text_is_parsed(value: str) -> None:
    parsed = parse_retry_after(value)
    assert parsed is None or parsed >= 0


@pytest.mark.parametrize(("later", "pause"), [(0.5, 4.5), (4.0, 1.0), (60.0, 0.0), (-3600.0, 5.0)])
def test_rate_limit_pauses_whatever_the_clock(
    tmp_path: Path, waits: list[float], monkeypatch: pytest.MonkeyPatch, later: float, pause: float
) -> None:
    stamp = tmp_path / "last-download"
    monkeypatch.setattr("pipeline.download.retry.time.time", lambda: stamp.stat().st_mtime + later)
    for _ in range(2):
        with rate_limit(tmp_path, 5.0):
            pass
    assert waits == [0.0, pytest.approx(pause)]
