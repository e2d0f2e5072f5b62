"""What plays is told from the deep link, and a page may hold only links that it is safe to hold."""

import pytest

from pipeline.core.urls import is_http_url
from pipeline.publish.players import Player, file_player, find_player


@pytest.mark.parametrize(
    "url",
    [
        "https://youtu.be/dQw4w9WgXcQ?t=996",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=996s",
        "https://youtube.com/watch?t=996&v=dQw4w9WgXcQ",
        "https://m.youtube.com/live/dQw4w9WgXcQ?t=996",
        "https://www.youtube.com/embed/dQw4w9WgXcQ?start=996",
        "https://www.youtube.com/shorts/dQw4w9WgXcQ",
    ],
)
def test_every_form_of_a_youtube_link_gives_the_video(url: str) -> None:
    assert find_player(url) == Player("youtube", "dQw4w9WgXcQ")
    assert find_player(url).origin == "https://www.youtube-nocookie.com"


@pytest.mark.parametrize(
    ("url", "player"),
    [
        (
            "https://cdn.example.org/shows/ep12.mp3#t=996",
            Player("audio", "https://cdn.example.org/shows/ep12.mp3"),
        ),
        (
            "https://cdn.example.org/ep12.MP4?sig=1#t=996",
            Player("video", "https://cdn.example.org/ep12.MP4?sig=1"),
        ),
        ("https://example.org/episodes/12?t=996", Player("none")),
        ("https://youtu.be/", Player("none")),
        ("https://youtu.be/dQw4w9Wg<cQ", Player("none")),
        ("https://youtube.com.example.org/watch?v=dQw4w9WgXcQ", Player("none")),
        ("https://www.youtube.com/playlist?list=PL1", Player("none")),
        ("javascript:alert(1)//.mp3", Player("none")),
        ("https://exa mple.org/a.mp3", Player("none")),
        ("https://[::1/a.mp3", Player("none")),
        (None, Player("none")),
    ],
)
def test_files_play_and_other_pages_are_links(url: str | None, player: Player) -> None:
    assert find_player(url) == player


@pytest.mark.parametrize("host", ["a'; script-src *", "a;b", "user@a", "a,b", ""])
def test_no_host_can_add_a_rule_to_the_security_policy(host: str) -> None:
    assert not is_http_url(f"https://{host}/a.mp3")


def test_a_file_beside_the_page_needs_no_other_origin() -> None:
    assert file_player("media/ep12.ogg", "ep12.ogg").origin == ""
