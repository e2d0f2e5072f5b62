"""Parse and format clock times; `transcribe.transcript_files` parses the timestamps of captions."""

# A clock time in text, as a regular expression: 1:02:07 or 16:36.
CLOCK = r"(?:\d{1,2}:[0-5]\d:[0-5]\d|\d{1,3}:[0-5]\d)"


def parse_time(text: str) -> float:
    """Return the seconds of `16:36`, `1:02:07` or `00:16:36.250`; ValueError for other text."""
    whole, _, fraction = text.replace(",", ".").partition(".")
    parts = [int(part) for part in whole.split(":")]
    if not 2 <= len(parts) <= 3 or max(parts[1:]) > 59 or not (fraction.isdecimal() or not fraction):
        raise ValueError(f"{text!r} is not a time such as 16:36")
    seconds = float(sum(part * 60**power for power, part in enumerate(reversed(parts))))
    return seconds + float(f"0.{fraction}") if fraction else seconds


def format_time(seconds: float) -> str:
    """Return `16:36` or `1:02:07`: whole seconds, rounded down, as players show them."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def format_clock(seconds: float) -> str:
    """Return `0:16:36` or `1:02:07`: whole seconds, rounded down; a spreadsheet takes `16:36` for 16 hours."""
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{second:02}"


def format_timestamp(seconds: float) -> str:
    """Return `00:16:36.250`, the timestamp of WebVTT and Podlove."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02}:{minute:02}:{rest // 1000:02}.{rest % 1000:03}"
