"""The records that pass between stages.

Times are seconds from the start of the audio, as floats. `Word`, `Segment` and `Transcript` use the names of
faster-whisper.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

# Seconds within which a start counts as right; every confidence is the probability of that.
RIGHT_S = 30.0


class Status(StrEnum):
    """How far a start can be trusted; `label` is its wording on pages and in tables."""

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


class Discussed(StrEnum):
    """How much of a list an episode discusses, where a person knows it."""

    MOST = "most"
    SOME = "some"
    FEW = "few"


class Method(StrEnum):
    """The evidence that decided a placement."""

    SPOKEN_ID = "spoken_id"
    PHRASE = "phrase"
    SEMANTIC = "semantic"
    ORDER = "order"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word; `word` keeps its leading space, as in Whisper."""

    start: float
    end: float
    word: str
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of speech with its text, as the transcriber or the caption file cut it; `words` may be empty.

    The words of a `suspect` segment were probably never said. They stay in the transcript; the alignment ignores them.
    `speaker` is the name or label that the file gives, None where it names nobody.
    """

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()
    suspect: bool = False
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """The speech of an episode as timed segments.

    `source` is `whisper`, `captions` or `file`. `language` is a tag such as `en`, or None where it is unknown.
    `duration` is in seconds. `engine` names the library and device of the transcription. `remarks` are messages for
    the maintainer.
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
        """The segments that are not suspect."""
        return tuple(segment for segment in self.segments if not segment.suspect)


@dataclass(frozen=True, slots=True)
class Feature:
    """One entry of an episode's feature list.

    `position` counts from 1; `published_s` is the page's own time in seconds. `feature_key` is the id as published:
    `#998146`, `PROJ-1234`, `KB5034441`; `feature_id` is its number where it is one.
    """

    position: int
    title: str
    description: str = ""
    feature_id: int | None = None
    version: str | None = None
    highlight: bool = False
    published_s: float | None = None
    feature_key: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a position below 1 or an empty title."""
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
    """A span of the transcript that may refer to the feature at `position`; `score` is 0 to 1.

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
    """The start and end of one feature's discussion, with status, confidence and reason.

    `confidence` is the probability that `start` is within RIGHT_S of the true start. `start` and `end` are None for a
    feature that was not found; `confidence` is then the probability that it is not discussed. `quote` holds the words
    from the start on. `alternatives` are other possible starts in seconds, best first.
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
    """The placements of all features of an episode, in list order.

    `expected_discussed` is the inferred number of features that are discussed, where the list is a ledger of which only
    a part is; None for an ordinary list.
    """

    placements: tuple[Placement, ...]
    expected_discussed: float | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """The inputs of an episode's catalog rows: transcript source, model name and digests."""

    transcript_source: str
    model: str
    audio_sha256: str | None
    features_sha256: str | None


@dataclass(frozen=True, slots=True)
class Episode:
    """The catalog's facts about an episode; `link` is a template with `{seconds}`, or None."""

    show: str
    episode_id: str
    title: str
    published_on: date | None = None
    link: str | None = None
