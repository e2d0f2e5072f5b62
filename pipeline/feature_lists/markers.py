"""The parser of a line with markers: the id, version and time that mark the line as an entry of the list."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from pipeline.core.schema import Feature
from pipeline.core.times import CLOCK, parse_time
from pipeline.feature_lists.credits import Habits, blank_credits, to_ascii
from pipeline.feature_lists.dates import is_date
from pipeline.feature_lists.lines import UNPLACED, Entry

# Signs that stand between two markers of an entry, and around its title.
_SEPARATORS = " \t|,;:/–—−•·-"
# Separators that prose does not use before a number.
_HARD_SEPARATORS = "|\t•·–—"
# The part of a version after its numbers: `-rc.1`, `b2`, ` LTS`.
_RELEASE_SUFFIX = (
    r"(?:[-+.]?(?:rc|beta|alpha|preview|pre|dev|snapshot|post|hotfix|patch|final|nightly|esr|lts|sp|b|a|m)[-.]?\d{0,6}"
    r"(?!\w)|[-+]\d{1,4}(?!\w)|\s(?:LTS|ESR|SP\d|(?:RC|beta|alpha)\s?\d{0,3})\b)?"
)
# A version of two to four parts: `2.204`, `2.204.1-rc.1`.
VERSION_NUMBER = rf"\d{{1,4}}(?:\.\d{{1,5}}){{1,3}}(?i:{_RELEASE_SUFFIX})"
# An id: `#998146`, `(998146)`, `(#12)`, `ID 998146`; not `&#8217;` or the fragment of a URL.
_ID = re.compile(
    r"(?<![\w/&#])(?:(?P<hash>#\s?\d{3,9})|(?P<open>[(\[])\s?(?P<bracket>#\s?\d{1,2}|#?\s?\d{5,9})\s?[)\]]"
    r"|\(:\w{1,20}:`(?P<role>\d{2,9})`\)|(?:ID|Id)\s?[:#]?\s?(?P<word>\d{3,9}))(?![\d]|[.,]\d)"
)
# An id with the letters of its tracker: `PROJ-1234`, `AB#77`, `KB5034441`, `!345`.
_KEY = re.compile(
    r"(?<![\w/&#@.-])(?P<key>(?P<prefix>[A-Z][A-Z0-9_]{1,14}(?=-)|(?i:gh|bpo)(?=-)|(?:[\w.-]{1,40}/)?[A-Za-z][\w.-]{0,30}(?=\#)"
    r"|[A-Z]{1,6}(?=\d{5})|(?=!))(?:[-#!]\d{1,9}|\d{5,10}))(?![\w#-]|\.\d)"
)
# An id after the name of what it counts: `Bug 33105`, `Issue #512`.
_NAMED = re.compile(
    r"(?<![\w/])(?:bug|issue|ticket|case|task|story|work item|pr|mr|cr|sr)s?\s?:?\s?(?P<named>#?\d{2,9})"
    r"(?![\w#-]|[.,]\d)",
    re.IGNORECASE,
)
# A version with its sign or name: `v2.204`, `V. 2.204.1`, `Version 3.119`.
_VERSION = re.compile(rf"(?<![\w.])(?:[vV]\.?\s?|(?i:version|release)\s)(?P<version>{VERSION_NUMBER})(?!\w|\.\d)")
# A time, or the start of a range of times.
_FRACTION = r"(?:[.,]\d{1,3})?"
_TIME = re.compile(
    rf"(?<![\d:.,])(?P<time>{CLOCK}{_FRACTION})(?!\d|:\d)(?:\s?(?:-|–|—|to)\s?{CLOCK}{_FRACTION}(?!\d|:\d))?"
)
# A number without # or v is an id or a version only where it stands alone between separators.
_BARE_NUMBER = re.compile(
    rf"(?:(?<=[|\t•·–—])|^)\s*(?:(?P<id>\d{{5,9}})|(?P<version>{VERSION_NUMBER}))(?=\s*(?:$|[|\t•·–—]))"
)
# A version of one part stands after a separator: `| v3 #512`, `| 24H2 |`, `| Release 12 |`.
_SHORT_VERSION = re.compile(
    r"(?:(?<=[|\t•·–—(\[])|^)\s*(?P<version>[vV]\s?\d{1,4}|\d\dH[12]|(?:Version|Release|Build|Wave)\s\d[\w.]{0,12})"
    r"(?=\s*(?:$|[|\t•·–—#)\]]|\d{1,2}:\d\d))"
)
# Standards and products that look like the id of a tracker.
_NO_TRACKERS = frozenset(
    "utf sha iso aes rfc gpt covid ieee cve tls ssl usb mp http ipv ecma ansi wcag rs md base web log sql win gemini "
    "phi h cwe din en bs lte wpa tpm ps ws gb mb kb-- claude llama unicode".split()
)


class _MarkerKind(Enum):
    """The kinds of markers; each value is the name of a group in `_BARE_NUMBER`."""

    ID = "id"
    VERSION = "version"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class _Marker:
    """One marker, and its place in the line; `prefix` are the letters of an id's tracker."""

    kind: _MarkerKind
    start: int
    end: int
    value: str
    prefix: str | None = None


