"""The player of a deep link, and the links that a page may hold."""

import pytest

from pipeline.core.urls import is_http_url
from pipeline.publish.players import NO_PLAYER, Player, PlayerKind, find_file_player, find_player


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
def test_youtube_link_gives_video(url: str) -> None:
    assert find_player(url) == Player(PlayerKind.YOUTUBE, "dQw4w9WgXcQ")
    assert find_player(url).origin == "https://www.youtube-nocookie.com"


@pytest.mark.parametrize(
    ("url", "player"),
    [
        (
            "https://cdn.example.org/shows/ep12.mp3#t=996",
            Player(PlayerKind.AUDIO, "https://cdn.example.org/shows/ep12.mp3"),
        ),
        (
            "https://cdn.example.org/ep12.MP4?sig=1#t=996",
            Player(PlayerKind.VIDEO, "https://cdn.example.org/ep12.MP4?sig=1"),
        ),
        ("https://example.org/episodes/12?t=996", NO_PLAYER),
        ("https://youtu.be/", NO_PLAYER),
        ("https://youtu.be/dQw4w9Wg<cQ", NO_PLAYER),
        ("https://youtube.com.example.org/watch?v=dQw4w9WgXcQ", NO_PLAYER),
        ("https://www.youtube.com/playlist?list=PL1", NO_PLAYER),
        ("javascript:alert(1)//.mp3", NO_PLAYER),
        ("https://exa mple.org/a.mp3", NO_PLAYER),
        ("https://[::1/a.mp3", NO_PLAYER),
        (None, NO_PLAYER),
    ],
)
def test_file_plays_and_other_page_does_not(url: str | None, player: Player) -> None:
    assert find_player(url) == player


@pytest.mark.parametrize("host", ["a'; script-src *", "a;b", "user@a", "a,b", ""])
def test_host_cannot_add_rule_to_security_policy(host: str) -> None:
    assert not is_http_url(f"https://{host}/a.mp3")


def test_file_of_site_has_no_other_origin() -> None:
    assert find_file_player("media/ep12.ogg", "ep12.ogg").origin == ""
