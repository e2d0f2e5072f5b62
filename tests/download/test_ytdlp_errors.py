"""Each failure of yt-dlp is one plain line; the words it is known by are those of the yt-dlp that is installed."""

import re
from functools import cache
from pathlib import Path

import pytest
import yt_dlp

from pipeline.download.ytdlp_errors import FAILURES, explain, find_failure

# What yt-dlp says, and what kind of failure that is. Words marked with * come from the site, not from yt-dlp.
SAID = [
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
    ("file address", "file:// URLs are disabled by default in yt-dlp for security reasons."),
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


@pytest.mark.parametrize(("kind", "said"), SAID)
def test_a_failure_is_known_by_its_words(kind: str, said: str) -> None:
    failure = find_failure(f"ERROR: [youtube] dQw4w9WgXcQ: {said.removeprefix('*')}")
    assert failure is not None
    assert failure.kind == kind


@pytest.mark.parametrize("said", [said for _, said in SAID if not said.startswith("*")])
def test_yt_dlp_still_says_it_so(said: str) -> None:
    assert _squeeze(said) in sources()


def test_every_kind_of_failure_is_tried() -> None:
    tried = {kind for kind, _ in SAID}
    assert {failure.kind for failure in FAILURES} - tried == {"bad address", "certificate"}


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.kind)
def test_each_is_one_short_line(failure: object) -> None:
    line = explain("https://example.org/a", "x") if failure is None else f"{failure.meaning}: {failure.to_do}"  # type: ignore[attr-defined]
    assert "\n" not in line
    assert len(line) < 200


def test_a_missing_runtime_is_the_reason_where_formats_are_missing() -> None:
    warning = "No supported JavaScript runtime could be found. Only deno is enabled by default"
    line = explain("https://youtu.be/x", "ERROR: [youtube] x: Requested format is not available", warning)
    assert line.startswith("https://youtu.be/x: YouTube needs a JavaScript runtime, and none is here: install deno")


def test_an_unknown_failure_is_told_in_its_own_words_without_secrets() -> None:
    said = "ERROR: [x] 12: No luck at https://ann:pw@example.org/v?token=hush; please report this issue on  https://x"
    line = explain("https://example.org/v", f"{said}\nERROR: once more")
    assert line.startswith(
        "https://example.org/v could not be downloaded: [x] 12: No luck at https://example.org/v?token=***"
    )
    assert "hush" not in line
    assert "once more" not in line


@cache
def sources() -> str:
    """What yt-dlp's own sources say, in one piece: adjoining string literals are joined."""
    root = Path(yt_dlp.__file__).parent
    files = [root / "YoutubeDL.py", *(root / "utils").glob("*.py"), *(root / "networking").glob("*.py")]
    files += [*(root / "downloader").glob("*.py"), *(root / "extractor" / "youtube").glob("*.py")]
    files += [root / "extractor" / "common.py", root / "extractor" / "generic.py"]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    return _squeeze(re.sub(r"'\s*\n\s*f?r?'", "", text))


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().lower()
