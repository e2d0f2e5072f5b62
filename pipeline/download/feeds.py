"""Podcast feeds (RSS, Atom): their entries, and which of them is meant."""

import difflib
import io
import logging
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.text import clean_text
from pipeline.core.urls import redact_url
from pipeline.download.metadata import Metadata, StatedChapter, make_media_link

# podcastparser knows the namespace by its document's address only; feeds give this one.
_PODCAST_NAMESPACE = (
    b"https://podcastindex.org/namespace/1.0",
    b"https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/1.0.md",
)
MOST_NESTED = 100  # elements within each other; feeds have a dozen
_NUMBER_IN_TITLE = re.compile(
    r"(?:\b(?:episode|ep|folge|épisode|episodio|aflevering|no|nr)\b\.?\s*|#)(\d{1,4})\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed or playlist: the address of its audio or page, and what is said of it."""

    source: str
    metadata: Metadata

    @property
    def has_page(self) -> bool:
        """Whether it lies on a page of its own, as those of playlists do, and not in a feed that tells all of it."""
        return self.metadata.media_id is not None

    @property
    def number(self) -> int | None:
        """The number it is counted by: the one stated, else the one its title gives after "Episode", "Ep." or "#"."""
        found = _NUMBER_IN_TITLE.search(self.metadata.title or "")
        return self.metadata.number or (int(found[1]) if found else None)


def is_feed(content: bytes) -> bool:
    """Tell whether a document is a feed, by its root element."""
    head = re.sub(rb"<\?.*?\?>|<!--.*?-->", b"", content[:4096], flags=re.DOTALL).lstrip(b"\xef\xbb\xbf \t\r\n")
    return re.match(rb"<(?:rss|feed|\w+:feed|atom:feed)[\s>]", head, re.IGNORECASE) is not None


def parse_feed(content: bytes, url: str) -> tuple[Entry, ...]:
    """Return a feed's entries that have audio or video, oldest first; InputError where it is no feed we can read."""
    import podcastparser

    # Odd dates and durations are left out; a person need not hear of each.
    logging.getLogger("podcastparser").setLevel(logging.CRITICAL)
    try:
        _check_depth(content)
        feed = podcastparser.parse(url, io.BytesIO(content.replace(*_PODCAST_NAMESPACE)))
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        said = re.sub(r"^<unknown>:(\d+):\d+:", r"line \1:", " ".join(str(error).split()))
        raise InputError(f"the feed cannot be read ({said}): check its address") from error
    found = [_read_entry(item) for item in feed["episodes"] if _list_media(item)]
    # Where dates are missing, feeds still run from new to old.
    found.reverse()
    return tuple(sorted(found, key=lambda entry: entry.metadata.published or date.min))


def _check_depth(content: bytes) -> None:
    """ValueError where elements lie in elements as in no feed: podcastparser keeps the path to each as one text."""
    from xml.parsers import expat

    depth = 0

    def begin(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > MOST_NESTED:
            raise ValueError(f"line {parser.CurrentLineNumber}: more than {MOST_NESTED} elements within each other")

    def end(_: object) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    with suppress(expat.ExpatError):  # podcastparser says what is wrong
        parser.Parse(content, True)


def _list_media(item: dict[str, Any]) -> list[dict[str, Any]]:
    """An entry's files that have an address, audio first."""
    media = [enclosure for enclosure in item["enclosures"] if enclosure["url"]]
    return sorted(media, key=lambda enclosure: not str(enclosure["mime_type"]).startswith("audio"))


def _read_date(timestamp: float | None) -> date | None:
    """The day of a timestamp; None where there is none, or none that a calendar has."""
    try:
        return datetime.fromtimestamp(timestamp, UTC).date() if timestamp else None
    except (ValueError, OverflowError, OSError):
        return None


def _read_entry(item: dict[str, Any]) -> Entry:
    media = _list_media(item)[0]
    # `start` is None where the feed gives no readable one.
    chapters = [
        StatedChapter(float(one["start"]), str(one["title"]))
        for one in item.get("chapters", [])
        if one.get("start") is not None
    ]
    return Entry(
        media["url"],
        Metadata(
            title=clean_text(item.get("title") or "") or None,
            published=_read_date(item.get("published")),
            duration=float(item["total_time"]) if item.get("total_time", 0) > 0 else None,
            page=item.get("link") or None,
            chapters=tuple(chapters),
            description=item.get("description") or "",
            entry=str(item["guid"]),
            number=item.get("number"),
            link=make_media_link(media["url"]),
            captions=item.get("transcript_url"),
        ),
    )


def find_entry(entries: Sequence[Entry], wanted: str, where: str) -> Entry:
    """Return the entry that a guid, a number or a title names; InputError, naming the source as `where`, without one.

    A number is the one its publisher counts by; where none of the entries has one, the place counted from the oldest.
    """
    if not entries:
        raise InputError(f"{where} holds no entry with audio: check its address")
    if exact := [entry for entry in entries if _is_guid(entry, wanted) or entry.source == wanted]:
        return exact[0]
    if wanted.isascii() and wanted.isdigit():
        numbered = [entry for entry in entries if entry.number is not None]
        if not numbered and 1 <= int(wanted) <= len(entries):
            return entries[int(wanted) - 1]
        return _only([entry for entry in numbered if entry.number == int(wanted)], entries, wanted, where)
    folded = _fold(wanted)
    same = [entry for entry in entries if _fold(entry.metadata.title) == folded]
    return _only(same or [entry for entry in entries if folded in _fold(entry.metadata.title)], entries, wanted, where)


def _is_guid(entry: Entry, wanted: str) -> bool:
    # podcastparser makes an address of a guid that does not say it is none.
    guid = entry.metadata.entry or ""
    return wanted in (guid, entry.metadata.media_id) or guid.endswith(f"/{wanted}")


def _only(found: list[Entry], entries: Sequence[Entry], wanted: str, where: str) -> Entry:
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(
            f"{where} has {len(found)} entries for {wanted!r}: name one by its guid, such as {_name(found[-1])}"
        )
    titles = [entry.metadata.title or "" for entry in entries]
    near = difflib.get_close_matches(wanted, titles, 1, 0.4)
    likely = entries[titles.index(near[0])] if near else entries[-1]
    raise InputError(
        f"{where} has no entry {wanted!r} among its {len(entries)}: give a number, title or guid, as of {_name(likely)}"
    )


def _name(entry: Entry) -> str:
    return f"{entry.metadata.title or 'untitled'!r} ({redact_url(entry.metadata.entry or entry.source)})"


def _fold(title: str | None) -> str:
    return " ".join((title or "").casefold().split())
