"""Feature lists from a file or a URL."""

from pathlib import Path

from pipeline.core.schema import Feature
from pipeline.download.feature_lists import read_lists
from tests.support.web import MediaServer


def test_list_in_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("Title,ID\nSort,500111\n")
    (listed,) = read_lists(str(tmp_path / "list.csv"))
    assert listed.features == (Feature(1, "Sort", "", 500111),)


def test_list_at_url_is_read_by_its_type(media_server: MediaServer) -> None:
    media_server.pages["/list"] = ("text/csv; charset=utf-8", b"Title,ID\nSort,500111\n")
    (listed,) = read_lists(f"{media_server.url}/list")
    assert listed.features == (Feature(1, "Sort", "", 500111),)
