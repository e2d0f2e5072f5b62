"""Files are written whole or not at all."""

import errno
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.core.storage import atomic_write, read_json, write_bytes


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
