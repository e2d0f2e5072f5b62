"""Paragraphs hold every word in order, and begin where features do."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.schema import Segment, Transcript, Word
from pipeline.publish.paragraphs import LONG_WORDS, Paragraph, cut_paragraphs
from tests.support.project import LINES, make_transcript

TALK = make_transcript(LINES)


def test_feature_opens_paragraph_at_its_start() -> None:
    paragraphs = cut_paragraphs(TALK, [(30.0, 2), (10.0, 1)])
    opened = {paragraph.opens: paragraph for paragraph in paragraphs if paragraph.opens}
    assert {opens: paragraph.words[:2] for opens, paragraph in opened.items()} == {
        (1,): ("Okay,", "first"),
        (2,): ("All", "right,"),
    }


def test_equal_starts_share_paragraph_and_late_start_stays() -> None:
    paragraphs = cut_paragraphs(TALK, [(10.0, 1), (10.0, 2), (999.0, 3)])
    assert (1, 2) in [paragraph.opens for paragraph in paragraphs]
    assert paragraphs[-1] == Paragraph((), (), (3,))


def test_pause_and_length_end_paragraph() -> None:
    words = [Word(n * 0.4, n * 0.4 + 0.3, " so." if n % 10 == 9 else " so") for n in range(LONG_WORDS + 20)]
    later = [Word(100.0, 100.2, " Later")]
    talk = Transcript((Segment(0.0, 40.0, "", tuple(words)), Segment(100.0, 100.2, "", tuple(later))))
    assert [len(paragraph.words) for paragraph in cut_paragraphs(talk, [])] == [LONG_WORDS, 20, 1]


def test_tokens_of_one_word_are_joined() -> None:
    parts = (Word(1.0, 1.2, " The"), Word(1.2, 1.4, " self"), Word(1.4, 1.6, "-checkout"), Word(1.6, 1.8, " is"))
    (paragraph,) = cut_paragraphs(Transcript((Segment(1.0, 1.8, "", parts),)), [])
    assert paragraph == Paragraph(("The", "self-checkout", "is"), (1.0, 1.2, 1.6))


def test_words_without_any_blanks_stay_apart() -> None:
    words = (Word(1.0, 1.2, "The"), Word(1.2, 1.4, "kiosk"))
    (paragraph,) = cut_paragraphs(Transcript((Segment(1.0, 1.4, "", words),)), [])
    assert paragraph.words == ("The", "kiosk")


def test_captions_without_word_times_get_estimated_ones() -> None:
    talk = Transcript((Segment(10.0, 14.0, "one two three"),))
    (paragraph,) = cut_paragraphs(talk, [])
    assert paragraph.words == ("one", "two", "three")
    assert paragraph.starts[0] == 10.0
    assert list(paragraph.starts) == sorted(paragraph.starts)
    assert paragraph.starts[-1] < 14.0


times = st.floats(0, 100, allow_nan=False)
segments = st.lists(st.tuples(times, st.text(min_size=1, max_size=6)), max_size=40)


@given(segments, st.lists(times, max_size=8))
def test_every_word_and_feature_is_kept(spoken: list[tuple[float, str]], starts: list[float]) -> None:
    talk = Transcript(tuple(Segment(at, at + 1, text, (Word(at, at + 1, text),)) for at, text in spoken))
    paragraphs = cut_paragraphs(talk, [(at, number) for number, at in enumerate(starts)])
    assert sorted(word for paragraph in paragraphs for word in paragraph.words) == sorted(
        word for _, text in spoken for word in text.split()
    )
    assert sorted(number for paragraph in paragraphs for number in paragraph.opens) == list(range(len(starts)))
    flat = [start for paragraph in paragraphs for start in paragraph.starts]
    assert flat == sorted(flat)
    assert all(len(paragraph.words) == len(paragraph.starts) for paragraph in paragraphs)
