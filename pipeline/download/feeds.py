"""Parse podcast feeds (RSS, Atom), and find the entry that a guid, number or title names."""

import codecs
import difflib
import io
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.text import clean_text, decode_declared, decode_text
from pipeline.core.urls import redact_url
from pipeline.download.metadata import Metadata, StatedChapter, make_media_link

# The podcast namespace as feeds declare it, and as podcastparser knows it.
_PODCAST_NAMESPACE = b"https://podcastindex.org/namespace/1.0"
_PODCASTPARSER_NAMESPACE = b"https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/1.0.md"

# What to do where a feed is no XML although its URL is right.
_ADVICE = "check its URL; if players read the feed, name the URL of the episode's audio as `source`"

# Parts of XML in which & stands for itself, and & outside of them: with the name of what it refers to, or bare.
_AMPERSAND = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)|&(?:(\w+);|(?!#\d+;|#[xX][0-9a-fA-F]+;))", re.DOTALL
)
_XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_DECLARED_ENCODING = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:-]+)[\"']")

# Levels of nested XML elements; feeds have a dozen.
MAX_DEPTH = 100

# The similarity (0 to 1, difflib) from which an error suggests a title for the one that was given.
_SUGGESTION_CUTOFF = 0.4

# An episode number in a title: "Episode 12", "Ep. 12", "#12", also in German, French, Spanish, Italian and Dutch.
_NUMBER_IN_TITLE = re.compile(
    r"(?:\b(?:episode|ep|folge|épisode|episodio|aflevering|no|nr)\b\.?\s*|#)(\d{1,4})\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed or playlist: the URL of its audio (`source`) or page, and its metadata."""

    source: str
    metadata: Metadata

    @property
    def has_page(self) -> bool:
        """Whether `source` is a page, as in playlists; a feed gives the audio itself and all metadata."""
        return self.metadata.media_id is not None

    @property
    def number(self) -> int | None:
        """The episode number: the stated one, else the one in its title after "Episode", "Ep." or "#"."""
        match = _NUMBER_IN_TITLE.search(self.metadata.title or "")
        return self.metadata.number or (int(match[1]) if match else None)


def is_feed(content: bytes) -> bool:
    """Return whether a document is a feed, by its root element."""
    head = re.sub(rb"<\?.*?\?>|<!--.*?-->", b"", content[:4096], flags=re.DOTALL).lstrip(b"\xef\xbb\xbf \t\r\n")
    return re.match(rb"<(?:rss|feed|\w+:feed|atom:feed)[\s>]", head, re.IGNORECASE) is not None


def parse_feed(content: bytes, url: str) -> tuple[Entry, ...]:
    """Return a feed's entries that have audio or video, oldest first; InputError where it is not a valid feed.

    Relative URLs are resolved against `url`.
    """
    import podcastparser

    # Invalid dates and durations are ignored: no warning for each.
    logging.getLogger("podcastparser").setLevel(logging.CRITICAL)
    # Players pass over white space before the declaration.
    content = content.removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n")
    try:
        if not _is_xml(content):
            content = _repair(content)
            _is_xml(content)  # podcastparser reports what is still wrong
        feed = podcastparser.parse(url, io.BytesIO(content.replace(_PODCAST_NAMESPACE, _PODCASTPARSER_NAMESPACE)))
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        reason = re.sub(r"^<unknown>:(\d+):\d+:", r"line \1:", " ".join(str(error).split()))
        raise InputError(f"the feed cannot be read ({reason})", _ADVICE) from error
    entries = [_read_entry(item) for item in feed["episodes"] if _list_media(item)]
    # Feeds list the newest entry first. Reversed, the stable sort keeps entries without a date in order of age.
    entries.reverse()
    return tuple(sorted(entries, key=lambda entry: entry.metadata.published or date.min))


def _repair(content: bytes) -> bytes:
    """Return a feed that is no XML as XML where players read it all the same, else as it is.

    Repaired are a wrong encoding, HTML's entities such as `&nbsp;`, and a bare &.
    """
    text = _decode_feed(content)
    # A document type may define entities of its own, which can grow without end.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return content
    text = re.sub(r"^<\?xml.*?\?>", "", text, flags=re.DOTALL)
    return _AMPERSAND.sub(_write_reference, text).encode("utf-8", "replace")


def _decode_feed(content: bytes) -> str:
    """Return the text of a feed: in the encoding that it states, or the one that it has."""
    stated = _DECLARED_ENCODING.match(content)
    text = decode_declared(content, stated[1].decode("ascii")) if stated else None
    return (decode_text(content) if text is None else text).removeprefix("\ufeff").lstrip()


def _write_reference(match: re.Match[str]) -> str:
    """Return a reference that XML knows for one that only HTML knows, and for a bare &."""
    import html
    from html.entities import html5

    name = match[1]
    if not match[0].startswith("&") or name in _XML_ENTITIES:
        return match[0]
    if name is not None and (text := html5.get(f"{name};")) is not None:
        return html.escape(text)
    return "&amp;" + match[0][1:]


def _is_xml(content: bytes) -> bool:
    """Return whether a document is XML; InputError above MAX_DEPTH, as podcastparser keeps the path to each element."""
    from xml.parsers import expat

    depth = 0

    def begin(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            reason = f"line {parser.CurrentLineNumber}: more than {MAX_DEPTH} levels of nested elements"
            raise InputError(f"the feed cannot be read ({reason})", _ADVICE)

    def end(_: object) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError):  # also of an encoding that expat does not know
        return False
    return True


def _list_media(item: dict[str, Any]) -> list[dict[str, Any]]:
    """An entry's enclosures that have a URL, audio first."""
    media = [enclosure for enclosure in item["enclosures"] if enclosure["url"]]
    return sorted(media, key=lambda enclosure: not str(enclosure["mime_type"]).startswith("audio"))


def _read_date(timestamp: float | None) -> date | None:
    """The UTC date of a timestamp; None where there is none, or it is out of range."""
    try:
        return datetime.fromtimestamp(timestamp, UTC).date() if timestamp else None
    except (ValueError, OverflowError, OSError):
        return None


def _read_entry(item: dict[str, Any]) -> Entry:
    media = _list_media(item)[0]
    # podcastparser gives None for a start that it cannot parse.
    chapters = [
        StatedChapter(float(chapter["start"]), str(chapter["title"]))
        for chapter in item.get("chapters", [])
        if chapter.get("start") is not None
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


def find_entry(entries: Sequence[Entry], wanted: str, shown: str) -> Entry:
    """Return the entry that a guid, a number or a title names; InputError where none or several match.

    A number is the publisher's episode number, or the place from the top where no entry has a number (feeds are sorted
    oldest first). A title matches whole, else as a part that only one entry has. `shown` names the source in errors.
    """
    if not entries:
        raise InputError(f"{shown} holds no entry with audio", "check its URL")
    return _require_single(match_entries(entries, wanted), entries, wanted, shown)


def match_entries(entries: Sequence[Entry], wanted: str) -> list[Entry]:
    """Return the entries that a guid, a number or a title names: the numbers of another season are the same again."""
    by_name = [entry for entry in entries if wanted in (entry.metadata.entry, entry.metadata.media_id, entry.source)]
    # A feed may list one recording twice.
    if by_name := list({entry.source: entry for entry in reversed(by_name)}.values())[::-1]:
        return by_name
    if by_end := [entry for entry in entries if (entry.metadata.entry or "").endswith(f"/{wanted}")]:
        # podcastparser resolves a guid against the feed's URL unless the feed marks it as no permalink.
        return by_end
    if re.fullmatch(r"[0-9]{1,9}", wanted):
        numbered = [entry for entry in entries if entry.number is not None]
        if not numbered and 1 <= int(wanted) <= len(entries):
            return [entries[int(wanted) - 1]]
        return [entry for entry in numbered if entry.number == int(wanted)]
    title = _normalize(wanted)
    same = [entry for entry in entries if _normalize(entry.metadata.title) == title]
    return same or [entry for entry in entries if title in _normalize(entry.metadata.title)]


def _require_single(matches: list[Entry], entries: Sequence[Entry], wanted: str, shown: str) -> Entry:
    if len(matches) == 1:
        return matches[0]
    if matches:
        same_guid = len({entry.metadata.entry for entry in matches}) < len(matches)
        raise InputError(
            f"{shown} has {len(matches)} entries for {wanted!r}",
            f"name one by the URL of its audio, such as {redact_url(matches[-1].source)}"
            if same_guid
            else f"name one by its guid, such as {_describe(matches[-1])}",
        )
    titles = [entry.metadata.title or "" for entry in entries]
    near = difflib.get_close_matches(wanted, titles, 1, _SUGGESTION_CUTOFF)
    suggestion = entries[titles.index(near[0])] if near else entries[-1]
    raise InputError(
        f"{shown} has no entry {wanted!r} among its {len(entries)}",
        f"give a number, title or guid, such as that of {_describe(suggestion)}",
    )


def _describe(entry: Entry) -> str:
    return f"{entry.metadata.title or 'untitled'!r} ({redact_url(entry.metadata.entry or entry.source)})"


def _normalize(title: str | None) -> str:
    return " ".join((title or "").casefold().split())
