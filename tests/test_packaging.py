"""What a stranger installs: pinned, without hosts, complete."""

import hashlib
import re
import tomllib

import pytest

from pipeline.transcribe.models import WHEELS
from tests.support.project import REPOSITORY

LOCKS = ("demo.txt", "dev.txt")
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ]+)(?P<marker> ;.*?)? \\$", re.MULTILINE)


def pins(name: str) -> set[tuple[str, str, str]]:
    text = (REPOSITORY / "requirements" / name).read_text()
    return {(m["name"], m["version"], m["marker"] or "") for m in PIN.finditer(text)}


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_pinned_with_a_hash(name: str) -> None:
    text = (REPOSITORY / "requirements" / name).read_text()
    blocks = re.split(r"\n(?=[^ #])", text)
    assert len(pins(name)) > 40
    assert all("--hash=sha256:" in block for block in blocks if "==" in block)


@pytest.mark.parametrize("name", LOCKS)
def test_no_requirements_file_names_a_host_or_a_path(name: str) -> None:
    text = (REPOSITORY / "requirements" / name).read_text()
    assert not re.search(r"://|--(?:extra-)?index|--find-links|--trusted", text)


def test_the_two_requirement_files_agree() -> None:
    assert pins("demo.txt") <= pins("dev.txt")


def test_the_weight_wheels_are_the_ones_the_code_knows() -> None:
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {requirement.split("==")[0] for requirement in extras["models"]}
    assert named == {distribution for wheels in WHEELS.values() for distribution in wheels.distributions}
    assert all("==" in requirement for requirement in extras["models"])


def test_the_library_in_the_package_is_the_one_that_was_published() -> None:
    folder = REPOSITORY / "pipeline" / "web" / "ufuzzy"
    digest = hashlib.sha256((folder / "uFuzzy.iife.min.js").read_bytes()).hexdigest()
    assert digest in (REPOSITORY / "docs" / "pages.md").read_text(encoding="utf-8")
    assert "MIT License" in (folder / "LICENSE").read_text(encoding="utf-8")
