"""How files are written and read: whole, or not at all."""

import hashlib
import json
import math
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from pipeline.core.errors import InputError

Record = TypeVar("Record")
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; what is written there replaces `path` when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder: a rename over file systems would be a copy, which can be cut.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.touch(exist_ok=False)
        yield temporary
        # On disk before it has its name: else a power cut could leave the name of an empty file.
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        # People know the file by its own name; a full disk tells none.
        if isinstance(error, OSError) and error.errno and error.filename in {None, str(temporary)}:
            error.filename = str(path)
        raise
    # The rename itself survives a power cut only once the folder is on disk.
    with suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def remove_temp_files(folder: Path) -> None:
    """Take away what a killed writer left beside the files it was about to replace."""
    for path in folder.rglob(".*.tmp"):
        if _TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Replace the file at `path` by `content`, whole."""
    with atomic_write(path) as temporary:
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
    # Written by us and edited by somebody, or by an older version: either is made anew.
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
