"""Clock times, parsed and formatted."""

import pytest

from pipeline.core.times import format_clock, format_time, format_timestamp, parse_time


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (9.99, "0:09"), (124.6, "2:04"), (3599.9, "59:59"), (3727, "1:02:07")]
)
def test_format_time_as_players_show(seconds: float, text: str) -> None:
    assert format_time(seconds) == text


@pytest.mark.parametrize(("text", "seconds"), [("2:04", 124), ("49:41", 2981), ("1:02:07", 3727), ("75:00", 4500)])
def test_parse_minutes_or_hours(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["2", "1:75", "1:2:3:4", "1:75:00"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


@pytest.mark.parametrize(
    ("seconds", "timestamp"), [(0, "00:00:00.000"), (59.9996, "00:01:00.000"), (3727.25, "01:02:07.250")]
)
def test_timestamps_have_milliseconds(seconds: float, timestamp: str) -> None:
    assert format_timestamp(seconds) == timestamp


@pytest.mark.parametrize(("seconds", "text"), [(0.0, "0:00:00"), (109.9, "0:01:49"), (3727.0, "1:02:07")])
def test_clock_always_has_hours(seconds: float, text: str) -> None:
    assert format_clock(seconds) == text
    assert parse_time(text) == int(seconds)
