"""Feeds as publishers write them: their entries, oldest first, and the search for one of them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.download.feeds import Entry, find_entry, is_feed, parse_feed
from pipeline.download.metadata import Metadata, StatedChapter
from tests.support.faulty_server import write_feed

URL = "https://example.org/kites/feed.xml"
FEED = write_feed("https://example.org")


def items(*bodies: str) -> bytes:
    joined = "".join(f"<item>{body}</item>" for body in bodies)
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{joined}</channel></rss>'.encode()


def test_entry_has_all_metadata_of_its_feed() -> None:
    first, _, last = parse_feed(FEED, URL)
    assert last.source == "https://example.org/talk.mp3?episode=3"
    assert first.metadata == Metadata(
        title="Episode 1: kites & wind",
        published=date(2026, 11, 2),
        duration=20.0,
        page="https://example.org/page-1.html",
        chapters=(StatedChapter(5.0, "Sorting"),),
        description="Notes.\n0:05 Sorting\nDark theme - 0:11",
        entry="kite-0001",
        number=1,
        link="https://example.org/talk.mp3?episode=1#t={seconds}",
        captions="https://example.org/talk.vtt",
    )


@pytest.mark.parametrize(
    "wanted", ["2", "kite-0002", "Episode 2: kites & wind", "episode 2:  KITES & wind", "Episode 2"]
)
def test_entry_is_found_by_number_guid_or_title(wanted: str) -> None:
    assert find_entry(parse_feed(FEED, URL), wanted, "the feed").metadata.entry == "kite-0002"


def test_number_in_title_replaces_a_missing_number() -> None:
    entries = parse_feed(write_feed("https://example.org", numbered=False, count=12), URL)
    assert find_entry(entries, "12", "the feed").metadata.entry == "kite-0012"


def test_oldest_entry_is_first_without_numbers() -> None:
    feed = (
        write_feed("https://example.org", numbered=False).replace(b"Episode 1", b"Alpha").replace(b"Episode 2", b"Beta")
    )
    feed = feed.replace(b"Episode 3", b"Gamma")
    assert find_entry(parse_feed(feed, URL), "1", "the feed").metadata.title == "Alpha: kites & wind"
    with pytest.raises(InputError, match="no entry '4' among its 3"):
        find_entry(parse_feed(feed, URL), "4", "the feed")


def test_unknown_entry_suggests_the_nearest_title() -> None:
    with pytest.raises(
        InputError,
        match=r"no entry 'Episode 2: kite and wint'.*such as that of 'Episode 2: kites & wind' \(kite-0002\)",
    ):
        find_entry(parse_feed(FEED, URL), "Episode 2: kite and wint", "the feed")


def test_ambiguous_title_is_refused() -> None:
    with pytest.raises(InputError, match="3 entries for 'kites': name one by its guid"):
        find_entry(parse_feed(FEED, URL), "kites", "the feed")


def test_entry_of_two_seasons_is_told() -> None:
    sound = "<enclosure url='{}.mp3' type='audio/mpeg' length='1'/>"
    feed = parse_feed(
        items(
            "<title>Ep. 4</title><guid>two/4</guid>" + sound.format("b"),
            "<title>Ep. 4</title><guid>one/4</guid>" + sound.format("a"),
        ),
        URL,
    )
    for wanted in ("4", "Ep. 4"):
        with pytest.raises(InputError, match=f"2 entries for '{wanted}': name one by its guid"):
            find_entry(feed, wanted, URL)


def test_guid_of_two_recordings_is_told() -> None:
    sound = "<guid>same</guid><enclosure url='{}.mp3' type='audio/mpeg' length='1'/>"
    feed = parse_feed(items(sound.format("a"), sound.format("b")), URL)
    with pytest.raises(InputError, match=r"2 entries for 'same': name one by the URL of its audio, such as \S+/a.mp3"):
        find_entry(feed, "same", URL)
    assert find_entry(feed, feed[0].source, URL) == feed[0]


def test_endless_number_is_no_entry() -> None:
    feed = parse_feed(items("<title>A</title><guid>a</guid><enclosure url='a.mp3' type='audio/mpeg'/>"), URL)
    with pytest.raises(InputError, match="has no entry"):
        find_entry(feed, "9" * 5000, URL)


def test_guid_resolved_to_url_is_found() -> None:
    body = '<title>A</title><guid>abc-1</guid><enclosure url="a.mp3" type="audio/mpeg" length="1"/>'
    (entry,) = parse_feed(items(body), URL)
    assert find_entry([entry], "abc-1", "the feed") is entry
    assert entry.source == "https://example.org/kites/a.mp3"


def test_audio_is_preferred_and_text_entries_skipped() -> None:
    both = (
        "<title>B</title><guid>b</guid><enclosure url='v.mp4' type='video/mp4' length='1'/>"
        "<enclosure url='a.mp3' type='audio/mpeg' length='1'/>"
    )
    (entry,) = parse_feed(items("<title>A</title><guid>a</guid><link>https://x/1</link>", both), URL)
    assert entry.source.endswith("a.mp3")
    with pytest.raises(InputError, match="holds no entry with audio"):
        find_entry(parse_feed(items(), URL), "1", "the feed")


def test_invalid_dates_and_durations_are_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    body = (
        "<title>A</title><guid>a</guid><pubDate>soon</pubDate>"
        "<itunes:duration xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'>long</itunes:duration>"
        "<enclosure url='a.mp3' type='audio/mpeg' length='x'/>"
    )
    (entry,) = parse_feed(items(body), URL)
    assert (entry.metadata.published, entry.metadata.duration) == (None, None)
    assert capfd.readouterr() == ("", "")


def test_enclosure_without_url_is_ignored() -> None:
    nowhere = "<enclosure type='audio/mpeg' length='1'/>"
    (entry,) = parse_feed(items(f"<guid>a</guid>{nowhere}", f"<guid>b</guid>{nowhere}<enclosure url='v.mp4'/>"), URL)
    assert entry.source.endswith("v.mp4")


@pytest.mark.parametrize("zone", ["+9999999999999999999", "-999999999999"])
def test_date_out_of_range_is_left_out(zone: str) -> None:
    body = f"<guid>a</guid><pubDate>Mon, 02 Nov 2026 10:00:00 {zone}</pubDate><enclosure url='a.mp3'/>"
    (entry,) = parse_feed(items(body), URL)
    assert entry.metadata.published is None


def test_atom_feed_is_read(tmp_path: object) -> None:
    atom = (
        b'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><entry><title>A</title>'
        b"<id>tag:a</id><published>2026-11-02T10:00:00Z</published>"
        b'<link rel="enclosure" type="audio/mpeg" href="https://example.org/a.mp3"/></entry></feed>'
    )
    assert is_feed(atom)
    (entry,) = parse_feed(atom, URL)
    assert (entry.metadata.entry, entry.metadata.published) == ("tag:a", date(2026, 11, 2))


@pytest.mark.parametrize(
    "content", [b"", b"<html><body>no</body></html>", b"<rss><channel><item>", b"\xff\xfe\x00", b"{}"]
)
def test_other_documents_are_refused(content: bytes) -> None:
    with pytest.raises(InputError, match="the feed cannot be read"):
        parse_feed(content, URL)


def test_exponential_entities_are_refused() -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE r [<!ENTITY e0 "aaaaaaaaaa">{levels}]><rss><channel><title>&e9;</title></channel></rss>'
    with pytest.raises(InputError, match="the feed cannot be read"):
        parse_feed(bomb.encode(), URL)


def test_external_entity_is_not_read() -> None:
    leak = (
        b'<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]><rss><channel><item><title>x&f;</title><guid>a</guid>'
        b'<enclosure url="a.mp3" type="audio/mpeg" length="1"/></item></channel></rss>'
    )
    try:
        entries = parse_feed(leak, URL)
    except InputError:
        return
    assert "root" not in str(entries)


@pytest.mark.parametrize(
    ("content", "feed"),
    [
        (FEED, True),
        (b"\xef\xbb\xbf<rss version='2.0'>", True),
        (b"<?xml version='1.0'?><!-- hello --><feed xmlns='a'>", True),
        (b"<html><rss>", False),
        (b"#EXTM3U", False),
        (b"", False),
    ],
)
def test_feed_is_recognized_by_its_root(content: bytes, feed: bool) -> None:
    assert is_feed(content) is feed


@given(
    st.lists(st.tuples(st.text(max_size=20), st.one_of(st.none(), st.integers(0, 9999))), min_size=1, max_size=6),
    st.text(),
)
def test_any_entry_search_finds_or_explains(listed: list[tuple[str, int | None]], wanted: str) -> None:
    entries = [
        Entry(f"https://x/{index}", Metadata(title=title, number=number, entry=f"g{index}"))
        for index, (title, number) in enumerate(listed)
    ]
    message = ""
    try:
        assert find_entry(entries, wanted, "the feed") in entries
    except InputError as error:
        message = str(error)
    assert not message or message.startswith("the feed has")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for wrapped in (content, b"<rss><channel><item>" + content + b"</item></channel></rss>"):
        message = ""
        try:
            parse_feed(wrapped, URL)
        except InputError as error:
            message = str(error)
        assert "\n" not in message


ITEM = (
    "<title>{title}</title><guid>desk-7</guid><pubDate>Mon, 02 Nov 2026 07:00:00 +0000</pubDate>"
    "<description><![CDATA[Fish & chips &nbsp;]]></description>"
    '<enclosure url="https://example.org/7.mp3?a=1&amp;b=2" type="audio/mpeg"/>'
)


@pytest.mark.parametrize(
    ("title", "read", "encoding", "before"),
    [
        ("Holds", "Holds", "utf-8", "\r\n \n"),
        ("Holds&nbsp;&ndash; fines&hellip;", "Holds – fines…", "utf-8", ""),
        ("Holds & fines &unheard; R&D", "Holds & fines &unheard; R&D", "utf-8", ""),
        ("Größe", "Größe", "cp1252", ""),
        ("Größe &amp; &#228; &eacute;", "Größe & ä é", "cp1252", "\n"),
    ],
)
def test_feed_that_players_read_is_read(title: str, read: str, encoding: str, before: str) -> None:
    text = items(ITEM.format(title=title)).decode().replace('version="1.0"?', 'version="1.0" encoding="UTF-8"?')
    (entry,) = parse_feed((before + text).encode(encoding), URL)
    assert (entry.metadata.title, entry.source) == (read, "https://example.org/7.mp3?a=1&b=2")
    assert "Fish & chips" in entry.metadata.description


def test_feed_that_is_no_xml_has_a_way_out() -> None:
    with pytest.raises(InputError, match="name the URL of the episode's audio as `source`"):
        parse_feed(items("<title>Holds</titel>"), URL)


def test_entities_of_a_document_type_are_not_expanded_by_the_repair() -> None:
    bomb = b'<!DOCTYPE rss [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + items("<title>&b; & more</title>")
    with pytest.raises(InputError):
        parse_feed(bomb, URL)


@pytest.mark.parametrize("opener", ["<?", "<!--", "<![CDATA[", "&", "<", "&a"])
def test_sections_that_never_end_are_refused_at_once(opener: str) -> None:
    """Each opener was searched to the end of the feed: 32 kB took seconds, 200 kB minutes."""
    with pytest.raises(InputError):
        parse_feed(b"<rss>&" + opener.encode() * 50_000, URL)


@pytest.mark.parametrize("encoding", ["punycode", "undefined", "idna", "rot13", "hex", "utf-7", "unheard-of"])
def test_feed_with_an_odd_encoding_is_read_or_refused(encoding: str) -> None:
    feed = items(ITEM.format(title="Holds & fines")).replace(
        b'version="1.0"?', f'version="1.0" encoding="{encoding}"?'.encode()
    )
    (entry,) = parse_feed(feed, URL)
    assert entry.metadata.title == "Holds & fines"


def test_bad_byte_spoils_one_letter_of_a_feed() -> None:
    feed = items(ITEM.format(title="Zürich, Größe & Café")).replace(b"Caf", b"\xffCaf")
    (entry,) = parse_feed("\ufeff\n".encode() + feed, URL)
    assert entry.metadata.title == "Zürich, Größe & �Café"