_NO_HABITS = Habits()


def normalize_version(text: str) -> str:
    """Return `v2.204` for `2.204`, `V 2.204` and `Version 2.204`; other text, such as `24H2`, as it is."""
    number = re.sub(r"^(?:version|release|ver\.)\s+(?=\d)|^v\.?\s?(?=\d)", "", text.strip(), flags=re.IGNORECASE)
    is_number = re.match(r"\d+(?:\.\d+|$)", number) or number != text.strip()
    return f"v{number}" if is_number else number


def make_key(text: str) -> tuple[int | None, str]:
    """Return the number of an id, None where it is more than a number, and the id as published."""
    key = re.sub(r"#\s+", "#", text.strip())
    digits = key.removeprefix("#")
    return (int(digits) if digits.isdigit() else None), key


def parse_entries(text: str, habits: Habits = _NO_HABITS) -> list[Entry]:
    """Return the entries in a line, of which some lines have two or more; empty where the line has no markers."""
    return [entry for part in _split_entries(text) if (entry := parse_line(part, habits)) is not None]


def parse_line(text: str, habits: Habits = _NO_HABITS) -> Entry | None:
    """Return the entry in a line; None where the line has no title, or no markers that stand apart from its prose.

    `habits` are what the other lines of the list show.
    """
    visible = blank_credits(text, habits)
    probe = to_ascii(visible)
    clusters = [cluster for cluster in _cluster_markers(probe) if _stands_apart(probe, cluster, habits)]
    if not clusters:
        return None
    chosen = _choose_clusters(clusters)
    removed = sorted([*chosen, *_find_further_ids(probe, clusters, chosen)], key=lambda cluster: cluster[0].start)
    parts, end = [], 0
    for cluster in removed:
        start, next_end = _measure_cluster(probe, cluster)
        parts.append(_strip_part(visible[end:start]))
        end = next_end
    parts = [part for part in (*parts, _strip_part(visible[end:])) if part]
    if not parts or is_date(parts[0]):
        return None
    return _make_entry(parts, chosen, removed)


def _strip_part(text: str) -> str:
    """Return a part of a line without the separators around it; empty where it is only punctuation."""
    part = text.strip(_SEPARATORS + "\u3000")
    return "" if part in {".", "!", "?", "()", "[]"} else re.sub(r"\s{2,}(?=\S)", " ", part) if "  " in part else part


def _make_entry(parts: list[str], chosen: list[list[_Marker]], removed: list[list[_Marker]]) -> Entry:
    """Return the entry of a title, the texts after it, and the markers."""
    own = [marker for cluster in chosen for marker in cluster]
    further = [marker for cluster in removed if cluster not in chosen for marker in cluster]
    ids = [make_key(marker.value) for marker in (*own, *further) if marker.kind is _MarkerKind.ID]
    # Of several ids, one that is a number is the vendor's own.
    first = next((pair for pair in ids if pair[0] is not None), ids[0] if ids else (None, None))
    versions = [normalize_version(marker.value) for marker in own if marker.kind is _MarkerKind.VERSION]
    times = [parse_time(marker.value) for marker in own if marker.kind is _MarkerKind.TIME]
    feature = Feature(
        position=UNPLACED,
        title=parts[0],
        feature_id=first[0],
        version=versions[0] if versions else None,
        published_s=times[0] if times else None,
        feature_key=first[1],
    )
    others = tuple(number if number is not None else key for number, key in ids if (number, key) != first)
    return Entry(feature, [" ".join(parts[1:])] if len(parts) > 1 else [], other_ids=others)


