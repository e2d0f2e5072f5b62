"""What yt-dlp's failures mean, and what to do about each: one plain line instead of its own words."""

import re
from dataclasses import dataclass

from pipeline.core.urls import redact_urls

COOKIES = "export the cookies of a signed-in browser to a file and name it as `cookies:` under `download:` in show.yaml"
RUNTIME = (
    "install deno 2.3 or node 22 with `pip install 'episode-catalog[youtube]'`; `catalog doctor` tells what is found"
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A kind of failure: how yt-dlp words it, what that means, what to do, and whether it may pass by itself."""

    kind: str
    words: re.Pattern[str]
    meaning: str
    to_do: str
    passing: bool = False


def _failure(kind: str, words: str, meaning: str, to_do: str, *, passing: bool = False) -> Failure:
    return Failure(kind, re.compile(words, re.IGNORECASE | re.DOTALL), meaning, to_do, passing)


# In this order: the first whose words occur is it. What a site says comes before what HTTP says.
FAILURES = (
    _failure(
        "bot check",
        r"not a bot|captcha",
        "the site takes us for a robot",
        f"wait an hour, or {COOKIES}",
    ),
    _failure(
        "rate limit",
        r"rate-limited|HTTP Error 429|too many requests",
        "the site has had too many requests from here",
        "wait an hour, and raise `pause:` under `download:` in show.yaml",
        passing=True,
    ),
    _failure(
        "age check",
        r"confirm your age|age[- ]restricted",
        "the site shows this to signed-in adults only",
        COOKIES,
    ),
    _failure(
        "members only",
        r"members[- ]only|get access to|premium members|requires payment|purchase",
        "this is for paying members only",
        COOKIES,
    ),
    _failure(
        "private",
        r"private video|video is private|is a private",
        "this is private",
        f"ask its owner to share it with you, then {COOKIES}",
    ),
    _failure(
        "region",
        r"available in your country|from your location|geo.?restrict|blocked it in your country",
        "this is not shown in your country",
        "fetch it elsewhere and name the file as `source`, or ask the publisher for one",
    ),
    _failure(
        "not yet",
        r"live event will begin|premieres in|premiere will begin|is not currently live|offline\.?$",
        "this has not been broadcast yet",
        "run again when it has ended",
    ),
    _failure(
        "removed",
        r"has been removed|no longer available|account.{0,60}terminated|removed by the (uploader|user)"
        r"|video (is )?unavailable|this video is not available|does not exist",
        "this was removed, or never was there",
        "check the address in a browser, and correct `source`",
    ),
    _failure(
        "drm",
        r"DRM",
        "this is protected against copying (DRM)",
        "ask the publisher for a file, and name it as `source`",
    ),
    _failure(
        "cookies",
        r"registered users|sign in|log ?in|--cookies|cookies|HTTP Error 401",
        "the site wants us signed in",
        COOKIES,
    ),
    _failure(
        "runtime",
        r"JavaScript runtime|JS runtime|challenge solving failed|signature solving failed",
        "YouTube needs a JavaScript runtime, and none is here",
        RUNTIME,
    ),
    _failure(
        "format",
        r"requested format is not available|only images are available|no video formats found",
        "the site offers no audio that can be fetched",
        "update yt-dlp (`pip install -U yt-dlp`); for YouTube see `catalog doctor`",
    ),
    _failure(
        "impersonation",
        r"impersonat|cloudflare",
        "the site lets nobody but browsers in",
        "fetch it with a browser, and name the file as `source`",
    ),
    _failure(
        "no media",
        r"unsupported url|no video could be found|no media found",
        "there is a web page, but no audio or video in it that we can find (a sign-in page, perhaps)",
        "open it in a browser, and name the address of the audio itself",
    ),
    _failure("bad address", r"is not a valid URL|no host", "this is no address", "correct `source`"),
    _failure(
        "file address",
        r"file:// URLs|unsupported url scheme|no connection adapters|rtmpdump",
        "it leads to something else than http or https, which is refused",
        "name the address of the audio itself",
    ),
    _failure(
        "missing fragment",
        r"fragment \d+ not found|got error: HTTP Error 4(03|04|10)",
        "a piece of the stream is missing on the server",
        "run again; if it stays so, ask the publisher for a file",
    ),
    _failure(
        "empty",
        r"did not get any data blocks|downloaded file is empty",
        "the server gave an empty file",
        "check the address in a browser",
    ),
    _failure(
        "disk",
        r"no space left|disk quota|file too large",
        "the disk is full",
        "make room and run again: what came so far is kept and gone on with",
    ),
    _failure(
        "write",
        r"unable to (write data|open for writing|rename file)",
        "the file could not be written",
        "check the folder",
    ),
    _failure(
        "gone", r"HTTP Error (404|410)", "the server answers that nothing is there", "check the address in a browser"
    ),
    _failure(
        "forbidden",
        r"HTTP Error 403",
        "the server forbids it (403)",
        "the address may have expired or want a sign-in: open it in a browser",
    ),
    _failure(
        "busy", r"HTTP Error 5\d\d|HTTP Error 408", "the server has trouble of its own", "run again later", passing=True
    ),
    _failure(
        "loop", r"redirect loop|too many redirects", "the address redirects in a circle", "give the final address"
    ),
    _failure(
        "certificate",
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|\[SSL",
        "no safe connection can be made: the server's certificate or its https is not right",
        "check the address and this machine's clock and certificates",
    ),
    _failure(
        "name",
        r"name or service not known|failed to resolve|name resolution|getaddrinfo|no address associated",
        "there is no such server, or no network here",
        "check the address, and your connection",
        passing=True,
    ),
    _failure(
        "refused",
        r"connection refused",
        "nothing answers at that address",
        "check it, or run again later",
        passing=True,
    ),
    _failure("time-out", r"timed? ?out", "the server does not answer in time", "run again later", passing=True),
    _failure(
        "cut",
        r"bytes read|more expected|incomplete ?read|content ?too ?short|connection (aborted|reset|broken)"
        r"|remote end closed",
        "the connection was cut",
        "run again: what came so far is kept and gone on with",
        passing=True,
    ),
)


def find_failure(message: str, hints: str = "") -> Failure | None:
    """Return the kind of failure that yt-dlp's message tells, `hints` being the warnings before it; None if unknown."""
    found = next((failure for failure in FAILURES if failure.words.search(message)), None)
    # Without a JavaScript runtime YouTube shows formats that cannot be had: the warning says why, the error does not.
    if found is not None and found.kind in {"format", "forbidden"}:
        runtime = next(failure for failure in FAILURES if failure.kind == "runtime")
        return runtime if runtime.words.search(hints) else found
    return found


def explain(shown: str, message: str, hints: str = "") -> str:
    """Return one line for a person about what happened at the address `shown`, with no secret of yt-dlp's words."""
    failure = find_failure(message, hints)
    if failure is not None:
        return f"{shown}: {failure.meaning}: {failure.to_do}"
    # Nothing we know: yt-dlp's own words, less its advice on how to report bugs to it.
    words = " ".join(message.splitlines()[0].split()) if message.strip() else "no reason given"
    own = re.split(r"; please report|\(caused by", words)[0].removeprefix("ERROR: ").strip()
    return f"{shown} could not be downloaded: {redact_urls(own)} (`pip install -U yt-dlp` helps where a site changed)"
