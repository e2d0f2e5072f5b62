"""Explain yt-dlp's errors: one line with the problem and the advice in place of its own text."""

import re
from dataclasses import dataclass

from pipeline.core.extras import describe_installation, describe_upgrade
from pipeline.core.urls import redact_urls

# Advice where a site wants a sign-in.
COOKIES = "export the cookies of a signed-in browser to a file and name it as `cookies:` under `download:` in show.yaml"

# Advice where YouTube's scripts cannot run.
RUNTIME = f"install deno 2.3 or node 22, or `{describe_installation('youtube')}`; `catalog doctor` shows the result"

# How yt-dlp is brought up to date.
UPDATE = f"update yt-dlp (`{describe_upgrade('yt-dlp')}`)"


@dataclass(frozen=True, slots=True)
class FailureKind:
    """A kind of failure.

    Attributes:
        name: for tests and debugging.
        pattern: what yt-dlp's error contains.
        meaning: the problem, in plain words.
        advice: what to do about it.
        transient: whether a retry may succeed.
        may_lack_runtime: whether it may be the consequence of a missing JavaScript runtime.
    """

    name: str
    pattern: re.Pattern[str]
    meaning: str
    advice: str
    transient: bool = False
    may_lack_runtime: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an error of yt-dlp means at a URL, what to do about it, and whether a retry may succeed."""

    problem: str
    advice: str
    transient: bool = False


def _kind(
    name: str, pattern: str, meaning: str, advice: str, *, transient: bool = False, may_lack_runtime: bool = False
) -> FailureKind:
    compiled = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return FailureKind(name, compiled, meaning, advice, transient, may_lack_runtime)


# Without a runtime YouTube offers formats that cannot be fetched: yt-dlp's warning names the cause, its error does not.
MISSING_RUNTIME = _kind(
    "runtime",
    r"JavaScript runtime|JS runtime|challenge solving failed|signature solving failed",
    "YouTube needs a JavaScript runtime, and none is installed",
    RUNTIME,
)

# The first whose pattern matches is used. A site's own words come before HTTP statuses.
FAILURES = (
    _kind(
        "bot check",
        r"not a bot|captcha",
        "the site takes this program for a robot",
        f"wait an hour, or {COOKIES}",
    ),
    _kind(
        "rate limit",
        r"rate-limited|HTTP Error 429|too many requests",
        "the site has had too many requests from this machine",
        "wait an hour, and raise `pause:` under `download:` in show.yaml",
        transient=True,
    ),
    _kind(
        "age check",
        r"confirm your age|age[- ]restricted",
        "the site shows this to signed-in adults only",
        COOKIES,
    ),
    _kind(
        "members only",
        r"members[- ]only|get access to|premium members|requires payment|purchase",
        "this is for paying members only",
        COOKIES,
    ),
    _kind(
        "private",
        r"private video|video is private|is a private",
        "this is private",
        f"ask its owner to share it with you, then {COOKIES}",
    ),
    _kind(
        "region",
        r"available in your country|from your location|geo.?restrict|blocked it in your country",
        "this is not shown in your country",
        "fetch it elsewhere and name the file as `source`, or ask the publisher for the file",
    ),
    _kind(
        "not yet",
        r"live event will begin|premieres in|premiere will begin|is not currently live|offline\.?$",
        "this has not been broadcast yet",
        "run again when it has ended",
    ),
    _kind(
        "removed",
        r"has been removed|no longer available|account.{0,60}terminated|removed by the (uploader|user)"
        r"|video (is )?unavailable|this video is not available|does not exist",
        "this was removed, or never existed",
        "check the URL in a browser, and correct `source`",
    ),
    _kind(
        "drm",
        r"DRM",
        "this is protected against copying (DRM)",
        "ask the publisher for a file, and name it as `source`",
    ),
    _kind(
        "cookies",
        r"registered users|sign in|log ?in|--cookies|cookies|HTTP Error 401",
        "the site requires a sign-in",
        COOKIES,
    ),
    MISSING_RUNTIME,
    _kind(
        "format",
        r"requested format is not available|only images are available|no video formats found",
        "the site offers no audio that can be fetched",
        f"{UPDATE}; for YouTube see `catalog doctor`",
        may_lack_runtime=True,
    ),
    _kind(
        "impersonation",
        r"impersonat|cloudflare",
        "the site answers browsers only",
        "fetch it with a browser, and name the file as `source`",
    ),
    _kind(
        "no media",
        r"unsupported url|no video could be found|no media found",
        "the web page has no audio or video that yt-dlp finds (it may be a sign-in page)",
        "open it in a browser, and give the URL of the audio itself",
    ),
    _kind("bad URL", r"is not a valid URL|no host", "this is no URL", "correct `source`"),
    _kind(
        "file URL",
        r"file:// URLs|unsupported url scheme|no connection adapters|rtmpdump",
        "it leads to a URL that is neither http nor https, which is refused",
        "give the URL of the audio itself",
    ),
    _kind(
        "missing fragment",
        r"fragment \d+ not found|got error: HTTP Error 4(03|04|10)",
        "a fragment of the stream is missing on the server",
        "run again; if it is still missing, ask the publisher for a file",
    ),
    _kind(
        "empty",
        r"did not get any data blocks|downloaded file is empty",
        "the server sent an empty file",
        "check the URL in a browser",
    ),
    _kind(
        "disk",
        r"no space left|disk quota|file too large",
        "the disk is full",
        "free some space and run again; the partial file is kept",
    ),
    _kind(
        "write",
        r"unable to (write data|open for writing|rename file)",
        "the file could not be written",
        "check the permissions of its folder",
    ),
    _kind(
        "gone",
        r"HTTP Error (404|410)",
        "the server answers that it does not exist (404 or 410)",
        "check the URL in a browser",
    ),
    _kind(
        "forbidden",
        r"HTTP Error 403",
        "the server forbids it (403)",
        "the URL may have expired or require a sign-in: open it in a browser",
        may_lack_runtime=True,
    ),
    _kind(
        "busy",
        r"HTTP Error 5\d\d|HTTP Error 408",
        "the server has a problem of its own",
        "run again later",
        transient=True,
    ),
    _kind("loop", r"redirect loop|too many redirects", "the URL redirects in a circle", "give the final URL"),
    _kind(
        "certificate",
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|\[SSL",
        "the https connection fails: the server's certificate or its TLS is not valid",
        "check the URL and this machine's clock and certificates",
    ),
    _kind(
        "name",
        r"name or service not known|failed to resolve|name resolution|getaddrinfo|no address associated",
        "there is no such server, or this machine has no network",
        "check the URL, and your connection",
        transient=True,
    ),
    _kind(
        "refused",
        r"connection refused",
        "no server answers at that host and port",
        "check the URL, or run again later",
        transient=True,
    ),
    _kind("time-out", r"timed? ?out", "the server does not answer in time", "run again later", transient=True),
    _kind(
        "cut",
        r"bytes read|more expected|incomplete ?read|content ?too ?short|connection (aborted|reset|broken)"
        r"|remote end closed",
        "the connection was lost",
        "run again; the partial file is kept",
        transient=True,
    ),
)


def classify_failure(message: str, warnings: str = "") -> FailureKind | None:
    """Return the kind of failure in an error of yt-dlp, given the warnings before it; None where it is unknown."""
    kind = next((kind for kind in FAILURES if kind.pattern.search(message)), None)
    if kind is not None and kind.may_lack_runtime and MISSING_RUNTIME.pattern.search(warnings):
        return MISSING_RUNTIME
    return kind


def explain_failure(shown: str, message: str, warnings: str = "") -> Explanation:
    """Return what an error of yt-dlp means at the URL `shown`, without the secrets that its text may hold."""
    kind = classify_failure(message, warnings)
    if kind is not None:
        return Explanation(f"{shown}: {kind.meaning}", kind.advice, kind.transient)
    # Unknown: yt-dlp's own text, less its advice on how to report bugs.
    text = " ".join(message.splitlines()[0].split()) if message.strip() else "yt-dlp gives no reason"
    reason = re.split(r"; please report|\(caused by", text)[0].removeprefix("ERROR: ").strip()
    problem = f"{shown} could not be downloaded: {redact_urls(reason)}"
    return Explanation(problem, f"if the site changed, {UPDATE}")
