"""Read the written walkthroughs: invented episodes about invented products, with the starts marked in the text.

They are harder than published episodes: half a minute a feature, often in other words than the list's, out of order,
with banter between. Only the absence of features is learned from them, not where a start lies.

A file of `benchmarks/written/` holds a title, a pace in words a second, the list in the format of feature lists, and
the speech, a turn a line, spelled as a transcriber would spell it. `= 3` marks that the third feature starts, `= 16 17`
that two start at once, and `= -` that nothing on the list is discussed from here on. A feature without a mark is not
discussed.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.episodes import AnnotatedEpisode
from pipeline.core.schema import Feature, Segment, Transcript, Word

# Show name of the written walkthroughs.
WRITTEN = "written"

# Folder of their texts.
FOLDER = Path(__file__).parent / "written"

# Words of a segment at most; a segment ends with its sentence, or earlier.
MAX_SEGMENT_WORDS = 26

# Letters of an average word, and the letters that the length of every word counts besides its own.
MEAN_LETTERS = 4.7
BASE_LETTERS = 4.0

# Factor, drawn at random, by which a word is shorter or longer than its letters say.
WORD_VARIATION = (0.75, 1.25)

# Seconds, drawn at random, between two sentences of a turn.
BREATH_S = (0.0, 0.25)

# Seconds, drawn at random, between two turns.
TURN_S = (0.05, 0.7)

_ENTRY = re.compile(r"^(?P<title>.+?)(?: \| (?P<version>\S+) #(?P<number>\d+))?$")


def load_walkthroughs(folder: Path = FOLDER) -> list[AnnotatedEpisode]:
    """Return the written walkthroughs by name; the same text has the same times on every machine."""
    return [parse_walkthrough(path.stem, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.txt"))]


def parse_walkthrough(name: str, text: str) -> AnnotatedEpisode:
    """Return the episode that a text describes; word times follow from the lengths of words and a seeded draw."""
    head, _, rest = text.partition("\n# list\n")
    entries, _, speech = rest.partition("\n# talk\n")
    title, pace = head.split("\npace ")
    features = _parse_list(entries)
    truth: list[float | None] = [None] * len(features)
    segments = []
    for started, segment in _time_speech(speech.splitlines(), float(pace), zlib.crc32(title.encode())):
        segments.append(segment)
        for position in started:
            truth[position - 1] = segment.start
    transcript = Transcript(tuple(segments), "en", segments[-1].end + 1.0)
    return AnnotatedEpisode(WRITTEN, name, transcript, features, tuple(truth))


def _parse_list(text: str) -> tuple[Feature, ...]:
    """Return the features; in a list with ids, a line without an id is the description of the entry before it."""
    entries: list[list[str]] = []
    has_ids = " #" in text
    for line in text.splitlines():
        if has_ids and " #" not in line:
            entries[-1].append(line)
        else:
            entries.append([line])
    features = []
    for position, (entry, *description) in enumerate(entries, 1):
        match = _ENTRY.match(entry)
        assert match is not None
        number = match["number"]
        feature_id = int(number) if number else None
        features.append(Feature(position, match["title"], " ".join(description), feature_id, match["version"]))
    return tuple(features)


def _time_speech(lines: Sequence[str], pace: float, seed: int) -> Iterator[tuple[list[int], Segment]]:
    """Yield segments, each with the positions of the features that start with it.

    `pace` is in words a second.
    """
    random = np.random.default_rng(seed)
    time = 0.2
    started: list[int] = []
    for line in lines:
        if line.startswith("="):
            started = [] if line == "= -" else [int(number) for number in line[1:].split()]
            continue
        for sentence in _split_turn(line):
            words = []
            for token in sentence:
                letters = (len(token) + BASE_LETTERS) / (MEAN_LETTERS + BASE_LETTERS)
                length = letters / pace * random.uniform(*WORD_VARIATION)
                words.append(Word(round(time, 2), round(time + length, 2), f" {token}"))
                time += length
            yield started, Segment(words[0].start, words[-1].end, " ".join(sentence), tuple(words))
            started = []
            time += random.uniform(*BREATH_S)
        time += random.uniform(*TURN_S)


def _split_turn(line: str) -> Iterator[list[str]]:
    """Yield the words of a turn sentence by sentence, at most MAX_SEGMENT_WORDS at a time."""
    for sentence in re.split(r"(?<=[.?!])\s+", line.strip()):
        words = sentence.split()
        for begin in count(0, MAX_SEGMENT_WORDS):
            if begin >= len(words):
                break
            yield words[begin : begin + MAX_SEGMENT_WORDS]
