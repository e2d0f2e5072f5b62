"""Read walkthroughs that were written to try the alignment on: invented products, with the starts marked in the text.

They are harder than published ones: half a minute a feature, often in other words than the list's, out of order, with
banter between. Of them only what is absent is learnt, not where a start lies. A file of `benchmarks/written/` holds a
title, a pace in words a second, the list in the format of feature lists, and the talk, a turn a line, spelt as a
transcriber would spell it. `= 3` says that the talk turns to the third feature, `= 16 17` to two at once, and `= -` to
nothing on the list; a feature that is never named so is not discussed.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.episodes import KnownEpisode
from pipeline.core.schema import Feature, Segment, Transcript, Word

WRITTEN = "written"
FOLDER = Path(__file__).parent / "written"
# A segment ends with its sentence, and before it grows longer than so many words.
LONGEST_WORDS = 26
# A syllable more or less, about; a breath inside a turn, and between two turns, in seconds.
LETTERS, BREATH_S, TURN_S = 4.0, (0.0, 0.25), (0.05, 0.7)
_ENTRY = re.compile(r"^(?P<title>.+?)(?: \| (?P<version>\S+) #(?P<number>\d+))?$")


def load_walkthroughs(folder: Path = FOLDER) -> list[KnownEpisode]:
    """Return the written walkthroughs, by name; the same text has the same times on every machine."""
    return [parse_walkthrough(path.stem, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.txt"))]


def parse_walkthrough(name: str, text: str) -> KnownEpisode:
    """Return the episode that a text describes; its words are given times by their lengths and by chance."""
    head, _, rest = text.partition("\n# list\n")
    listed, _, talk = rest.partition("\n# talk\n")
    title, pace = head.split("\npace ")
    features = _parse_list(listed)
    truth: list[float | None] = [None] * len(features)
    segments = []
    for opened, segment in _time_talk(talk.splitlines(), float(pace), zlib.crc32(title.encode())):
        segments.append(segment)
        for number in opened:
            truth[number - 1] = segment.start
    transcript = Transcript(tuple(segments), "en", segments[-1].end + 1.0)
    return KnownEpisode(WRITTEN, name, transcript, features, tuple(truth))


def _parse_list(text: str) -> tuple[Feature, ...]:
    """Return the features; a line that follows an entry with an id is its description where it has none itself."""
    entries: list[list[str]] = []
    numbered = " #" in text
    for line in text.splitlines():
        if numbered and " #" not in line:
            entries[-1].append(line)
        else:
            entries.append([line])
    features = []
    for position, (entry, *description) in enumerate(entries, 1):
        match = _ENTRY.match(entry)
        assert match is not None
        number = match["number"]
        about = " ".join(description)
        features.append(Feature(position, match["title"], about, int(number) if number else None, match["version"]))
    return tuple(features)


def _time_talk(lines: Sequence[str], pace: float, seed: int) -> Iterator[tuple[list[int], Segment]]:
    """Yield segments, each with the numbers of the features whose discussion it opens."""
    chance = np.random.default_rng(seed)
    clock = 0.2
    opened: list[int] = []
    for line in lines:
        if line.startswith("="):
            opened = [] if line == "= -" else [int(number) for number in line[1:].split()]
            continue
        for sentence in _cut_turn(line):
            words = []
            for token in sentence:
                length = (len(token) + LETTERS) / (4.7 + LETTERS) / pace * chance.uniform(0.75, 1.25)
                words.append(Word(round(clock, 2), round(clock + length, 2), f" {token}"))
                clock += length
            yield opened, Segment(words[0].start, words[-1].end, " ".join(sentence), tuple(words))
            opened = []
            clock += chance.uniform(*BREATH_S)
        clock += chance.uniform(*TURN_S)


def _cut_turn(line: str) -> Iterator[list[str]]:
    """Yield the words of a turn sentence by sentence, long ones in pieces."""
    for sentence in re.split(r"(?<=[.?!])\s+", line.strip()):
        words = sentence.split()
        for begin in count(0, LONGEST_WORDS):
            if begin >= len(words):
                break
            yield words[begin : begin + LONGEST_WORDS]
