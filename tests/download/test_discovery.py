"""New episodes: settings written from the metadata of a source; an import of a feed can be repeated."""

import json
from datetime import date
from pathlib import Path

import pytest

from pipeline.core.config import load_episode
from pipeline.core.errors import ConfigError, InputError
from pipeline.core.project import Project
from pipeline.core.settings_file import make_parser
from pipeline.download import discovery
from pipeline.download.discovery import (
    NewEpisode,
    add_new_episodes,
    describe_source,
    make_settings,
    resolve_list,
    write_settings,
)
from pipeline.download.feeds import Entry
from pipeline.download.fetch_audio import resolve_entry
from pipeline.download.metadata import Metadata
from pipeline.download.retry import FetchPolicy
from tests.support.command import catalog
from tests.support.faulty_server import Server, respond, write_feed

QUICK = FetchPolicy(retries=0)


def add(project: Project, source: str, since: date | None = None, features: str | None = None) -> list[NewEpisode]:
    return add_new_episodes(project, source, since=since, features=features, policy=QUICK, before_request=lambda: None)


def ids(added: list[NewEpisode]) -> list[str]:
    return [result.episode_id for result in added if not result.skipped]


@pytest.fixture
def empty(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.episodes.mkdir(parents=True)
    project.show.write_text("name: The Kite Show\ndownload: {pause: 0}\n")
    return project


def test_entry_of_feed_is_named_by_guid(empty: Project, faulty: Server) -> None:
    feed = f"{faulty.url}/feed.xml"
    source, entry, metadata = describe_source(feed, "2", empty.root, QUICK)
    assert (source, entry) == (feed, "kite-0002")
    write_settings(empty.episode("ep2"), make_settings("ep2", source, entry, metadata, "pages/ep2.txt"))
    config = load_episode(empty.episode("ep2"))
    assert (config.title, config.published, config.duration) == ("Episode 2: kites & wind", date(2026, 11, 3), None)
    assert config.link == f"{faulty.url}/talk.mp3?episode=2#t={{seconds}}"
    assert config.features == "pages/ep2.txt"


def test_file_is_named_relative_to_project(empty: Project, media: Path) -> None:
    (empty.root / "audio").mkdir()
    (empty.root / "audio" / "ep1.mp3").write_bytes((media / "talk.mp3").read_bytes())
    for name in ("audio/ep1.mp3", str(empty.root / "audio" / "ep1.mp3")):
        source, entry, metadata = describe_source(name, None, empty.root, QUICK)
        assert (source, entry, metadata.title) == ("audio/ep1.mp3", None, "ep1")
        assert metadata.duration == pytest.approx(20.0, abs=0.1)
    assert describe_source(str(media / "talk.m4a"), None, empty.root, QUICK)[0] == str(media / "talk.m4a")
    with pytest.raises(InputError, match="nowhere.mp3 is neither in"):
        describe_source("nowhere.mp3", None, empty.root, QUICK)


def test_list_is_named_relative_to_project(
    empty: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    (elsewhere / "outside.txt").touch()
    (empty.root / "list.txt").touch()
    assert resolve_list("list.txt", empty.root) == ("list.txt", True)
    assert resolve_list(str(empty.root / "list.txt"), empty.root) == ("list.txt", True)
    assert resolve_list("outside.txt", empty.root) == (str(elsewhere / "outside.txt"), True)
    assert resolve_list("later.txt", empty.root) == ("later.txt", False)
    assert resolve_list("https://example.org/list", empty.root) == ("https://example.org/list", True)


def test_feed_without_entry_is_refused(empty: Project, faulty: Server) -> None:
    with pytest.raises(InputError, match="name the episode with `entry`"):
        describe_source(f"{faulty.url}/feed.xml", None, empty.root, QUICK)


@pytest.mark.parametrize(
    "title", ["yes", "Kites: #1", "- [x]", "'", "null", "12", "a\u2028b", "Über {seconds}", "x: |"]
)
def test_any_title_survives_the_settings_file(empty: Project, title: str) -> None:
    write_settings(empty.episode("a"), make_settings("a", "a.mp3", None, Metadata(title=title), "a.txt"))
    assert load_episode(empty.episode("a")).title == title


def test_existing_settings_are_not_overwritten(empty: Project) -> None:
    settings = make_settings("a", "a.mp3", None, Metadata(duration=3727.0), "a.txt")
    assert write_settings(empty.episode("a"), settings)
    assert 'duration: "1:02:07"' in empty.episode("a").read_text()
    assert not write_settings(empty.episode("a"), settings)
    with pytest.raises(ConfigError, match="names another source or entry"):
        write_settings(empty.episode("a"), make_settings("a", "b.mp3", None, Metadata(), "a.txt"))
    with pytest.raises(ConfigError, match="names another feature list: edit `features` in it"):
        write_settings(empty.episode("a"), make_settings("a", "a.mp3", None, Metadata(), "b.txt"))


def test_new_entries_are_added_once(empty: Project, faulty: Server) -> None:
    feed = f"{faulty.url}/feed.xml"
    assert ids(add(empty, feed, date(2026, 11, 3))) == ["ep2", "ep3"]
    assert add(empty, feed, date(2026, 11, 3)) == []
    assert ids(add(empty, feed)) == ["ep1"]
    faulty.files["/feed.xml"] = write_feed(faulty.url, count=4)
    before = {path.name: path.read_bytes() for path in empty.episodes.iterdir()}
    assert ids(add(empty, feed, date(2026, 11, 3))) == ["ep4"]
    assert {path.name: path.read_bytes() for path in empty.episodes.iterdir()}.items() > before.items()


def test_entry_with_an_episode_is_not_added(empty: Project, faulty: Server) -> None:
    feed = f"{faulty.url}/feed.xml"
    own = "title: Mine\nfeatures: a.txt\nsource: "
    empty.episode("first").write_text(f"{own}{faulty.url}/talk.mp3?episode=1\n")
    empty.episode("second").write_text(f"{own}{feed}\nentry: 2\n")
    empty.episode("ep3").write_text(f"{own}audio/ep3.mp3\n")
    added = add(empty, feed)
    assert [(result.episode_id, result.skipped) for result in added] == [
        ("ep3", "ep3 exists with another source: left as it is")
    ]


def second_season(url: str) -> bytes:
    """Return a feed whose second season counts from 1 again; `kite-` are the guids of the first, `gust-` the second."""
    first, second = write_feed(url), write_feed(url, "/talk.m4a").replace(b"kite-", b"gust-").replace(b"2026", b"2027")
    return first.replace(b"<item>", second[second.index(b"<item>") : second.rindex(b"</channel>")] + b"<item>", 1)


def test_second_season_gets_ids_of_its_own(empty: Project, faulty: Server) -> None:
    feed = f"{faulty.url}/feed.xml"
    add(empty, feed)
    faulty.files["/feed.xml"] = second_season(faulty.url)
    assert ids(add(empty, feed)) == ["2027-11-02", "2027-11-03", "2027-11-04"]
    assert load_episode(empty.episode("2027-11-02")).entry == "gust-0001"
    assert load_episode(empty.episode("ep1")).entry == "kite-0001"
    assert add(empty, feed) == []


def test_number_of_two_seasons_is_told_not_added(empty: Project, faulty: Server) -> None:
    feed = f"{faulty.url}/feed.xml"
    faulty.files["/feed.xml"] = second_season(faulty.url)
    empty.episode("pilot").write_text(f"title: Pilot\nfeatures: a.txt\nsource: {feed}\nentry: 1\n")
    added = add(empty, feed)
    told = [result for result in added if result.failed]
    assert [result.title[-11:] for result in told] == ["(kite-0001)", "(gust-0001)"]
    assert all("it may be pilot, whose `entry` fits several entries" in result.skipped for result in told)
    assert len(ids(added)) == 4


def test_broken_settings_hide_no_other_episode(empty: Project, faulty: Server) -> None:
    feed = f"{faulty.url}/feed.xml"
    broken = f"title: Mine: really\nfeatures: a.txt\nsource: {feed}\nentry: kite-0002\n"
    empty.episode("pilot").write_text(broken)
    (empty.episodes / ".swp.yaml").write_text("\0")
    ran = catalog("new", "--from", feed, cwd=empty.root)
    assert ran.returncode == 3
    assert f"{empty.episode('pilot')} line 1: " in ran.stderr
    # The entry that the broken file names gets no second episode.
    assert ran.stdout == "added ep1: Episode 1: kites & wind\nadded ep3: Episode 3: kites & wind\n"
    assert empty.episode("pilot").read_text() == broken
    again = catalog("new", "--from", feed, cwd=empty.root)
    assert (again.returncode, again.stdout) == (1, "nothing new\n")


def test_entries_of_one_guid_are_named_by_url(empty: Project, faulty: Server) -> None:
    faulty.files["/feed.xml"] = write_feed(faulty.url, count=2).replace(b"kite-0002", b"kite-0001")
    feed = f"{faulty.url}/feed.xml"
    assert ids(add(empty, feed)) == ["ep1", "ep2"]
    wanted = load_episode(empty.episode("ep2")).entry
    assert wanted == f"{faulty.url}/talk.mp3?episode=2"
    assert resolve_entry(feed, wanted, empty.root, QUICK).source == wanted
    assert add(empty, feed) == []


def test_id_comes_from_number_or_date(empty: Project, faulty: Server) -> None:
    feed = write_feed(faulty.url, numbered=False).replace(b"Episode ", b"../../Tape ")
    faulty.files["/feed.xml"] = feed
    assert ids(add(empty, f"{faulty.url}/feed.xml")) == ["2026-11-02", "2026-11-03", "2026-11-04"]
    faulty.files["/same.xml"] = (
        feed.replace(b"kite-", b"bird-").replace(b"03 Nov", b"02 Nov").replace(b"episode=", b"tape=")
    )
    assert ids(add(Project(empty.root / "other"), f"{faulty.url}/same.xml")) == [
        "2026-11-02",
        "2026-11-02-2",
        "2026-11-04",
    ]


def test_entry_without_date_is_skipped_with_since(empty: Project, faulty: Server) -> None:
    faulty.files["/two.html"] = b'<html><video src="/talk.mp3"></video><video src="/talk.m4a"></video></html>'
    added = add(empty, f"{faulty.url}/two.html", date(2026, 11, 3))
    assert [result.skipped for result in added] == ["its source gives no date to compare with --since"] * 2
    added = add(empty, f"{faulty.url}/two.html")
    assert ids(added) == ["undated", "undated-2"]
    assert ids(add(empty, f"{faulty.url}/two.html")) == []


@pytest.mark.slow
def test_failed_entry_leaves_the_others_added(empty: Project, faulty: Server) -> None:
    faulty.files["/two.html"] = b'<html><video src="/talk.mp3"></video><video src="/gone.mp3"></video></html>'
    faulty.fail("/gone.mp3", respond(404))
    ran = catalog("new", "--from", f"{faulty.url}/two.html", cwd=empty.root)
    assert (ran.returncode, ran.stdout) == (3, "added undated: talk\n")
    assert "does not exist (404 or 410)" in ran.stderr
    assert catalog("new", "--from", f"{faulty.url}/two.html", cwd=empty.root).returncode == 1


def test_playlist_pages_are_requested_once_for_dates(
    empty: Project, faulty: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The descriptions of the pages are replayed: bare files have no date."""
    listed = [
        Entry(f"{faulty.url}/v/{n}", Metadata(title=f"Part {n}", media_id=f"v{n}", entry=f"v{n}")) for n in (1, 2)
    ]
    requested: list[str] = []

    def describe(url: str, policy: FetchPolicy) -> dict[str, object]:
        requested.append(url)
        return {"id": url[-2:], "title": f"Part {url[-1]}", "webpage_url": url, "upload_date": f"2026110{url[-1]}"}

    monkeypatch.setattr(discovery, "list_entries", lambda *_: tuple(listed))
    monkeypatch.setattr(discovery, "describe_media", describe)
    assert ids(add(empty, "https://example.org/list", date(2026, 11, 2))) == ["2026-11-02"]
    assert len(requested) == 2
    assert add(empty, "https://example.org/list", date(2026, 11, 2)) == []
    assert len(requested) == 2
    dates = empty.turns / "entry-dates.json"
    dates.write_text(dates.read_text().replace("2026-11-01", "2026-11-0q"))
    assert add(empty, "https://example.org/list", date(2026, 11, 2)) == []
    assert len(requested) == 3  # a corrupted date is requested again
    assert ids(add(empty, "https://example.org/list", date(2026, 11, 1))) == ["2026-11-01"]
    assert load_episode(empty.episode("2026-11-01")).source == listed[0].source


def test_template_names_the_lists(empty: Project, faulty: Server) -> None:
    add(empty, f"{faulty.url}/feed.xml", features="lists/{number}-{episode_id}-{published}.txt")
    assert load_episode(empty.episode("ep2")).features == "lists/2-ep2-2026-11-03.txt"
    faulty.files["/feed.xml"] = write_feed(faulty.url, count=4)
    with pytest.raises(InputError, match=r"--features 'a\{nope\}' cannot be filled in.*\{episode_id\}"):
        add(empty, f"{faulty.url}/feed.xml", features="a{nope}")


def test_entry_without_template_field_fails(empty: Project, faulty: Server) -> None:
    """Otherwise its list would be `lists/.txt`."""
    feed = write_feed(faulty.url, numbered=False, count=1)
    faulty.files["/feed.xml"] = feed.replace(b"Episode 1", b"Talk one")
    (result,) = add(empty, f"{faulty.url}/feed.xml", features="lists/{number}.txt")
    assert result.failed
    assert "lists/{number}.txt" in result.skipped
    assert not list(empty.episodes.iterdir())


@pytest.mark.parametrize(
    ("page", "features"),
    [
        ("https://example.org/ep", "https://example.org/ep"),
        ("http://169.254.169.254/x", "pages/ep1.txt"),
        ("file:///etc/hostname", "pages/ep1.txt"),
        ("/list.txt", "pages/ep1.txt"),
    ],
)
def test_list_is_the_public_page_of_entry(empty: Project, faulty: Server, page: str, features: str) -> None:
    faulty.files["/feed.xml"] = write_feed(faulty.url, count=1).replace(
        f"{faulty.url}/page-1.html".encode(), page.encode()
    )
    add(empty, f"{faulty.url}/feed.xml")
    assert load_episode(empty.episode("ep1")).features == features


def test_command_writes_settings_from_metadata(empty: Project, faulty: Server) -> None:
    ran = catalog("new", "ep2", f"{faulty.url}/feed.xml", "--entry", "2", "--features", "a.txt", cwd=empty.root)
    assert (ran.returncode, ran.stdout) == (0, "wrote configs/episodes/ep2.yaml\n")
    assert make_parser().load(empty.episode("ep2").read_text())["entry"] == "kite-0002"
    again = catalog("new", "ep2", f"{faulty.url}/feed.xml", "--entry", "2", "--features", "a.txt", cwd=empty.root)
    assert (again.returncode, again.stdout) == (0, "configs/episodes/ep2.yaml has these settings already\n")
    ran = catalog("new", "--from", f"{faulty.url}/feed.xml", "--since", "2026-11-03", "--json", cwd=empty.root)
    assert [result["episode_id"] for result in json.loads(ran.stdout)] == ["ep3"]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("ep1",),
        ("ep1", "a.mp3"),
        ("--since", "2026-11-03"),
        ("--from", "x", "--since", "soon"),
        ("ep1", "--from", "x"),
    ],
)
def test_incomplete_command_is_a_usage_error(empty: Project, arguments: tuple[str, ...]) -> None:
    assert catalog("new", *arguments, cwd=empty.root).returncode == 2


def test_show_with_releases_needs_no_feature_lists(faulty: Server, empty: Project) -> None:
    with empty.show.open("a") as show:
        show.write("releases: [{version: v1.1, list: v1.1.csv}]\n")
    ran = catalog("new", "--from", f"{faulty.url}/feed.xml", cwd=empty.root)
    assert ran.returncode == 0, ran.stderr
    texts = [path.read_text() for path in empty.episodes.glob("*.yaml")]
    assert texts
    assert all("features" not in text for text in texts)
