"""Every revision of an episode's feature list, as it came, under `data/raw/<id>/features/`."""

import hashlib
from pathlib import Path

from pipeline.addresses import without_secrets
from pipeline.errors import InputError
from pipeline.fetch import fetch_document
from pipeline.network import Access
from pipeline.storage import read_json, write_bytes, write_json

LATEST = "latest.json"  # which revision an address gave last, and the server's marks of it


def keep_revision(content: bytes, suffix: str, folder: Path) -> Path:
    """Return the file in `folder` that holds these bytes, written unless it is there already."""
    path = folder / f"{hashlib.sha256(content).hexdigest()[:12]}{suffix.lower()}"
    if not path.exists():
        write_bytes(path, content)
    return path


def find_revision(url: str, folder: Path) -> Path | None:
    """Return the file that an address gave last; None where it was not fetched yet, or was another address."""
    latest = folder / LATEST
    if not latest.is_file():
        return None
    record = read_json(latest)
    path = folder / str(record.get("file"))
    return path if record.get("url_sha256") == _digest(url) and path.is_file() else None


def refresh_revision(url: str, folder: Path, *, allow_private: bool = False) -> Path:
    """Return the file with what is at an address now; the server is asked only for what is new."""
    known = find_revision(url, folder)
    record = read_json(folder / LATEST) if known else {}
    access = Access(allow_private=allow_private, retries=2)
    fetched = fetch_document(url, etag=record.get("etag"), last_modified=record.get("last_modified"), access=access)
    if fetched is None:
        if known is None:
            raise InputError(f"{without_secrets(url)} answers 304 though we hold no revision of it: check the address")
        return known
    path = keep_revision(fetched.content, fetched.suffix, folder)
    latest = {
        "url": without_secrets(url),
        "url_sha256": _digest(url),
        "file": path.name,
        "etag": fetched.etag,
        "last_modified": fetched.last_modified,
    }
    write_json(folder / LATEST, latest)
    return path


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()
