"""Read a feature list as a person has it: the text of a page, a CSV table, or JSON."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.schema import Feature, FeatureList

MAX_BYTES = 8 << 20  # a page of 1,000 entries is under 1 MB; more is some other file

ID = re.compile(r"#\s?(?P<id>\d{3,9})(?!\d)")
VERSION = re.compile(r"(?<![\w.])[vV]\s?(?P<version>\d{1,4}(?:\.\d{1,5}){1,3})(?![\w.]*\d)")
TIME = re.compile(r"(?<![\d:.])\[?\(?(?P<time>(?:\d{1,2}:)?\d{1,3}:[0-5]\d)\)?\]?(?![\d:])")
BRACKETED_ID = re.compile(r"\((?P<id>\d{5,9})\)")
BULLET = re.compile(r"^\s*(?:[-*•·‣◦–]\s*|\d{1,3}[.)]\s+)")
LIST_HEADING = re.compile(r"^\W*(?:full\s+)?features?(?:\s+(?:list|review|overview))?\s*:?\W*$", re.IGNORECASE)
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad")) | {0xA0: " ", 0x202F: " "}

COLUMNS = {
    "position": {"position", "no", "nr"},
    "feature_id": {"featureid", "id", "ticket", "issue"},
    "version": {"version", "release"},
    "title": {"title", "feature", "name", "summary"},
    "description": {"description", "details", "notes"},
    "highlight": {"highlight", "highlights"},
    "published_s": {"publisheds", "published", "timestamp", "time", "start"},
}


@dataclass
class _Draft:
    """An entry while its page is read."""

    line: int
    title: str
    feature_id: int | None = None
    version: str | None = None
    published_s: float | None = None
    description: list[str] = field(default_factory=list)
    highlight: bool = False


def load_features(path: Path) -> FeatureList:
    """Return the list in a file (.csv, .json, or the text of a page); InputError where there is none."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"the feature list {path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise InputError(f"the feature list {path} has {len(content) >> 20} MB: this must be some other file")
    try:
        features = parse_features(decode_text(content), path.suffix.lower())
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return replace(features, sha256=hashlib.sha256(content).hexdigest())


def parse_features(text: str, suffix: str = ".txt") -> FeatureList:
    """Return the list in a document; `suffix` .csv and .json name tables, anything else the text of a page."""
    match suffix:
        case ".csv":
            drafts, warnings = _parse_csv(text)
        case ".json":
            drafts, warnings = _parse_json(text)
        case _:
            drafts, warnings = _parse_page(text.splitlines())
    if not drafts:
        raise InputError("no feature found: expected one entry a line, such as `Title | v2.204 #979667 | 16:36`")
    features = tuple(
        Feature(
            position,
            draft.title,
            " ".join(draft.description),
            draft.feature_id,
            draft.version,
            draft.highlight,
            draft.published_s,
        )
        for position, draft in enumerate(drafts, start=1)
    )
    return FeatureList(features, (*warnings, *_check(drafts)))


def dump_features(features: Sequence[Feature], suffix: str) -> str:
    """Return a list as .csv or .json text that `load_features` reads back to the same list."""
    records = [asdict(feature) for feature in features]
    if suffix == ".json":
        return json.dumps({"features": records}, ensure_ascii=False, indent=1) + "\n"
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: "" if record[name] is None else record[name] for name in COLUMNS} for record in records)
    return text.getvalue()


def decode_text(content: bytes) -> str:
    """Return the text of a file: UTF-8 or UTF-16 by its mark, else UTF-8, else Windows' Latin-1."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def parse_time(text: str) -> float:
    """Return the seconds of `16:36` or `1:02:07`; ValueError otherwise."""
    parts = [int(part) for part in text.split(":")]
    if not 2 <= len(parts) <= 3 or max(parts[1:]) > 59:
        raise ValueError(f"{text!r} is not a time such as 16:36")
    return float(sum(part * 60**power for power, part in enumerate(reversed(parts))))


def _parse_page(lines: list[str]) -> tuple[list[_Draft], list[str]]:
    """The entries of a page's text.

    A line with an id or a version is an entry; the first plain line after it is its description, and a further plain
    line an entry of its own, a bare sentence. What stands before the list (from its heading, else from its first entry
    with an id) is not part of it, but names the highlights.
    """
    cleaned = [(number, _clean(line)) for number, line in enumerate(lines, start=1) if _clean(line)]
    first = _find_first(cleaned)
    drafts: list[_Draft] = []
    warnings: list[str] = []
    open_entry = False
    for number, line in cleaned[first:]:
        draft = _read_entry(number, line)
        if draft is not None:
            drafts.append(draft)
            open_entry = not draft.description
        elif open_entry:
            drafts[-1].description.append(line)
            open_entry = False
        else:
            drafts.append(_Draft(number, line))
    highlights = {int(m["id"]) for _, line in cleaned[:first] for m in BRACKETED_ID.finditer(line)}
    for draft in drafts:
        draft.highlight = draft.feature_id in highlights
    known = {draft.feature_id for draft in drafts}
    warnings += [f"highlight {missing}: its id is not in the list below" for missing in sorted(highlights - known)]
    if first:
        warnings.append(f"lines 1 to {cleaned[first - 1][0]}: read as the page's introduction, not as entries")
    return drafts, warnings


def _find_first(lines: list[tuple[int, str]]) -> int:
    """The index of the list's first line: after its heading, else the first line with an id, else the very first."""
    for index, (_, line) in enumerate(lines):
        if LIST_HEADING.match(line):
            return index + 1
    for index, (number, line) in enumerate(lines):
        if _read_entry(number, line) is not None:
            return index
    return 0