def _list_markers(text: str) -> Iterator[_Marker]:
    """Yield the ids, versions and times in a line; some overlap."""
    for m in _ID.finditer(text):
        yield _Marker(_MarkerKind.ID, m.start(), m.end(), m["hash"] or m["bracket"] or m["role"] or m["word"])
    for m in _KEY.finditer(text):
        if m["prefix"].lower() not in _NO_TRACKERS and not (m["prefix"] in {"C", "F"} and "#" in m["key"]):
            yield _Marker(_MarkerKind.ID, m.start(), m.end(), m["key"], m["prefix"] or "!")
    for m in _NAMED.finditer(text):
        yield _Marker(_MarkerKind.ID, m.start(), m.end(), m["named"], None if "#" in m["named"] else "named")
    for m in _VERSION.finditer(text):
        yield _Marker(_MarkerKind.VERSION, m.start(), m.end(), m["version"])
    for m in _SHORT_VERSION.finditer(text):
        yield _Marker(_MarkerKind.VERSION, m.start("version"), m.end("version"), m["version"])
    for m in _TIME.finditer(text):
        yield _Marker(_MarkerKind.TIME, m.start(), m.end(), m["time"])
    for m in _BARE_NUMBER.finditer(text):
        kind = _MarkerKind.ID if m["id"] else _MarkerKind.VERSION
        yield _Marker(kind, m.start(kind.value), m.end(), m[kind.value])


def _find_markers(text: str) -> list[_Marker]:
    """Return the ids, versions and times in a line; of two that overlap, the first."""
    markers: list[_Marker] = []
    for marker in sorted(_list_markers(text), key=lambda marker: (marker.start, -marker.end)):
        if not markers or marker.start >= markers[-1].end:
            markers.append(marker)
    return markers


def _cluster_markers(text: str) -> list[list[_Marker]]:
    """Return a line's markers, grouped where only separators and brackets stand between them."""
    clusters: list[list[_Marker]] = []
    for marker in _find_markers(text):
        if clusters and not text[clusters[-1][-1].end : marker.start].strip(_SEPARATORS + "()[]"):
            clusters[-1].append(marker)
        else:
            clusters.append([marker])
    return [_drop_title_version(text, cluster) for cluster in clusters]


def _drop_title_version(text: str, cluster: list[_Marker]) -> list[_Marker]:
    """Return a cluster without a first version that ends the title: `Upgrade to v1.2 | v2.204 #998146`."""
    versions = [marker for marker in cluster if marker.kind is _MarkerKind.VERSION]
    ends_title = text[: cluster[0].start].rstrip(" ")[-1:].isalnum()
    return cluster[1:] if len(versions) > 1 and versions[0] is cluster[0] and ends_title else cluster


def _measure_cluster(text: str, cluster: list[_Marker]) -> tuple[int, int]:
    """Return the start and end of a cluster, including the brackets around it."""
    start, end = cluster[0].start, cluster[-1].end
    before, after = text[:start].rstrip(), text[end:].lstrip()
    opened = sum(text.count(sign, start, end) for sign in "([")
    closed = sum(text.count(sign, start, end) for sign in ")]")
    opens, closes = before.endswith(("(", "[")), after.startswith((")", "]"))
    if opens and (closes or closed > opened):
        start = len(before) - 1
    if closes and (opens or opened > closed):
        end = len(text) - len(after) + 1
    return start, end


def _stands_apart(text: str, cluster: list[_Marker], habits: Habits) -> bool:
    """Return whether a cluster is no number in prose: its kinds, separators, brackets or place in the line show it."""
    start, end = _measure_cluster(text, cluster)
    before, after = text[:start].rstrip(" "), text[end:]
    kinds = {marker.kind for marker in cluster}
    if len(kinds) > 1 or before.endswith(tuple(_HARD_SEPARATORS)) or before.endswith(" -"):
        return True
    is_last = not after.strip(_SEPARATORS + ")].")
    if (start, end) != (cluster[0].start, cluster[-1].end) or text[start] in "([":
        return not before.strip(_SEPARATORS) or _opens_sentence(after) or is_last
    if not before.strip(_SEPARATORS):
        if kinds == {_MarkerKind.ID} and cluster[0].prefix is not None:
            return after.lstrip(" ")[:1] in set(_HARD_SEPARATORS) | {":", "-", "]", ")"} or _is_known(cluster, habits)
        return kinds != {_MarkerKind.VERSION} or after.lstrip(" ")[:1] in set(_HARD_SEPARATORS) | {":", "-"}
    if kinds != {_MarkerKind.ID} or not _is_known(cluster, habits):
        return False
    # After "Title #794180" a new sentence begins; "see #4512 for details" and "in #4512." are prose.
    return not after.strip(_SEPARATORS) or _opens_sentence(after)


