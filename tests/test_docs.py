"""The documentation says what the program does."""

import re
import runpy
import subprocess
import sys
from dataclasses import fields, replace
from datetime import date
from pathlib import Path

import duckdb
import pytest
import yaml
from conftest import REPOSITORY
from test_evaluate import ROWS

from pipeline.catalog import CatalogRow
from pipeline.config import EpisodeConfig, ShowConfig
from pipeline.tables import write_catalog

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md"), REPOSITORY / "demo" / "README.md"])


def help_of(*command: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *command, "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
    ).stdout


COMMANDS = re.findall(r"^  (\w+) ", help_of().split("Commands:")[1], re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"`catalog {command}" in README or f"\ncatalog {command}" in README or f"| `{command}` |" in README


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_that_is_written_down_exists(page: object) -> None:
    text = page.read_text(encoding="utf-8")  # type: ignore[attr-defined]
    for line in re.findall(r"(?:^|`)catalog ([a-z][^`\n]*)", text, re.MULTILINE):
        command = line.split()[0]
        assert command in COMMANDS, line
        known = help_of(command)
        for option in re.findall(r"(--[a-z]+)", line):
            assert option in known, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_to_one(page: object) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):  # type: ignore[attr-defined]
        assert (page.parent / target).exists(), target  # type: ignore[attr-defined]


def test_the_readme_lists_the_columns_in_their_order() -> None:
    listed = README[README.index("The columns, in their order:") :].split("What each means")[0]
    assert re.findall(r"`(\w+)`", listed) == [field.name for field in fields(CatalogRow)]


def test_the_settings_shown_in_the_readme_are_right() -> None:
    show, episode = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)[:2]
    assert ShowConfig.model_validate(yaml.safe_load(show)).name == "By the [run]Book"
    assert EpisodeConfig.model_validate(yaml.safe_load(episode)).features == "pages/ep12.txt"


def test_the_data_dictionary_is_made_from_the_schema() -> None:
    """Else run: python docs/generate_reference.py."""
    page = REPOSITORY / "docs" / "catalog.md"
    namespace = runpy.run_path(str(REPOSITORY / "docs" / "generate_reference.py"))
    assert page.read_text(encoding="utf-8") == namespace["fill_page"](page.read_text(encoding="utf-8"))


def test_what_download_does_is_measured(media: Path) -> None:
    """Else run: python benchmarks/download_faults.py --write."""
    page = (REPOSITORY / "docs" / "download.md").read_text(encoding="utf-8")
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
    from pipeline.features import parse_episodes

    shown = re.findall(r"```text\n(.*?)```", README, re.DOTALL)[0]
    (listed,) = parse_episodes(shown.encode())
    assert [(f.feature_id, f.published_s) for f in listed.features] == [(979667, 996.0)]
    assert listed.warnings == ()
