"""Feature lists from a file or a URL, and the revisions of a list that was fetched."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.core.schema import Feature
from pipeline.download.feature_lists import ListChoice, choose_suffix, find_revision, read_lists, refresh_revision
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
    assert listed.features == (Feature(1, "Sort", "", 500111, feature_key="500111"),)


def test_list_at_url_is_read_by_its_type(server: Server) -> None:
    server.files["/list"] = b"Title,ID\nSort,500111\n"
    server.content_types["/list"] = "text/csv; charset=utf-8"
    (listed,) = read_lists(f"{server.url}/list")
    assert listed.features == (Feature(1, "Sort", "", 500111, feature_key="500111"),)


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


LONG_LIST = "".join(f"Sort column {part} by its {part}th part | v4.{part} #5001{part}\n" for part in range(10, 32))
SIGN_IN = "<!DOCTYPE html><html><body><h1>Sign in</h1><form><p>Enter your password.</p></form></body></html>"
OTHER_PAGES = {
    "maintenance": (
        f"<html><body><h1>Be right back</h1><p>{'We update. ' * 20}</p></body></html>",
        "text/html",
    ),
    "sign in": (SIGN_IN, "text/html"),
    "script page": (
        "<html><body><noscript>Enable JavaScript.</noscript></body></html>",
        "text/html",
    ),
    "error in JSON": ('{"error": "rate limited", "features": []}', "application/json"),
    "cut JSON": ('[{"title": "Sort', "application/json"),
    "binary": ("\x00\x01\x02" * 900, "application/octet-stream"),
    "other table": ("price,amount\n1,2\n", "text/csv"),
    "one entry of before": (
        "Sort column 10 by its 10th part | v4.10 #500110\nA new page | v5 #61\n",
        "text/plain",
    ),
}


@pytest.mark.parametrize("page", OTHER_PAGES)
def test_another_page_is_not_taken(tmp_path: Path, server: Server, page: str) -> None:
    server.put("/long.txt", LONG_LIST.encode(), "text/plain")
    url = f"{server.url}/long.txt"
    kept = refresh_revision(url, tmp_path)
    content, content_type = OTHER_PAGES[page]
    server.put("/long.txt", content.encode(), content_type)
    with pytest.raises(InputError, match="the list of before stays in use") as raised:
        refresh_revision(url, tmp_path)
    assert "\n" not in str(raised.value)
    assert find_revision(url, tmp_path) == kept
    server.put("/long.txt", LONG_LIST.replace("#500110", "#500199").encode(), "text/plain")
    assert refresh_revision(url, tmp_path) != kept


def test_person_can_take_another_page(tmp_path: Path, server: Server) -> None:
    server.put("/long.txt", LONG_LIST.encode(), "text/plain")
    url = f"{server.url}/long.txt"
    refresh_revision(url, tmp_path)
    server.put("/long.txt", LIST.replace(b"5001", b"9001"), "text/plain")
    server.put("/long.txt", b"Print the route of a driver | v9.1 #777111\n", "text/plain")
    taken = refresh_revision(url, tmp_path, ListChoice(accept_any=True))
    assert find_revision(url, tmp_path) == taken
    server.put("/long.txt", b"", "text/plain")
    with pytest.raises(InputError):
        refresh_revision(url, tmp_path, ListChoice(accept_any=True))


def test_first_page_that_is_no_list_is_not_stored(tmp_path: Path, server: Server) -> None:
    server.put("/list.txt", b'{"error": 500}', "application/json")
    with pytest.raises(InputError, match="no list is stored"):
        refresh_revision(f"{server.url}/list.txt", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_page_without_the_chosen_episode_is_not_taken(tmp_path: Path, server: Server) -> None:
    rest = "Episode 8 of the show\n\nPrint a map | v2.1 #600101\nSend a map | v2.1 #600102\n"
    seven = "Episode 7 of the show\n\nRename a map | v2.0 #600001\nShare a map | v2.0 #600002\n\n"
    nine = "\nEpisode 9 of the show\n\nFold a map | v2.2 #600201\nPin a map | v2.2 #600202\n"
    server.put("/all.txt", (seven + rest).encode(), "text/plain")
    choice, url = ListChoice(episode="7"), f"{server.url}/all.txt"
    kept = refresh_revision(url, tmp_path, choice)
    server.put("/all.txt", (rest + nine).encode(), "text/plain")
    with pytest.raises(InputError, match="the list of before stays in use"):
        refresh_revision(url, tmp_path, choice)
    assert find_revision(url, tmp_path) == kept
