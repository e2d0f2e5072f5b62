"""Files are written whole or not at all."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.core.storage import (
    atomic_write,
    create_file,
    read_json,
    read_limited,
    remove_leftover_lock,
    write_bytes,
    write_json,
)


def test_write_replaces_file_atomically(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    write_bytes(path, b"one")
    write_bytes(path, b"two")
    assert path.read_bytes() == b"two"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


def test_failed_write_leaves_old_file_only(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("file.txt", "old")]


def test_written_file_has_default_permissions(tmp_path: Path) -> None:
    write_bytes(tmp_path / "ours", b"")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_error_names_final_file(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    with pytest.raises(OSError, match="No space left") as full, atomic_write(path):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(IsADirectoryError) as replaced:
        (tmp_path / "folder").mkdir()
        write_bytes(tmp_path / "folder", b"")
    assert (full.value.filename, replaced.value.filename) == (str(path), str(tmp_path / "folder"))
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", b'{"start": 1e400}', b'{"end": -Infinity}'])
def test_damaged_file_says_how_to_regenerate_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.json").write_bytes(content)
    with pytest.raises(InputError, match="--force"):
        read_json(tmp_path / "t.json")


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "link to a device"])
def test_only_files_are_inputs(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "list.txt"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(InputError, match=rf"the list .*list.txt is a {kind.split()[-1]}, not a file"):
        read_limited(path, 1000, "the list")


def test_file_without_stated_size_is_limited() -> None:
    with pytest.raises(InputError, match="more than the"):
        read_limited(Path("/proc/self/maps"), 10, "the list")


def test_half_a_character_survives_json(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    write_json(tmp_path / "a.json", {"path": name, "rows": [{"title": name}]})
    assert read_json(tmp_path / "a.json") == {"path": name, "rows": [{"title": name}]}


@pytest.mark.parametrize(("number", "content", "stays"), [(38, b"", False), (38, b"4711", True), (11, b"", True)])
def test_only_leftover_lock_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, content: bytes, stays: bool
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", refuse)
    lock = tmp_path / ".lock"
    lock.write_bytes(content)
    os.utime(lock, (1, 1))
    remove_leftover_lock(lock)
    assert lock.exists() == stays


def test_of_two_writers_of_a_new_file_one_is_first(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ep1.yaml"
    with ThreadPoolExecutor(8) as pool:
        first = list(pool.map(lambda n: create_file(path, f"title: {n}\n".encode()), range(8)))
    assert first.count(True) == 1
    assert path.read_text() == f"title: {first.index(True)}\n"
    assert list(path.parent.iterdir()) == [path]


def test_new_file_is_written_where_links_are_not_possible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert create_file(tmp_path / "ep1.yaml", b"title: One\n")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"title: One\n"]