def _read_entry(number: int, line: str) -> _Draft | None:
    """The entry in a line that carries an id, or a version set off from its title; None for any other line."""
    found_id, found_version, found_time = ID.search(line), VERSION.search(line), TIME.search(line)
    if found_id is None and not (found_version and "|" in line):
        return None
    marks = [mark for mark in (found_id, found_version) if mark is not None]
    if found_time is not None and (found_time.start() > marks[0].start() or found_time.start() <= 2):
        marks.append(found_time)
    else:
        found_time = None
    begin, end = min(m.start() for m in marks), max(m.end() for m in marks)
    before, after = _trim(line[:begin]), _trim(line[end:])
    if not before and found_time is not None and found_time.start() == begin:
        rest = min(m.start() for m in marks if m is not found_time)
        before, after = _trim(line[found_time.end() : rest]), after
    title, description = (before, after) if before else (after, "")
    if not title:
        return None
    return _Draft(
        number,
        title,
        int(found_id["id"]) if found_id else None,
        f"v{found_version['version']}" if found_version else None,
        parse_time(found_time["time"]) if found_time else None,
        [description] if description else [],
    )


def _parse_csv(text: str) -> tuple[list[_Draft], list[str]]:
    """The entries of a table whose first line names the columns."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=False)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}: {error}") from error
    if not rows:
        raise InputError("the table is empty")
    columns = [_column(name) for name in rows[0][1]]
    if "title" not in columns:
        raise InputError(f"line {rows[0][0]}: no column is called title (found: {', '.join(rows[0][1])})")
    return _read_records((line, dict(zip(columns, row, strict=False))) for line, row in rows[1:])


def _parse_json(text: str) -> tuple[list[_Draft], list[str]]:
    """The entries of a JSON list of objects, or of an object whose `features` is one."""
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"this is not JSON: {error}") from error
    if isinstance(value, dict):
        value = value.get("features")
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InputError("expected a list of objects with `title`, `feature_id`, `version`, …")
    return _read_records((n, {_column(k): v for k, v in item.items()}) for n, item in enumerate(value, start=1))


def _read_records(records: Iterable[tuple[int, Mapping[str, Any]]]) -> tuple[list[_Draft], list[str]]:
    """Drafts from rows with our column names; a row that names no feature is reported, not dropped in silence."""
    drafts: list[_Draft] = []
    warnings: list[str] = []
    for line, record in records:
        title = _clean(str(record.get("title") or ""))
        if not title:
            warnings.append(f"line {line}: left out, it has no title")
            continue
        draft = _Draft(line, title, description=[_clean(str(record.get("description") or ""))])
        draft.highlight = str(record.get("highlight") or "").strip().lower() in {"true", "1", "yes", "y", "x"}
        digits = re.fullmatch(r"#?\s*(\d{1,15})(?:\.0)?", str(record.get("feature_id") or "").strip())
        draft.feature_id = int(digits[1]) if digits else None
        if record.get("feature_id") and not digits:
            warnings.append(f"line {line}: {record['feature_id']!r} is not an id; left empty")
        version = str(record.get("version") or "").strip()
        draft.version = f"v{version}" if version[:1].isdigit() else version or None
        draft.published_s, complaint = _read_seconds(record.get("published_s"))
        if complaint:
            warnings.append(f"line {line}: {complaint}")
        drafts.append(draft)
    return drafts, warnings


def _read_seconds(value: Any) -> tuple[float | None, str]:
    """Seconds from `996`, `996.0` or `16:36`, and a complaint where it is none of these."""
    text = str(value).strip() if value is not None else ""
    if not text:
        return None, ""
    try:
        seconds = parse_time(text) if ":" in text else float(text)
    except ValueError:
        seconds = -1.0
    return (seconds, "") if 0 <= seconds < 360_000 else (None, f"{text!r} is not a time; left empty")


def _check(drafts: list[_Draft]) -> list[str]:
    """What a person should look at in the list, by line."""
    warnings: list[str] = []
    lines: dict[int, int] = {}
    for draft in drafts:
        if draft.feature_id is None:
            continue
        if draft.feature_id in lines:
            first = lines[draft.feature_id]
            warnings.append(f"line {draft.line}: id {draft.feature_id} stands already in line {first}")
        lines.setdefault(draft.feature_id, draft.line)
    if lines:
        warnings += [f"line {d.line}: no id: {_short(d.title)}" for d in drafts if d.feature_id is None]
    return warnings


def _column(name: str) -> str:
    """Our name for a column, by the names people use."""
    key = re.sub(r"[^a-z]", "", str(name).lower())
    return next((ours for ours, theirs in COLUMNS.items() if key in theirs), key)


def _clean(line: str) -> str:
    """A line without what cannot be seen, its bullet, or control codes, which could drive a terminal."""
    visible = "".join(c if c.isprintable() else " " for c in line.translate(INVISIBLE))
    return " ".join(BULLET.sub("", visible).split())


def _trim(text: str) -> str:
    return text.strip(" \t|–—-•·:,").strip()


def _short(title: str) -> str:
    return title if len(title) <= 60 else title[:59] + "…"
