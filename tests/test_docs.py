"""The documentation says what the program does."""

import re
import subprocess
import sys
from dataclasses import fields

import pytest
import yaml
from conftest import REPOSITORY

from pipeline.catalog import CatalogRow
from pipeline.config import EpisodeConfig, ShowConfig

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


def test_the_feature_list_shown_in_the_readme_is_understood() -> None:
    from pipeline.features import parse_episodes

    shown = re.findall(r"```text\n(.*?)```", README, re.DOTALL)[0]
    (listed,) = parse_episodes(shown.encode())
    assert [(f.feature_id, f.published_s) for f in listed.features] == [(979667, 996.0)]
    assert listed.warnings == ()
