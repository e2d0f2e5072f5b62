"""Each error of yt-dlp is explained in one line; the patterns match the texts of the installed yt-dlp."""

import re
from functools import cache
from pathlib import Path

import pytest
import yt_dlp

from pipeline.download.ytdlp_errors import FAILURES, FailureKind, classify_failure, explain_failure

# Kinds of failure and yt-dlp's texts for them. Texts marked with * come from the site, not from yt-dlp.
MESSAGES = [
    ("bot check", "*Sign in to confirm you’re not a bot"),
    ("bot check", "YouTube is requiring a captcha challenge before playback"),
    ("rate limit", "has been rate-limited by YouTube for up to an hour"),
    ("rate limit", "*HTTP Error 429: Too Many Requests"),
    ("age check", "*Sign in to confirm your age. This video may be inappropriate for some users."),
    ("members only", "*Join this channel to get access to members-only content like this video"),
    ("private", "*Private video. Sign in if you've been granted access to this video"),
    ("region", "The uploader has not made this video available in your country"),
    ("region", "This video is not available from your location due to geo restriction"),
    ("not yet", "*This live event will begin in 3 hours."),
    ("not yet", "*Premieres in 12 minutes"),
    ("not yet", "The channel is not currently live"),
    ("removed", "*This video has been removed by the uploader"),
    ("removed", "*Video unavailable. This video is no longer available because the account has been terminated"),
    ("drm", "This video is DRM protected"),
    ("cookies", "This video is only available for registered users"),
    ("runtime", "No supported JavaScript runtime could be found. Only deno is enabled by default"),
    ("format", "Requested format is not available. Use --list-formats for a list of available formats"),
    ("format", "No video formats found!"),
    ("format", "only images are available for download"),
    ("impersonation", "Got HTTP Error 403 caused by Cloudflare anti-bot challenge"),
    ("no media", "Unsupported URL: "),
    ("file URL", "file:// URLs are disabled by default in yt-dlp for security reasons."),
    ("missing fragment", "*fragment 7 not found, unable to continue"),
    ("empty", "Did not get any data blocks"),
    ("empty", "The downloaded file is empty"),
    ("disk", "*unable to write data: [Errno 28] No space left on device"),
    ("write", "unable to open for writing: "),
    ("gone", "*HTTP Error 404: Not Found"),
    ("forbidden", "*HTTP Error 403: Forbidden"),
    ("busy", "*HTTP Error 503: Service Unavailable"),
    ("loop", "redirect loop detected"),
    ("name", "*Failed to resolve 'example.invalid' ([Errno -2] Name or service not known)"),
    ("refused", "*[Errno 111] Connection refused"),
    ("time-out", "*Read timed out."),
    ("cut", "*300 bytes read, 70388 more expected"),
]


@pytest.mark.parametrize(("name", "message"), MESSAGES)
def test_failure_is_classified_by_its_message(name: str, message: str) -> None:
    kind = classify_failure(f"ERROR: [youtube] dQw4w9WgXcQ: {message.removeprefix('*')}")
    assert kind is not None
    assert kind.name == name


@pytest.mark.parametrize("message", [message for _, message in MESSAGES if not message.startswith("*")])
def test_message_is_in_installed_ytdlp(message: str) -> None:
    assert normalize(message) in read_ytdlp_sources()


def test_every_kind_of_failure_has_a_message() -> None:
    names = {name for name, _ in MESSAGES}
    assert {kind.name for kind in FAILURES} - names == {"bad URL", "certificate"}


@pytest.mark.parametrize("kind", FAILURES, ids=lambda kind: kind.name)
def test_explanation_is_one_short_line(kind: FailureKind) -> None:
    line = f"{kind.meaning}: {kind.advice}"
    assert "\n" not in line
    assert len(line) < 200


@pytest.mark.parametrize("message", ["Requested format is not available", "HTTP Error 403: Forbidden"])
def test_missing_runtime_explains_missing_formats(message: str) -> None:
    warning = "No supported JavaScript runtime could be found. Only deno is enabled by default"
    explanation = explain_failure("https://youtu.be/x", f"ERROR: [youtube] x: {message}", warning)
    assert explanation.problem == "https://youtu.be/x: YouTube needs a JavaScript runtime, and none is installed"
    assert explanation.advice.startswith("install deno")


def test_unknown_failure_is_quoted_without_secrets() -> None:
    message = (
        "ERROR: [x] 12: No luck at https://ann:pw@example.org/v?token=hush; please report this issue on  https://x"
    )
    explanation = explain_failure("https://example.org/v", f"{message}\nERROR: once more")
    assert explanation.problem == (
        "https://example.org/v could not be downloaded: [x] 12: No luck at https://example.org/v?token=***"
    )
    assert "hush" not in explanation.advice


def test_failure_without_message_is_explained() -> None:
    assert "yt-dlp gives no reason" in explain_failure("https://example.org/v", "").problem


@cache
def read_ytdlp_sources() -> str:
    """The text of yt-dlp's sources, with adjacent string literals joined."""
    root = Path(yt_dlp.__file__).parent
    files = [root / "YoutubeDL.py", *(root / "utils").glob("*.py"), *(root / "networking").glob("*.py")]
    files += [*(root / "downloader").glob("*.py"), *(root / "extractor" / "youtube").glob("*.py")]
    files += [root / "extractor" / "common.py", root / "extractor" / "generic.py"]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    return normalize(re.sub(r"'\s*\n\s*f?r?'", "", text))


def normalize(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().lower()
