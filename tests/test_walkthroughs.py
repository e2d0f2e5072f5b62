"""The written walkthroughs that the alignment is tried on say what they claim to say."""

from itertools import pairwise

import pytest

from benchmarks.episodes import KnownEpisode
from benchmarks.walkthroughs import load_walkthroughs, parse_walkthrough

TEXT = """Small Talk: Kettle 2
pace 2.5
# list
Boil: Stops by itself | v2.0 #4101
The heater is off from 100 degrees on.
Lid: Opens with one hand | v2.0 #4102
Cord: Is longer | v2.0 #4103
# talk
Hello. It is about kettles today.
= 2 1
With one thumb, look. And it clicks when it's done.
= -
Tea, anyone?
"""


def test_a_walkthrough_has_its_list_and_its_starts() -> None:
    known = parse_walkthrough("kettle", TEXT)
    assert [(one.title, one.feature_id, one.version) for one in known.features] == [
        ("Boil: Stops by itself", 4101, "v2.0"),
        ("Lid: Opens with one hand", 4102, "v2.0"),
        ("Cord: Is longer", 4103, "v2.0"),
    ]
    assert known.features[0].description == "The heater is off from 100 degrees on."
    start = next(one.start for one in known.transcript.segments if one.text == "With one thumb, look.")
    assert known.truth == (start, start, None)


def test_words_follow_each_other_at_the_pace_of_speech() -> None:
    words = [word for segment in parse_walkthrough("kettle", TEXT).transcript.segments for word in segment.words]
    assert all(one.start < one.end <= other.start for one, other in pairwise(words))
    assert 1.5 < len(words) / words[-1].end < 3.5


@pytest.mark.parametrize("known", load_walkthroughs(), ids=lambda known: known.name)
def test_every_walkthrough_is_whole(known: KnownEpisode) -> None:
    told = [start for start in known.truth if start is not None]
    assert len(known.features) >= 12
    assert len(told) >= 0.7 * len(known.features)
    assert len({feature.title for feature in known.features}) == len(known.features)
    assert known == next(again for again in load_walkthroughs() if again.name == known.name)
