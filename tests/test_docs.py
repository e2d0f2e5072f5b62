"""The documentation matches the program: commands, settings, links, queries and examples."""

import json
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
from pipeline.feature_lists.documents import SUFFIXES
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
    """Return a page's code blocks of one kind, without the indentation of a list."""
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [dedent(text) for _, name, text in blocks if name == kind]


def check_catalog(words: list[str]) -> None:
    """Check that a call of `catalog` names an existing command and its options."""
    assert words[0] in COMMANDS, words
    below = words[1:2] if words[0] == "models" else []
    for word in words:
        if word.startswith("--"):
            assert word.split("=")[0] in help_of(words[0], *below), words


def check_python(words: list[str]) -> None:
    """Check that a script or module exists, or that a line of Python compiles."""
    if words[0] == "-c":
        compile(words[1], "documentation", "exec")
        return
    path = words[1].replace(".", "/") + ".py" if words[0] == "-m" else words[0]
    assert (words[0] == "-m" and words[1] == "pytest") or (REPOSITORY / path).is_file(), words


def check_pip(words: list[str]) -> None:
    """Check that the extras and requirements files given to pip exist."""
    assert words[0] in {"install", "download", "wheel"}, words
    for word in words:
        for extra in re.findall(r"\[([\w,]+)\]", word):
            assert set(extra.split(",")) <= set(PROJECT["project"]["optional-dependencies"]), words
    for option, value in pairwise(words):
        assert option != "-r" or (REPOSITORY / value).is_file(), words


def check_make(words: list[str]) -> None:
    """Check that a target of make exists."""
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    assert all(re.search(rf"^{re.escape(word)}:", makefile, re.MULTILINE) for word in words), words


def check_shell(words: list[str]) -> None:
    """Accept a shell builtin or another program, whose arguments are not checked."""


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "catalog": check_catalog,
    "python": check_python,
    "pip": check_pip,
    "make": check_make,
    **dict.fromkeys(("cd", "cp", "export", "ray", "flock", "sh", "git", "apt-get", "uv"), check_shell),
}


@each_page
def test_shell_lines_call_existing_commands(page: Path) -> None:
    for text in find_blocks(page, "sh"):
        for line in text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                CHECKS[Path(words[0]).name](words[1:])


@each_page
def test_commands_in_sentences_exist(page: Path) -> None:
    for line in re.findall(r"`catalog ([a-z][^`\n]*)", page.read_text(encoding="utf-8")):
        check_catalog(line.split())
    for line in re.findall(r"`python ((?:-m )?[\w./-]+)", page.read_text(encoding="utf-8")):
        check_python(line.split())
    for line in re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8")):
        check_make([line])


@each_page
def test_code_blocks_are_of_checked_kinds(page: Path) -> None:
    """A test of its own reads each block of text, or the program printed it."""
    kinds = {name for _, name, _ in BLOCK.findall(page.read_text(encoding="utf-8"))}
    assert kinds <= {"sh", "yaml", "toml", "python", "sql", "json", "text"}


@each_page
def test_lines_have_at_most_120_characters(page: Path) -> None:
    """Rows of tables and code blocks cannot be wrapped."""
    prose = BLOCK.sub("", page.read_text(encoding="utf-8"))
    long = [line for line in prose.splitlines() if len(line) > 120 and not line.startswith("|")]
    assert long == []


@each_page
def test_json_shown_is_valid(page: Path) -> None:
    for text in find_blocks(page, "json"):
        json.loads(text)


@each_page
def test_settings_shown_are_valid(page: Path, tmp_path: Path) -> None:
    """A block with `columns:` or `download:` alone is part of a show's settings."""
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


def test_generated_reference_is_up_to_date() -> None:
    """If it fails, run: python docs/generate_reference.py."""
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
def test_links_lead_to_existing_files_and_headings(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text(encoding="utf-8")):
        name, _, place = target.partition("#")
        path = page.parent / name if name else page
        assert path.exists(), target
        if place:
            headings = re.findall(r"^#+ (.*)", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert place in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}, target


@pytest.mark.slow
def test_download_table_matches_the_benchmark(media: Path) -> None:
    """If it fails, run: python -m benchmarks.download_faults --write."""
    page = (EVALUATION / "download.md").read_text(encoding="utf-8")
    namespace = runpy.run_path(str(REPOSITORY / "benchmarks" / "download_faults.py"))
    assert page == namespace["fill_page"](page, namespace["make_table"](media))


CATALOG_PAGE = (REPOSITORY / "docs" / "catalog.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def analyst(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project folder with two episodes, as an analyst has it."""
    root = tmp_path_factory.mktemp("analyst")
    for number, name in enumerate(("ep1", "ep2"), start=1):
        published = date(2026, 11, number)
        rows = [replace(row, episode_id=name, published_on=published, drift_s=4.0 * number) for row in ROWS]
        write_catalog(rows, root / "data" / "processed" / "catalog" / f"{name}.parquet")
    return root


@pytest.mark.parametrize("query", re.findall(r"```sql\n(.*?)```", CATALOG_PAGE + README, re.DOTALL))
def test_documented_queries_run(analyst: Path, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(analyst)
    query = re.sub(r"feature_id = \d+", "feature_id = 500001", query)
    assert duckdb.connect().execute(query).fetchall()


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", CATALOG_PAGE + README, re.DOTALL))
def test_documented_python_examples_run(analyst: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(analyst)
    exec(compile(code, "documentation", "exec"), {})


def test_formats_of_feature_lists_are_documented() -> None:
    table = (REPOSITORY / "docs" / "feature-lists.md").read_text(encoding="utf-8").split("## Markers")[0]
    endings = re.findall(r"`(\.\w+)`", "".join(re.findall(r"^\| (`[^|]*)\|", table, re.MULTILINE)))
    assert set(endings) == SUFFIXES - {""}


def test_feature_list_in_readme_is_parsed() -> None:
    from pipeline.feature_lists.load import parse_episodes

    example = re.findall(r"```text\n(.*?)```", README, re.DOTALL)[0]
    (feature_list,) = parse_episodes(example.encode())
    assert [(feature.feature_id, feature.published_s) for feature in feature_list.features] == [(979667, 996.0)]
    assert feature_list.warnings == ()
