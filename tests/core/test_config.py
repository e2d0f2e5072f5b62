"""Settings: what is right is read, what is wrong is named by file, line and field."""

from datetime import date
from pathlib import Path

import pytest

from pipeline.core.config import check_episode_id, check_list_source, choose_releases, load_episode, load_show
from pipeline.core.errors import ConfigError

EPISODE = "title: Twelve\nsource: audio.ogg\nfeatures: list.txt\n"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_show_needs_only_a_name(tmp_path: Path) -> None:
    show = load_show(write(tmp_path, "name: The Kite Show\n"))
    assert (show.name, show.model, show.language, show.link) == ("The Kite Show", "base", None, None)


def test_episode_date_is_read(tmp_path: Path) -> None:
    episode = load_episode(write(tmp_path, EPISODE + "published: 2026-11-23\n"))
    assert (episode.title, episode.published) == ("Twelve", date(2026, 11, 23))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (EPISODE + "sorce: x\n", "line 4: `sorce` is not a setting here; did you mean `source`?"),
        (EPISODE + "published: soon\n", "line 4: `published`"),
        (EPISODE + "link: https://example.org/\n", "line 4: `link` must contain {seconds}"),
        (EPISODE + "link: https://example.org/{secs}\n", "line 4: `link` must contain {seconds}"),
        (EPISODE + "link: https://example.org/{seconds}/{x}\n", "not {x}"),
        (EPISODE + "link: https://example.org/{seconds\n", "line 4: `link` is not a template"),
        (EPISODE + "title: again\n", "line 4: `title` is set twice"),
        (EPISODE.replace("source", "sorce"), "line 2: `sorce` is not a setting here; did you mean `source`?"),
        (
            EPISODE.replace("Twelve", "Episode 12: kites"),
            "line 1: mapping values are not allowed here: put a text that",
        ),
        (
            EPISODE.replace("source", "\tsource"),
            "line 2: found character '\\t' that cannot start any token: indent with",
        ),
        (
            EPISODE.replace("Twelve", "12"),
            "line 1: `title` is a number or date to YAML: put it in quotes (the episode's",
        ),
        (EPISODE.replace("Twelve", "2026-11-23"), "line 1: `title` is a number or date to YAML: put it in quotes"),
        ("title: [open\n", "line 2: "),
        ("just words\n", "expected settings"),
        ("", "expected settings"),
        ("- a\n- b\n", "expected settings"),
        (EPISODE.replace("Twelve", "[1, 2]"), "line 1: `title`"),
        (EPISODE.replace("Twelve", "''"), "line 1: `title`"),
    ],
)
def test_mistake_names_file_line_and_field(tmp_path: Path, text: str, complaint: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as raised:
        load_episode(path)
    assert str(raised.value).startswith(str(path))
    assert complaint in str(raised.value)
    assert "\n" not in str(raised.value)


RELEASES = "name: Kites\nreleases:\n- {version: v2.99, list: a.csv}\n- {version: v2.204, list: b.csv}\n"
NO_LIST = "title: Twelve\nsource: a.ogg\n"


def check(tmp_path: Path, episode: str, show: str = RELEASES) -> None:
    """Check the feature lists of an episode's settings against those of a show."""
    (tmp_path / "show.yaml").write_text(show)
    path = write(tmp_path, episode)
    check_list_source(path, load_episode(path), load_show(tmp_path / "show.yaml"))


@pytest.mark.parametrize(
    ("show", "complaint"),
    [
        (RELEASES + "- {version: 2.99, list: c.csv}\n", "line 5: `version` is a number or date to YAML"),
        (RELEASES + "- {version: '2.99', list: c.csv}\n", "line 2: `releases` names the version 2.99 twice"),
        (RELEASES + "- {version: v1..v2, list: c.csv}\n", "line 5: `version` must be one version"),
        (RELEASES + "- {version: '--', list: c.csv}\n", "line 5: `version` names no version"),
        (RELEASES + "- {version: v3}\n", "line 5: `list` is missing (its release list"),
        (RELEASES + "- {version: v3, list: c.csv, colums: {}}\n", "did you mean `columns`?"),
        (RELEASES + "discussed: all\n", "line 5: `discussed`: Input should be 'most', 'some' or 'few'"),
    ],
)
def test_mistake_in_releases_names_line_and_field(tmp_path: Path, show: str, complaint: str) -> None:
    path = write(tmp_path, show)
    with pytest.raises(ConfigError) as raised:
        load_show(path)
    assert str(raised.value).startswith(str(path))
    assert complaint in str(raised.value)


@pytest.mark.parametrize(
    ("episode", "complaint"),
    [
        ("versions: v2.100\n", "line 3: `versions` names 'v2.100', which is not in `releases` of the show (v2.99, v2"),
        ("versions: [v2.99, v2.9..v2.204]\n", "line 3: `versions` names 'v2.9'"),
        ("versions: v2.204..v2.99\n", "line 3: `versions` has the range v2.204..v2.99, which runs backwards"),
        ("versions: v2.99..v2.204..v3\n", "line 3: `versions` has 'v2.99..v2.204..v3', which is not a range"),
        ("versions: v2.99..\n", "line 3: `versions` names 'no version'"),
    ],
)
def test_mistake_in_versions_names_line(tmp_path: Path, episode: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        check(tmp_path, NO_LIST + episode)
    assert complaint in str(raised.value)


def test_episode_needs_list_or_releases(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`features` is missing .the feature list"):
        check(tmp_path, NO_LIST, "name: Kites\n")
    with pytest.raises(ConfigError, match="needs the release lists in `releases`"):
        check(tmp_path, NO_LIST + "versions: v2.99\n", "name: Kites\n")
    check(tmp_path, NO_LIST)
    check(tmp_path, EPISODE, "name: Kites\n")


@pytest.mark.parametrize(
    ("versions", "chosen"),
    [
        ("v2.204", ["v2.204"]),
        ("'2.204'", ["v2.204"]),
        ("[v2.204, v2.99]", ["v2.204", "v2.99"]),
        ("v2.204, v2.99", ["v2.204", "v2.99"]),
        ("v2.9..v2.204", ["v2.9", "v2.99", "v2.204"]),
        ("[v2.204, v2.9..v2.99]", ["v2.204", "v2.9", "v2.99"]),
        ("[]", []),
    ],
)
def test_versions_are_chosen_in_order(tmp_path: Path, versions: str, chosen: list[str]) -> None:
    show = RELEASES + "- {version: v2.9, list: c.csv}\n- {version: v3, list: d.csv}\n"
    (tmp_path / "show.yaml").write_text(show)
    episode = load_episode(write(tmp_path, NO_LIST + f"versions: {versions}\n"))
    releases = choose_releases(episode.versions, load_show(tmp_path / "show.yaml").releases)
    assert [release.version for release in releases] == chosen


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"show\.yaml does not exist"):
        load_show(tmp_path / "show.yaml")


def test_binary_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "show.yaml"
    path.write_bytes(b"# Kites\nname: Gr\xfc\xdfe\n")
    with pytest.raises(ConfigError, match=r"show\.yaml line 2: this is not UTF-8: save the file in that encoding"):
        load_show(path)


@pytest.mark.parametrize("episode_id", ["ep12", "2026-11-23", "a_b", "x"])
def test_valid_episode_id_is_accepted(episode_id: str) -> None:
    assert check_episode_id(episode_id) == episode_id


@pytest.mark.parametrize("episode_id", ["../x", "Ep12", "", ".hidden", "a/b", "a b", "-x", "x" * 65, "ep12\n"])
def test_episode_id_with_path_is_refused(episode_id: str) -> None:
    with pytest.raises(ConfigError, match="cannot be an episode's id"):
        check_episode_id(episode_id)
