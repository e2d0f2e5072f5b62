"""Where each record of a project lives, and how files are written: whole, or not at all."""

import dataclasses
import hashlib
import json
import math
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pipeline.errors import InputError
from pipeline.schema import Alignment, Feature, Method, Placement, Segment, Status, Transcript, Word

Record = TypeVar("Record")
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")


@dataclass(frozen=True, slots=True)
class Project:
    """The folders of a project; every path derives from its root."""

    root: Path

    @property
    def show(self) -> Path:
        """The show's settings."""
        return self.root / "configs" / "show.yaml"

    @property
    def episodes(self) -> Path:
        """The folder of the episodes' settings."""
        return self.root / "configs" / "episodes"

    @property
    def processed(self) -> Path:
        """Everything that can be made again."""
        return self.root / "data" / "processed"

    @property
    def lock(self) -> Path:
        """The file that one run at a time holds."""
        return self.processed / ".lock"

    @property
    def unfinished(self) -> Path:
        """A mark that is there while stages run: found later, it says that a run was killed, or failed."""
        return self.processed / ".unfinished"

    @property
    def runs(self) -> Path:
        """The folder of run reports."""
        return self.processed / "runs"

    @property
    def history(self) -> Path:
        """Every state that an episode's rows were published in, a folder an episode."""
        return self.processed / "history"

    @property
    def dataset(self) -> Path:
        """The folder of Parquet files, one an episode."""
        return self.processed / "catalog"

    @property
    def catalog_csv(self) -> Path:
        """All episodes' rows for people."""
        return self.processed / "catalog.csv"

    def episode(self, episode_id: str) -> Path:
        """The settings of one episode."""
        return self.episodes / f"{episode_id}.yaml"

    def corrections(self, episode_id: str) -> Path:
        """What people decided about the starts of one episode."""
        return self.root / "configs" / "corrections" / f"{episode_id}.yaml"

    def corrections_lock(self, episode_id: str) -> Path:
        """The file that one writer of an episode's corrections at a time holds; no configuration, so not beside it."""
        return self.processed / "state" / f".{episode_id}.corrections.lock"

    def undo_journal(self, episode_id: str) -> Path:
        """The last decisions of reviews of one episode, so that they can be undone after the server has ended."""
        return self.processed / "state" / f"{episode_id}.undo.json"

    def raw(self, episode_id: str) -> Path:
        """The folder of one episode's inputs as they were fetched."""
        return self.root / "data" / "raw" / episode_id

    def lists(self, episode_id: str) -> Path:
        """The folder with every revision of one episode's feature list."""
        return self.raw(episode_id) / "features"

    def transcript(self, episode_id: str) -> Path:
        """What was said in one episode, and when."""
        return self.processed / "transcripts" / f"{episode_id}.json"

    def transcript_parts(self, episode_id: str) -> Path:
        """The folder of what is finished of a transcript in the making."""
        return self.processed / "transcripts" / f"{episode_id}.parts"

    def vectors(self, episode_id: str) -> Path:
        """What the sentences of one episode mean, as numbers; made again where it is missing."""
        return self.processed / "transcripts" / f"{episode_id}.vectors.npz"

    def alignment(self, episode_id: str) -> Path:
        """Where each feature of one episode was placed."""
        return self.processed / "alignments" / f"{episode_id}.json"

    def catalog(self, episode_id: str) -> Path:
        """One episode's rows."""
        return self.dataset / f"{episode_id}.parquet"

    def notes(self, episode_id: str) -> Path:
        """The folder of what is published of one episode: show notes, chapters, subtitles."""
        return self.processed / "notes" / episode_id

    @property
    def turns(self) -> Path:
        """The folder in which downloads take turns."""
        return self.processed / "state" / "turns"

    @property
    def site(self) -> Path:
        """The folder of the search site."""
        return self.processed / "site"

    def state(self, name: str) -> Path:
        """What the files of one episode were made from."""
        return self.processed / "state" / f"{name}.json"


