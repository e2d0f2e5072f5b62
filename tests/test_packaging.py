"""Requirements are pinned with hashes and name no host; the packaged files are the published ones."""

import hashlib
import re
import tomllib

import pytest

from pipeline.transcribe.models import WHEELS
from tests.support.project import REPOSITORY

LOCKS = ("demo.txt", "dev.txt")
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ]+)(?P<marker> ;.*?)? \\$", re.MULTILINE)


def read_pins(name: str) -> set[tuple[str, str, str]]:
    text = (REPOSITORY / "requirements" / name).read_text()
    return {(m["name"], m["version"], m["marker"] or "") for m in PIN.finditer(text)}


@pytest.mark.parametrize("name", LOCKS)
def test_requirements_are_pinned_with_hashes(name: str) -> None:
    text = (REPOSITORY / "requirements" / name).read_text()
    blocks = re.split(r"\n(?=[^ #])", text)
    assert len(read_pins(name)) > 40
    assert all("--hash=sha256:" in block for block in blocks if "==" in block)


@pytest.mark.parametrize("name", LOCKS)
def test_requirements_name_no_host_or_path(name: str) -> None:
    text = (REPOSITORY / "requirements" / name).read_text()
    assert not re.search(r"://|--(?:extra-)?index|--find-links|--trusted", text)


def test_demo_pins_match_the_development_pins() -> None:
    assert read_pins("demo.txt") <= read_pins("dev.txt")


def test_extra_models_lists_the_known_wheels() -> None:
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {requirement.split("==")[0] for requirement in extras["models"]}
    assert named == {distribution for wheels in WHEELS.values() for distribution in wheels.distributions}
    assert all("==" in requirement for requirement in extras["models"])


def test_bundled_ufuzzy_is_the_published_file() -> None:
    folder = REPOSITORY / "pipeline" / "web" / "ufuzzy"
    digest = hashlib.sha256((folder / "uFuzzy.iife.min.js").read_bytes()).hexdigest()
    assert digest in (REPOSITORY / "docs" / "pages.md").read_text(encoding="utf-8")
    assert "MIT License" in (folder / "LICENSE").read_text(encoding="utf-8")
