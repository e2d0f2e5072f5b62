"""URLs are distinguished from files, and secrets in URLs are redacted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.urls import escape_url, is_http_url, is_url, redact_url, redact_urls


@pytest.mark.parametrize(
    ("source", "expected"), [("audio/ep1.mp3", False), ("https://a.org/x", True), ("C:\\x", False)]
)
def test_url_has_a_scheme(source: str, expected: bool) -> None:
    assert is_url(source) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org/x", True),
        ("http://[::1]:8080/x", True),
        ("javascript:alert(1)", False),
        ("ftp://example.org", False),
        ("https:///x", False),
        ("https://[broken", False),
        ("", False),
        (None, False),
    ],
)
def test_pages_link_only_to_http_urls(url: str | None, expected: bool) -> None:
    assert is_http_url(url) == expected


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("audio/ep1.mp3?token=1", "audio/ep1.mp3?token=1"),
        ("https://ann:pw@example.org/x", "https://example.org/x"),
        ("https://example.org/x?id=7&access_token=abc", "https://example.org/x?id=7&access_token=***"),
        ("https://example.org/x?Signature=a=b&id=7", "https://example.org/x?Signature=***&id=7"),
        ("https://example.org/private/9f8a7c11/feed.rss", "https://example.org/private/***/feed.rss"),
        ("https://example.org/x#session=abc", "https://example.org/x#session=***"),
        ("https://[broken", "https://***"),
    ],
)
def test_redacted_url_holds_no_secret(source: str, shown: str) -> None:
    assert redact_url(source) == shown


def test_urls_within_text_are_redacted() -> None:
    text = "tried https://a.org/?key=1 and then 'http://u:p@b.org/x' failed"
    assert redact_urls(text) == "tried https://a.org/?key=*** and then 'http://b.org/x' failed"


@given(st.from_regex(r"[a-z0-9]{8,20}", fullmatch=True))
def test_secret_is_redacted_anywhere(secret: str) -> None:
    for source in (f"https://u:{secret}@a.org/", f"https://a.org/?apikey={secret}", f"https://a.org/token/{secret}/x"):
        assert secret not in redact_url(source)


# Addresses that break out of a link in one format or another, or run something.
HOSTILE_PARTS = (
    ">)![x](https://evil.example/t.png)<script>alert(1)</script>",
    "\"onclick='x'",
    "]]>",
    "\n#EXTINF:1,x",
    ",=1+1",
    "é \u2028`|",
)


@pytest.mark.parametrize("part", HOSTILE_PARTS)
@pytest.mark.parametrize("template", ["https://a.example/{}", "https://a.example/?q={}", "/{}", "/#{}", "{}"])
def test_escaped_url_holds_no_markup(template: str, part: str) -> None:
    escaped = escape_url(template.format(part))
    assert escaped is not None
    assert not set(escaped) & set("<>()[]\"'`|\\^{} \n")
    assert escaped.isascii()
    assert escape_url(escaped) == escaped


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "http://[::1", "", None, "https:///x", "file:///x"]
)
def test_unsafe_url_gives_no_link(url: str | None) -> None:
    assert escape_url(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://a.org/one?t=12",
        "http://[::1]:80/x#t=1",
        "/e/one?t=1",
        "https://a.org/a%20b?x=1&y=2;z#p,q",
        "https://a.org",
    ],
)
def test_plain_url_stays_as_it_is(url: str) -> None:
    assert escape_url(url) == url
