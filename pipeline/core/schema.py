"""The records that cross from one stage to the next, in the field's words.

Times are seconds from the start of the audio, as floats. `Word`, `Segment` and `Transcript` carry the names
that faster-whisper gives them.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

# A start is right within so many seconds of what a person would write: what every confidence is a probability of.
RIGHT_S = 30.0


class Status(StrEnum):
    """How far a start can be trusted; `label` is the wording that pages show."""

    label: str

    CONFIDENT = "confident", "Confident"
    REVIEW = "review", "To review"
    NOT_FOUND = "not_found", "Not found"
    CORRECTED = "corrected", "Corrected"

    def __new__(cls, value: str, label: str = "") -> "Status":
        """Return the member of a value."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member


class Method(StrEnum):
    """What decided where a feature was placed."""

    SPOKEN_ID = "spoken_id"
    PHRASE = "phrase"
    SEMANTIC = "semantic"
    ORDER = "order"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word; `word` keeps the blank before it, as Whisper writes it."""

    start: float
    end: float
    word: str
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech as the transcriber or the caption file cut it; `words` may be empty.

    `suspect` words were probably never said: they are kept to be seen, and nothing is matched against them.
    """

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said and when, and who says so: `source` is `whisper`, `captions` or `file`.

    `language` is a tag such as `en`, None where nobody said; `duration` is in seconds. `engine` tells what recognised
    it, on which device; `remarks` what a person should know about it.
    """

    segments: tuple[Segment, ...]
    language: str | None = None
    duration: float | None = None
    source: str = "file"
    model: str | None = None
    audio_sha256: str | None = None
    engine: str | None = None
    remarks: tuple[str, ...] = ()

    @property
    def trusted(self) -> tuple[Segment, ...]:
        """The segments that are not suspect: what was said."""
        return tuple(segment for segment in self.segments if not segment.suspect)


@dataclass(frozen=True, slots=True)
class Feature:
    """One entry of an episode's feature list; `position` counts from 1, `published_s` is the page's own time."""

    position: int
    title: str
    description: str = ""
    feature_id: int | None = None
    version: str | None = None
    highlight: bool = False
    published_s: float | None = None

    def __post_init__(self) -> None:
        """Refuse an entry that no list can hold."""
        if self.position < 1:
            raise ValueError(f"position counts from 1, not {self.position}")
        if not self.title.strip():
            raise ValueError(f"the feature at position {self.position} has no title")


class LineRole(StrEnum):
    """The role of a page's line in the feature list."""

    ENTRY = "entry"
    DESCRIPTION = "description"
    HEADING = "heading"
    HIGHLIGHT = "highlight"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class LineReport:
    """How one line of a page was read: its number, its role, the position of its entry, and the reason.

    `position` is None for a line that belongs to no entry; `reason` is empty where the role says enough.
    """

    line: int
    role: LineRole
    text: str
    position: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FeatureList:
    """The ordered entries of one episode's page, the warnings about it, and the digest of its bytes.

    `episode` is the number by which the page names the episode; `line_reports` has one report for each of its lines.
    """

    features: tuple[Feature, ...]
    warnings: tuple[str, ...] = ()
    sha256: str | None = None
    episode: str | None = None
    line_reports: tuple[LineReport, ...] = ()


class NumberKind(StrEnum):
    """Which number of a feature is spoken, and how exactly."""

    ID = "id"
    NEAR_ID = "near_id"  # all digits of the id but one
    ID_ENDING = "id_ending"  # "the one ending in 163"
    VERSION = "version"


@dataclass(frozen=True, slots=True)
class Mention:
    """A passage of the transcript that may be about the feature at `position`; `score` lies in 0 to 1.

    `number` is the kind of number where `method` is SPOKEN_ID.
    """

    position: int
    start: float
    end: float
    method: Method
    score: float
    text: str
    number: NumberKind | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one feature's discussion starts, how sure that is, and why.

    `confidence` is the probability that `start` is right, within RIGHT_S. `start` and `end` are None where the feature
    was not found; `confidence` is then the probability that it is really not discussed. `quote` are the words from the
    start on; `alternatives` are other starts that fit, best first.
    """

    position: int
    start: float | None
    end: float | None
    status: Status
    confidence: float
    method: Method
    reason: str
    quote: str = ""
    alternatives: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Alignment:
    """The decision for all features of an episode together: one placement each, in list order."""

    placements: tuple[Placement, ...]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Which inputs an episode's catalog rows were made from."""

    transcript_source: str
    model: str
    audio_sha256: str | None
    features_sha256: str | None


@dataclass(frozen=True, slots=True)
class Episode:
    """What a catalog says about the episode itself; `link` is a template with `{seconds}`, or None."""

    show: str
    episode_id: str
    title: str
    published_on: date | None = None
    link: str | None = None
