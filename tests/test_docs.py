"""The documentation says what the program does."""

import re
import runpy
import shlex
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from textwrap import dedent

import duckdb
import pytest

from pipeline.core.config import load_episode, load_show
from pipeline.core.corrections import load_corrections
from pipeline.publish.tables import write_catalog
from tests.support.command import COMMANDS, help_of
from tests.support.project import REPOSITORY
from tests.support.rows import SCORED_ROWS as ROWS

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
EVALUATION = REPOSITORY / "docs" / "evaluation"
PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md"), REPOSITORY / "demo" / "README.md"])
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
BLOCK = re.compile(r"^([ ]*)```(\w*)\n(.*?)^[ ]*```", re.DOTALL | re.MULTILINE)
REFERENCE = runpy.run_path(str(REPOSITORY / "docs" / "generate_reference.py"))


def find_blocks(page: Path, kind: str) -> list[str]:
    """A page's code blocks of a kind, without the blanks that a list indents them by."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [dedent(text) for _, name, text in found if name == kind]


def check_catalog(words: list[str]) -> None:
    """A call of the program names a command that exists, and options that it knows."""
    assert words[0] in COMMANDS, words
    below = words[1:2] if words[0] == "models" else []
    for word in words:
        if word.startswith("--"):
            assert word.split("=")[0] in help_of(words[0], *below), words


def check_python(words: list[str]) -> None:
    """A script or module that is run is there; a line of Python can be compiled."""
    if words[0] == "-c":
        compile(words[1], "documentation", "exec")
        return
    path = words[1].replace(".", "/") + ".py" if words[0] == "-m" else words[0]
    assert (words[0] == "-m" and words[1] == "pytest") or (REPOSITORY / path).is_file(), words


def check_pip(words: list[str]) -> None:
    """What pip is given is there: our extras, files of requirements, packages pinned as the lock has them."""
    assert words[0] in {"install", "download", "wheel"}, words
    for word in words:
        for extra in re.findall(r"\[([\w,]+)\]", word):
            assert set(extra.split(",")) <= set(PROJECT["project"]["optional-dependencies"]), words
    for option, value in pairwise(words):
        assert option != "-r" or (REPOSITORY / value).is_file(), words


def check_make(words: list[str]) -> None:
    """A target of make is there."""
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    assert all(re.search(rf"^{re.escape(word)}:", makefile, re.MULTILINE) for word in words), words


def check_shell(words: list[str]) -> None:
    """A shell's own word, or a program of others whose line has no meaning of ours."""


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "catalog": check_catalog,
    "python": check_python,
    "pip": check_pip,
    "make": check_make,
    **dict.fromkeys(("cd", "cp", "export", "ray", "flock", "sh", "git", "apt-get", "uv"), check_shell),
}


@each_page
def test_every_line_of_a_shell_block_is_of_a_kind_that_is_checked(page: Path) -> None:
    for text in find_blocks(page, "sh"):
        for line in text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                CHECKS[Path(words[0]).name](words[1:])


@each_page
def test_every_command_within_a_sentence_exists(page: Path) -> None:
    for line in re.findall(r"`catalog ([a-z][^`\n]*)", page.read_text(encoding="utf-8")):
        check_catalog(line.split())
    for line in re.findall(r"`python ((?:-m )?[\w./-]+)", page.read_text(encoding="utf-8")):
        check_python(line.split())
    for line in re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8")):
        check_make([line])


@each_page
def test_every_block_says_what_it_holds_and_is_of_a_kind_that_is_checked(page: Path) -> None:
    """A block of text is read by a test of its own, or is what the program printed."""
    kinds = {name for _, name, _ in BLOCK.findall(page.read_text(encoding="utf-8"))}
    assert kinds <= {"sh", "yaml", "toml", "python", "sql", "text"}


@each_page
def test_every_file_of_settings_that_is_shown_is_right(page: Path, tmp_path: Path) -> None:
    """What stands under `columns:` or `download:` alone is part of a show's settings."""
    for text in find_blocks(page, "yaml"):
        path = tmp_path / "shown.yaml"
        path.write_text(text)
        first = text.splitlines()[0]
        if "corrections" in first:
            assert load_corrections(path)
        elif "configs/episodes/" in first:
            load_episode(path)
        else:
            path.write_text(text if re.search("^name:", text, re.MULTILINE) else f"name: x\n{text}")
            load_show(path)


def test_what_is_written_by_the_program_is_what_it_says_now() -> None:
    """Else run: python docs/generate_reference.py."""
    for name in REFERENCE["PAGES"]:
        page = (REPOSITORY / "docs" / name).read_text(encoding="utf-8")
        assert page == REFERENCE["fill_page"](name, page), name


def find_links(page: Path) -> set[Path]:
    """Return the files that a page links to."""
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    return {(page.parent / target).resolve() for target in targets}


def test_readme_leads_to_every_page() -> None:
    linked = find_links(REPOSITORY / "README.md") | find_links(EVALUATION / "README.md")
    assert EVALUATION / "README.md" in linked
    missing = [page for page in PAGES if page.resolve() not in linked and page.parent.name != "adr"]
    assert {page.name for page in missing} <= {"README.md", "SECURITY.md"}


@each_page
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text(encoding="utf-8")):
        name, _, place = target.partition("#")
        path = page.parent / name if name else page
        assert path.exists(), target
        if place:
            headings = re.findall(r"^#+ (.*)", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert place in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}, target


def test_what_download_does_is_measured(media: Path) -> None:
    """Else run: python -m benchmarks.download_faults --write."""
    page = (EVALUATION / "download.md").read_text(encoding="utf-8")
    namespace = runpy.run_path(str(REPOSITORY / "benchmarks" / "download_faults.py"))
    assert page == namespace["fill_page"](page, namespace["make_table"](media))


CATALOG_PAGE = (REPOSITORY / "docs" / "catalog.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def analyst(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder with two episodes, as an analyst has it."""
    root = tmp_path_factory.mktemp("analyst")
    for number, name in enumerate(("ep1", "ep2"), start=1):
        published = date(2026, 11, number)
        rows = [replace(row, episode_id=name, published_on=published, drift_s=4.0 * number) for row in ROWS]
        write_catalog(rows, root / "data" / "processed" / "catalog" / f"{name}.parquet")
    return root


@pytest.mark.parametrize("query", re.findall(r"```sql\n(.*?)```", CATALOG_PAGE + README, re.DOTALL))
def test_every_query_that_is_written_down_runs(analyst: Path, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(analyst)
    query = re.sub(r"feature_id = \d+", "feature_id = 500001", query)
    assert duckdb.connect().execute(query).fetchall()


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", CATALOG_PAGE + README, re.DOTALL))
def test_every_example_in_python_runs(analyst: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(analyst)
    exec(compile(code, "documentation", "exec"), {})


def test_the_feature_list_shown_in_the_readme_is_understood() -> None:
    from pipeline.feature_lists.load import parse_episodes

    shown = re.findall(r"```text\n(.*?)```", README, re.DOTALL)[0]
    (listed,) = parse_episodes(shown.encode())
    assert [(f.feature_id, f.published_s) for f in listed.features] == [(979667, 996.0)]
    assert listed.warnings == ()