@contextmanager
def write_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; what is written there replaces `path` when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.touch(exist_ok=False)
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    # The rename itself survives a power cut only once the folder is on disk.
    with suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def sweep_temporaries(folder: Path) -> None:
    """Take away what a killed writer left beside the files it was about to replace."""
    for path in folder.rglob(".*.tmp"):
        if _TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Replace the file at `path` by `content`, whole."""
    with write_whole(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, value: Any) -> None:
    """Replace the file at `path` by `value`; long lists of records stand one record a line."""
    write_bytes(path, dump_json(value).encode())


def dump_json(value: Any) -> str:
    """Return JSON that a person can read and a diff can follow: a line for each record."""
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    fields = []
    for key, item in value.items():
        if isinstance(item, list) and item and isinstance(item[0], dict):
            records = ",\n".join("  " + json.dumps(record, ensure_ascii=False) for record in item)
            fields.append(f" {json.dumps(key)}: [\n{records}\n ]")
        else:
            fields.append(f" {json.dumps(key)}: {json.dumps(item, ensure_ascii=False)}")
    return "{\n" + ",\n".join(fields) + "\n}\n"


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file of ours; InputError where it is not one."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"), parse_float=_parse_finite, parse_constant=_parse_finite)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read: {error}; run again with --force to make it anew") from error
    if not isinstance(value, dict):
        raise InputError(f"{path} is not what we wrote; run again with --force to make it anew")
    return value


def _parse_finite(text: str) -> float:
    """A number of ours, which is never infinite; ValueError for any other."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no number of ours")
    return value


def read_record(path: Path, parse: Callable[[dict[str, Any]], Record]) -> Record:
    """Return the record in a JSON file of ours; InputError where its shape is not the one we write."""
    value = read_json(path)
    try:
        return parse(value)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path} is not what we wrote; run again with --force to make it anew") from error


def read_limited(path: Path, limit: int, what: str) -> bytes:
    """Return the bytes of a file given to us; InputError where it cannot be read, or is larger than `limit` bytes."""
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= limit else b""
    except OSError as error:
        raise InputError(f"{what} {path} cannot be read: {error.strerror}") from error
    if size > limit:
        raise InputError(f"{what} {path} has {size >> 20} MB: this must be some other file")
    return content


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def transcript_to_json(transcript: Transcript) -> dict[str, Any]:
    """Return the transcript in the shape of `data/processed/transcripts/<id>.json`."""
    header = {
        "language": transcript.language,
        "duration": transcript.duration,
        "source": transcript.source,
        "model": transcript.model,
        "audio_sha256": transcript.audio_sha256,
        "engine": transcript.engine,
        "remarks": transcript.remarks,
    }
    return {**header, "segments": segments_to_json(transcript.segments)}


def transcript_from_json(value: dict[str, Any]) -> Transcript:
    """Return the transcript that `transcript_to_json` wrote."""
    return Transcript(
        segments_from_json(value["segments"]),
        value["language"],
        value["duration"],
        value["source"],
        value["model"],
        value["audio_sha256"],
        value.get("engine"),
        tuple(value.get("remarks", ())),
    )


def segments_to_json(segments: Iterable[Segment]) -> list[dict[str, Any]]:
    """Return segments as JSON objects; `suspect` stands only where it is true."""
    records = [dataclasses.asdict(segment) for segment in segments]
    return [{name: value for name, value in record.items() if name != "suspect" or value} for record in records]


def segments_from_json(value: list[dict[str, Any]]) -> tuple[Segment, ...]:
    """Return the segments that `segments_to_json` wrote."""
    return tuple(
        Segment(s["start"], s["end"], s["text"], tuple(Word(**word) for word in s["words"]), s.get("suspect", False))
        for s in value
    )


def alignment_to_json(alignment: Alignment) -> list[dict[str, Any]]:
    """Return the placements as JSON objects, in list order."""
    return [dataclasses.asdict(placement) for placement in alignment.placements]


def alignment_from_json(value: list[dict[str, Any]]) -> Alignment:
    """Return the alignment that `alignment_to_json` wrote."""
    return Alignment(
        tuple(
            Placement(
                **{
                    **placement,
                    "status": Status(placement["status"]),
                    "method": Method(placement["method"]),
                    "alternatives": tuple(placement["alternatives"]),
                }
            )
            for placement in value
        )
    )


def features_to_json(features: Iterable[Feature]) -> list[dict[str, Any]]:
    """Return the entries as JSON objects, in list order."""
    return [dataclasses.asdict(feature) for feature in features]


def features_from_json(value: list[dict[str, Any]]) -> tuple[Feature, ...]:
    """Return the entries that `features_to_json` wrote."""
    return tuple(Feature(**feature) for feature in value)
