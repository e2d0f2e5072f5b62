"""Write files atomically and read them with one clear error."""

import errno
import hashlib
import json
import math
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from pipeline.core.errors import InputError

Record = TypeVar("Record")
# Temporary files of `atomic_write`.
_TEMPORARY = re.compile(r"\.(?P<target>.+)\.[0-9a-f]{8}\.tmp")


@contextmanager
def atomic_write(path: Path, *, replace: bool = True) -> Iterator[Path]:
    """Yield a temporary path; the file written there replaces `path` when the block ends without an exception.

    With `replace` false it takes only a free name, and FileExistsError is raised where another file has it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder: a rename across file systems is a copy, which can be interrupted.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.touch(exist_ok=False)
        yield temporary
        # Flush the content before the rename: otherwise a power cut can leave an empty file under the name.
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        if replace or not _link_file(temporary, path):
            os.replace(temporary, path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        # Name the final file: people do not know the temporary one, and a full disk names none.
        if isinstance(error, OSError) and error.errno and error.filename in {None, str(temporary)}:
            error.filename = str(path)
        raise
    # The rename survives a power cut only after the folder is flushed.
    with suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _link_file(temporary: Path, path: Path) -> bool:
    """Give a file a free name; return False on a file system without links (FAT), where only a rename is left."""
    try:
        # Unlike a rename, a link replaces nothing.
        os.link(temporary, path)
    except OSError as error:
        if error.errno in {errno.EPERM, errno.ENOTSUP, errno.ENOSYS}:
            return False
        raise
    temporary.unlink()
    return True


def remove_temp_files(folder: Path) -> None:
    """Remove the temporary files that killed writers left below a folder."""
    for path in folder.rglob(".*.tmp"):
        if _TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)


def target_of_temp_file(path: Path) -> str | None:
    """Return the name of the file that a temporary file was to replace; None for any other file."""
    match = _TEMPORARY.fullmatch(path.name)
    return match["target"] if match else None


def remove_leftover_lock(path: Path) -> None:
    """Remove an empty lock file on a file system without flock, as a copy of a project brings along.

    There, the file itself is the lock, and names its holder; with flock, an empty file stays when a run ends.
    """
    try:
        import fcntl

        with path.open("rb") as opened:
            status = os.fstat(opened.fileno())
            try:
                # Releasing takes no lock, which could stop a run that starts now.
                fcntl.flock(opened, fcntl.LOCK_UN)
            except OSError as error:
                # A holder writes its name at once.
                if error.errno == errno.ENOSYS and not status.st_size and time.time() - status.st_mtime > 1:
                    path.unlink()
    except (OSError, ImportError):
        pass


def write_bytes(path: Path, content: bytes) -> None:
    """Replace the file at `path` with `content`, atomically."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def create_file(path: Path, content: bytes) -> bool:
    """Write a file that does not exist yet, whole or not at all; return False where another writer was first."""
    try:
        with atomic_write(path, replace=False) as temporary:
            temporary.write_bytes(content)
    except FileExistsError:
        return False
    return True


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file of people atomically: a link stays a link, and the file keeps its owner and its mode."""
    target = path.resolve()
    status = target.stat() if target.exists() else None
    with atomic_write(target) as temporary:
        temporary.write_bytes(content)
        if status is not None:
            for owner in ((status.st_uid, status.st_gid), (-1, status.st_gid)):
                # Only root gives files away; a member of the file's group keeps at least the group.
                with suppress(OSError):
                    os.chown(temporary, *owner)
                    break
            temporary.chmod(status.st_mode & 0o7777)


def write_json(path: Path, value: Any) -> None:
    """Replace the file at `path` with the JSON of `value`, one record a line."""
    # Half of a character, as in a path whose bytes are no UTF-8, is written as the escape that JSON has for it.
    write_bytes(path, dump_json(value).encode("utf-8", "backslashreplace"))


def dump_json(value: Any) -> str:
    """Return JSON with one record a line, which people can read and diffs can follow."""
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
    """Return the object in a JSON file that this program wrote; InputError where it is not one."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"), parse_float=_parse_finite, parse_constant=_parse_finite)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read: {error}; re-run with --force to regenerate it") from error
    if not isinstance(value, dict):
        raise InputError(f"{path} has an unexpected format: re-run with --force to regenerate it")
    return value


def _parse_finite(text: str) -> float:
    """Return a number that this program may have written: it is finite. ValueError for any other."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not a number that this program writes")
    return value


def read_record(path: Path, parse: Callable[[dict[str, Any]], Record]) -> Record:
    """Return the record that `parse` builds from a JSON file; InputError for an unexpected format."""
    # A person edited the file, or another version wrote it. A re-run rebuilds it in both cases.
    value = read_json(path)
    try:
        return parse(value)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path} has an unexpected format: re-run with --force to regenerate it") from error


# Where a shell puts the pipes of `<(command)` and `command |`: below the folders of open files, or standard input.
SHELL_PIPES = (Path("/dev/fd"), Path("/proc/self/fd"), Path("/dev/stdin"))


def read_limited(path: Path, limit: int, role: str) -> bytes:
    """Return the bytes of a user's file; InputError where it is unreadable or larger than `limit` bytes.

    `role` names the file in the message, such as "the feed".
    """
    try:
        status = path.stat()
        # The shell's `<(command)` has a writer. A named pipe may have none, and reading it would wait for ever.
        given_by_shell = stat.S_ISFIFO(status.st_mode) and bool({path, path.parent} & set(SHELL_PIPES))
        if not stat.S_ISREG(status.st_mode) and not given_by_shell:
            raise InputError(f"{role} {path} is {_name_kind(status.st_mode)}, not a file: name a file")
        with path.open("rb") as opened:
            # The stated size of a file is no limit: it may grow, and files of the kernel have none.
            content = opened.read(limit + 1)
    except OSError as error:
        raise InputError(f"{role} {path} cannot be read: {error.strerror}") from error
    if len(content) > limit:
        size = max(status.st_size, len(content)) >> 20
        raise InputError(f"{role} {path} has {size} MB, more than the {limit >> 20} MB allowed: name the right file")
    return content


def _name_kind(mode: int) -> str:
    kinds = {stat.S_ISDIR: "a folder", stat.S_ISFIFO: "a pipe", stat.S_ISSOCK: "a socket"}
    return next((name for is_kind, name in kinds.items() if is_kind(mode)), "a device")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