def _is_known(cluster: list[_Marker], habits: Habits) -> bool:
    """Return whether an id without separators is one: it has no letters, or letters that other lines have as well."""
    prefix = cluster[0].prefix
    return prefix is None or prefix == "!" or prefix in habits.prefixes


def _opens_sentence(text: str) -> bool:
    first = text.lstrip(_SEPARATORS)[:1]
    return first.isupper() or first in set("“\"‘'")


def _choose_clusters(clusters: list[list[_Marker]]) -> list[list[_Marker]]:
    """Return the clusters of one entry, in order: the one with the most kinds, and others that add a new kind.

    Of two with as many kinds, one at the beginning of the line counts, or else the last one.
    """
    best = max(clusters, key=lambda c: (len({m.kind for m in c}), c[0].start <= 1, c[0].start))
    kinds = {marker.kind for marker in best}
    chosen = [best]
    for cluster in clusters:
        if cluster is not best and not kinds & {marker.kind for marker in cluster}:
            kinds |= {marker.kind for marker in cluster}
            chosen.append(cluster)
    return sorted(chosen, key=lambda cluster: cluster[0].start)


def _find_further_ids(text: str, clusters: list[list[_Marker]], chosen: list[list[_Marker]]) -> list[list[_Marker]]:
    """Return the clusters of ids at the end of the line that belong to an entry with another id."""
    further, end = [], len(text)
    for cluster in reversed(clusters):
        start, next_end = _measure_cluster(text, cluster)
        if text[next_end:end].strip(_SEPARATORS + "."):
            break
        if cluster not in chosen and all(marker.kind is _MarkerKind.ID for marker in cluster):
            further.append(cluster)
        end = start
    return further


def find_prefixes(texts: Iterable[str]) -> frozenset[str]:
    """Return the trackers' letters that begin or end at least two lines, with different numbers."""
    keys: dict[str, set[str]] = {}
    for text in texts:
        for m in _KEY.finditer(to_ascii(text)):
            at_edge = not text[: m.start()].strip(" ([") or not text[m.end() :].strip(" )].")
            if at_edge and m["prefix"].lower() not in _NO_TRACKERS:
                keys.setdefault(m["prefix"], set()).add(m["key"])
        for m in _NAMED.finditer(to_ascii(text)):
            if not text[: m.start()].strip(" (["):
                keys.setdefault("named", set()).add(m["named"])
    return frozenset(prefix for prefix, found in keys.items() if len(found) > 1)


def _split_entries(text: str) -> list[str]:
    """Return the parts of a line that holds several entries, each with the same kinds of markers; else the line."""
    probe = to_ascii(text)
    clusters = _cluster_markers(probe)
    if len(clusters) < 2:
        return [text]
    full = [cluster for cluster in clusters if len({marker.kind for marker in cluster}) > 1]
    if len(full) > 1 and len({frozenset(marker.kind for marker in cluster) for cluster in full}) == 1:
        return _cut(text, full, probe)
    times = [cluster for cluster in clusters if {marker.kind for marker in cluster} == {_MarkerKind.TIME}]
    if len(times) == len(clusters) and _are_chapters(probe, times):
        return _cut(text, times, probe)
    return [text]


def _are_chapters(text: str, clusters: list[list[_Marker]]) -> bool:
    """Return whether a line is a list of chapters: each rising time is followed by a title."""
    if text[: clusters[0][0].start].strip("([ "):
        return False
    seconds = [parse_time(cluster[0].value) for cluster in clusters]
    titles = [text[cluster[-1].end :].lstrip(_SEPARATORS + ")]")[:1] for cluster in clusters]
    return seconds == sorted(set(seconds)) and all(title.isupper() for title in titles)


def _cut(text: str, clusters: list[list[_Marker]], probe: str) -> list[str]:
    """Return the parts of a line: each begins with its markers where the line does, else ends with them."""
    bounds = [_measure_cluster(probe, cluster) for cluster in clusters]
    if not probe[: bounds[0][0]].strip(_SEPARATORS + "(["):
        starts = [start for start, _ in bounds]
        return [text[start:end].rstrip(" |,;") for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    ends = [end for _, end in bounds[:-1]]
    return [text[start:end].lstrip(" |,;") for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]
