"""Settings files: YAML 1.2, the line of each setting, and text that survives a round trip."""

import os
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from pipeline.core.config import EpisodeConfig, load_episode
from pipeline.core.errors import ConfigError
from pipeline.core.settings_file import MAX_BYTES, StrictModel, dump_settings, load_settings, make_parser


class Recipe(StrictModel):
    """Settings for these tests."""

    name: str = Field(description="what it is called")
    steps: list[str] = Field([], description="what to do")
    day: date | None = Field(None, description="when")


def load(folder: Path, text: str) -> Recipe:
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path, Recipe, Recipe.model_fields)


@pytest.mark.parametrize("word", ["no", "on", "Yes", "52:10", "0o"])
def test_words_of_yaml_1_1_stay_text(tmp_path: Path, word: str) -> None:
    assert load(tmp_path, f"name: {word}\n").name == word


def test_windows_line_ends_and_byte_order_mark_are_read(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_bytes("\ufeffname: Soup\r\nday: 2026-11-23\r\n".encode())
    recipe = load_settings(tmp_path / "recipe.yaml", Recipe, Recipe.model_fields)
    assert (recipe.name, recipe.day) == ("Soup", date(2026, 11, 23))


def test_mistake_in_a_list_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"line 4: `steps`.*\(what to do\)"):
        load(tmp_path, "name: Soup\nsteps:\n  - boil\n  - [1]\n")


def test_large_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"recipe.yaml is larger than 2 MB"):
        load(tmp_path, "name: " + "x" * MAX_BYTES)


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40))
def test_dumped_text_is_read_back(text: str) -> None:
    written = dump_settings({"name": text, "day": date(2026, 11, 23)})
    assert make_parser().load(written) == {"name": text, "day": date(2026, 11, 23)}
    assert written.count("\n") == 2


@pytest.mark.parametrize("value", ["2026-02-30", "[1, 2026-13-01]", "{a: 2026-00-10}"])
def test_value_that_yaml_cannot_read_has_its_line(tmp_path: Path, value: str) -> None:
    path = tmp_path / "one.yaml"
    path.write_text(f"title: One\nsource: a.mp3\npublished: {value}\nfeatures: a.txt\n")
    with pytest.raises(ConfigError, match=r"one.yaml line 3: this is not YAML"):
        load_episode(path)


def test_character_that_yaml_forbids_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    path.write_text("title: One\nsource: a.mp3\n\nfeatures: a\0.txt\n")
    with pytest.raises(ConfigError, match=r"one.yaml line 4: this is not YAML"):
        load_episode(path)


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_settings_are_files(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "one.yaml"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match="one.yaml is not a file"):
        load_episode(path)


@pytest.mark.parametrize(("written", "value"), [("012", 12), ("0x1F", 31), ("0o14", 12), ("1_000", 1000), ("+7", 7)])
def test_number_that_reads_differently_names_its_line(tmp_path: Path, written: str, value: int) -> None:
    (tmp_path / "a.yaml").write_text(f"name: A\nentry: {written}\n")
    with pytest.raises(ConfigError) as raised:
        load_settings(tmp_path / "a.yaml", EpisodeConfig, EpisodeConfig.model_fields)
    expected = f'a.yaml line 2: {written} is the number {value} to YAML: write {value} or "{written}"'
    assert str(raised.value).endswith(expected)


@pytest.mark.parametrize("value", ["!!bool abc", '!!int ""', '!!float "_"', "[[[[[1_000]]]]]"])
def test_value_that_does_not_fit_its_tag_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError, match=r"recipe\.yaml line 2: "):
        load(tmp_path, f"name: A\nextra: {value}\n")


def test_character_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"recipe\.yaml: this is not YAML"):
        load(tmp_path, 'name: "\\UFFFFFFFF"\n')
