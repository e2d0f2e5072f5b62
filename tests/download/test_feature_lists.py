"""Feature lists from a file or a URL, and the revisions of a list that was fetched."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.core.schema import Feature
from pipeline.download.feature_lists import choose_suffix, find_revision, read_lists, refresh_revision
from pipeline.download.http import Fetched
from tests.support.faulty_server import Server, serve

LIST = b"Sort by date | v4.10 #500111\n"
EDITED = b"Sort by date | v4.10 #500111 | 0:11\n"


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server(files={"/list.txt": LIST, "/other.txt": LIST}, etags={"/list.txt": '"first"'})
    with serve(state):
        yield state


def test_list_in_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("Title,ID\nSort,500111\n")
    (listed,) = read_lists(str(tmp_path / "list.csv"))
    assert listed.features == (Feature(1, "Sort", "", 500111),)


def test_list_at_url_is_read_by_its_type(server: Server) -> None:
    server.files["/list"] = b"Title,ID\nSort,500111\n"
    server.content_types["/list"] = "text/csv; charset=utf-8"
    (listed,) = read_lists(f"{server.url}/list")
    assert listed.features == (Feature(1, "Sort", "", 500111),)


def test_error_in_list_names_the_url(server: Server) -> None:
    server.files["/empty.csv"] = b"Title,ID\n"
    with pytest.raises(InputError, match=rf"^{server.url}/empty.csv\?key=\*\*\*: no feature"):
        read_lists(f"{server.url}/empty.csv?key=hush")


@pytest.mark.parametrize(
    ("url", "content_type", "content", "suffix"),
    [
        ("https://example.org/list.txt", "text/plain", LIST, ".txt"),
        ("https://example.org/list", "", LIST, ".txt"),
        ("https://example.org/list.CSV?v=1", "application/octet-stream", LIST, ".csv"),
        ("https://example.org/list.csv", "text/html", LIST, ".html"),
        ("https://example.org/list.csv", "text/csv", b"\n<!DOCTYPE html><p>Sign in", ".html"),
        ("https://example.org/list.exe", "text/plain", LIST, ".txt"),
    ],
)
def test_suffix_follows_content_type_then_url(url: str, content_type: str, content: bytes, suffix: str) -> None:
    assert choose_suffix(url, Fetched(content, content_type, None, None)) == suffix


def test_every_revision_is_kept(tmp_path: Path, server: Server) -> None:
    url = f"{server.url}/list.txt"
    assert find_revision(url, tmp_path) is None
    first = refresh_revision(url, tmp_path)
    assert refresh_revision(url, tmp_path) == first
    server.files["/list.txt"] = EDITED
    server.etags["/list.txt"] = '"second"'
    second = refresh_revision(url, tmp_path)
    assert find_revision(url, tmp_path) == second
    assert {path.read_bytes() for path in (first, second)} == {LIST, EDITED}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([first.name, second.name, "latest.json"])


def test_unchanged_list_is_not_sent_again(tmp_path: Path, server: Server) -> None:
    refresh_revision(f"{server.url}/list.txt", tmp_path)
    refresh_revision(f"{server.url}/list.txt", tmp_path)
    assert [headers.get("If-None-Match") for _, headers in server.requests] == [None, '"first"']


def test_damaged_revision_is_fetched_again(tmp_path: Path, server: Server) -> None:
    kept = refresh_revision(f"{server.url}/list.txt", tmp_path)
    kept.write_bytes(b"")
    assert find_revision(f"{server.url}/list.txt", tmp_path) is None
    assert refresh_revision(f"{server.url}/list.txt", tmp_path).read_bytes() == LIST


def test_another_url_has_no_revision(tmp_path: Path, server: Server) -> None:
    refresh_revision(f"{server.url}/list.txt", tmp_path)
    assert find_revision(f"{server.url}/other.txt", tmp_path) is None


def test_failed_refresh_keeps_the_previous_revision(tmp_path: Path, server: Server) -> None:
    kept = refresh_revision(f"{server.url}/list.txt", tmp_path)
    with pytest.raises(InputError):
        refresh_revision(f"{server.url}/gone", tmp_path)
    assert find_revision(f"{server.url}/list.txt", tmp_path) == kept
