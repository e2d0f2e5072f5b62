"""The written walkthroughs that the alignment is fitted to and scored on."""

from itertools import pairwise

import pytest

from benchmarks.episodes import AnnotatedEpisode
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


def test_walkthrough_has_its_list_and_true_starts() -> None:
    episode = parse_walkthrough("kettle", TEXT)
    assert [(feature.title, feature.feature_id, feature.version) for feature in episode.features] == [
        ("Boil: Stops by itself", 4101, "v2.0"),
        ("Lid: Opens with one hand", 4102, "v2.0"),
        ("Cord: Is longer", 4103, "v2.0"),
    ]
    assert episode.features[0].description == "The heater is off from 100 degrees on."
    segments = episode.transcript.segments
    start = next(segment.start for segment in segments if segment.text == "With one thumb, look.")
    assert episode.truth == (start, start, None)


def test_words_follow_each_other_at_the_pace() -> None:
    words = [word for segment in parse_walkthrough("kettle", TEXT).transcript.segments for word in segment.words]
    assert all(word.start < word.end <= following.start for word, following in pairwise(words))
    assert 1.5 < len(words) / words[-1].end < 3.5


@pytest.mark.parametrize("episode", load_walkthroughs(), ids=lambda episode: episode.name)
def test_every_walkthrough_is_complete_and_reproducible(episode: AnnotatedEpisode) -> None:
    discussed = [start for start in episode.truth if start is not None]
    assert len(episode.features) >= 12
    assert len(discussed) >= 0.7 * len(episode.features)
    assert len({feature.title for feature in episode.features}) == len(episode.features)
    assert episode == next(again for again in load_walkthroughs() if again.name == episode.name)
