"""Settings a person writes: the show in `configs/show.yaml`, one episode in `configs/episodes/<id>.yaml`."""

import re
import string
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from pipeline.core.errors import ConfigError
from pipeline.core.schema import Discussed
from pipeline.core.settings_file import StrictModel, find_line, load_settings
from pipeline.core.text import normalize_version
from pipeline.core.times import parse_time

# Ids name files: lower-case letters, digits, - and _, at most 64 of them.
EPISODE_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
# The format of {seconds} in a link: an integer, zero-padded if wanted, such as {seconds:04d}.
_SECONDS_FORMAT = re.compile(r"[0-9]{0,2}d?")
LINK_FIELDS = {"seconds", "episode_id"}
# Between the two versions of a range.
RANGE_SIGN = ".."


def check_link(template: str) -> str:
    """Return the template of deep links; ValueError where it has no `{seconds}` or an unknown field."""
    try:
        parts = [part for part in string.Formatter().parse(template) if part[1] is not None]
    except ValueError as error:
        raise ValueError(f"is not a template: {error}") from error
    fields = {name for _, name, _, _ in parts if name is not None}
    if "seconds" not in fields:
        raise ValueError("must contain {seconds}, where the start goes into the link")
    if unknown := fields - LINK_FIELDS:
        raise ValueError(f"knows {{seconds}} and {{episode_id}}, not {{{sorted(unknown)[0]}}}")
    for _, name, spec, conversion in parts:
        if conversion or not _SECONDS_FORMAT.fullmatch(spec or "") or (spec and name != "seconds"):
            raise ValueError(
                f"cannot format {{{name}}} like this: write {{{name}}}, or {{seconds:04d}} for padded seconds"
            )
    # A colon before the first slash marks a scheme. The scheme `javascript:` would run when clicked.
    head = re.split(r"[/?#]", template)[0].strip().lower()
    if ":" in head and head not in {"http:", "https:"}:
        raise ValueError("must be an http(s) URL: no other scheme is safe to click")
    return check_plain(template)


def check_plain(text: str) -> str:
    """Return the text; ValueError where it holds control characters, which no name and no URL has."""
    if any(
        ord(character) < 32 or 127 <= ord(character) < 160 or 0xD800 <= ord(character) < 0xE000 for character in text
    ):
        raise ValueError("holds an invisible control character: type it again")
    return text


Label = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
Text = Annotated[str, Field(min_length=1), AfterValidator(check_plain)]
Link = Annotated[str, AfterValidator(check_link)]
ColumnName = Literal[
    "position", "feature_id", "version", "title", "description", "highlight", "published_s", "feature_key"
]
SiteAudio = Literal["none", "copy", "link"]


def read_duration(value: object) -> object:
    """Return the seconds of `52:10` or `1:02:07`, and any number as it is; ValueError for other text."""
    if not isinstance(value, str):
        return value
    try:
        return parse_time(value)
    except ValueError:
        raise ValueError("is not a duration such as 52:10") from None


Duration = Annotated[float, BeforeValidator(read_duration), Field(gt=0, le=1_000_000)]


def check_version(text: str) -> str:
    """Return the version; ValueError where it has no letter or digit, or a sign that separates versions."""
    if not any(character.isalnum() for character in text):
        raise ValueError("names no version: write one such as v2.204")
    if RANGE_SIGN in text or "," in text:
        raise ValueError(f"must be one version such as v2.204, without commas and {RANGE_SIGN}")
    return text


def split_versions(text: str) -> list[str]:
    """Return the versions of `v2.204, v2.206`."""
    return [part.strip() for part in text.split(",")]


def _list_versions(value: object) -> object:
    """Return one version, or several with commas, as a list, and any other value as it is."""
    if isinstance(value, str):
        return split_versions(value)
    return [value] if isinstance(value, int | float) else value


class ReleaseConfig(StrictModel):
    """A version of the product, and its whole release list."""

    version: Annotated[Text, AfterValidator(check_version)] = Field(description="the version, such as v2.204")
    list: Text = Field(description="its release list: a file (relative to the project) or an http(s) address")
    columns: dict[str, ColumnName] = Field({}, description="names of this table's columns, as in the show's `columns`")


def check_releases(releases: list[ReleaseConfig]) -> list[ReleaseConfig]:
    """Return the releases; ValueError where a version stands twice."""
    known: dict[str, str] = {}
    for release in releases:
        key = normalize_version(release.version)
        if key in known:
            raise ValueError(f"names the version {release.version} twice: leave one out")
        known[key] = release.version
    return releases


class DownloadConfig(StrictModel):
    """Limits and pauses of downloads."""

    max_megabytes: int = Field(4000, gt=0, description="the largest file to fetch, in megabytes")
    max_minutes: float = Field(
        120, gt=0, allow_inf_nan=False, description="how long fetching one episode may take, in minutes"
    )
    pause: float = Field(5, ge=0, le=86_400, description="seconds between two episodes fetched from the network")
    retries: int = Field(5, ge=0, le=1000, description="attempts in a row without progress, with growing pauses")
    cookies: Text | None = Field(None, description="a cookies.txt (Netscape's format), where a site wants a sign-in")
    allow_private_addresses: bool = Field(False, description="follow redirects and feeds into private networks")


class ShowConfig(StrictModel):
    """The settings of a show, shared by its episodes."""

    name: Text = Field(description="the show's name in the catalog")
    product: str = Field("", description="the product whose release notes the show walks through")
    link: Link | None = Field(None, description="template of deep links, with {seconds} and {episode_id}")
    model: Text = Field("base", description="speech model: a Whisper size, or the path of a model folder")
    language: Text | None = Field(None, description="spoken language, such as en; detected if left out")
    glossary: list[Text] = Field([], description="names to expect in the speech, such as products: [Entra, Datto]")
    captions: bool = Field(False, description="use the publisher's captions as transcript where they exist")
    retranscribe_on_glossary_change: bool = Field(False, description="transcribe again when the glossary changes")
    include_review: bool = Field(False, description="include starts in review in show notes and chapters")
    id3_chapters: bool = Field(True, description="write chapters into a copy of the episode's mp3")
    site_audio: SiteAudio = Field("none", description="the audio on the search site: none, copy, or link to data/raw")
    columns: dict[str, ColumnName] = Field({}, description="names of a table's columns, and the column each stands for")
    releases: Annotated[list[ReleaseConfig], AfterValidator(check_releases)] = Field(
        [], description="the product's release lists, one for each version"
    )
    discussed: Discussed | None = Field(
        None, description="how much of a list an episode discusses, where you know it; inferred if left out"
    )
    download: DownloadConfig = Field(
        default_factory=lambda: DownloadConfig.model_validate({}), description="limits and pauses of downloads"
    )


class EpisodeConfig(StrictModel):
    """The settings of one episode: where its audio and its feature list come from."""

    title: Text = Field(description="the episode's title")
    source: Text | None = Field(
        None,
        description="audio or video: a file (relative to the project) or an http(s) address; "
        "may be left out where there is a `transcript`",
    )
    entry: Label | None = Field(None, description="which entry of a feed or playlist: its guid, number or title")
    duration: Duration | None = Field(None, description="its duration, such as 52:10; much shorter audio is refused")
    whole: bool = Field(False, description="the audio is whole, even if its header states a longer duration")
    features: Text | None = Field(
        None,
        description="the feature list: a file (relative to the project) or an http(s) address; "
        "may be left out where the show has `releases`",
    )
    versions: Annotated[list[Text], BeforeValidator(_list_versions)] = Field(
        [],
        description="the versions of the show's `releases` that it goes through: [v2.204, v2.206], or a range such as "
        "v2.204..v2.216; those that its transcript speaks of if left out",
    )
    discussed: Discussed | None = Field(
        None, description="how much of its list it discusses: most, some or few; instead of the show's"
    )
    features_episode: Label | None = Field(None, description="which episode's list, where the page holds several: 12")
    transcript: Text | None = Field(
        None, validate_default=True, description="a transcript to use instead of speech recognition: a file"
    )
    published: date | None = Field(None, description="publication date, such as 2026-11-23")
    link: Link | None = Field(None, description="deep link of this episode, instead of the show's")

    @field_validator("transcript")
    @classmethod
    def _check_source(cls, transcript: str | None, info: ValidationInfo) -> str | None:
        """Refuse an episode that names neither audio nor transcript."""
        if transcript is None and info.data.get("source", "invalid") is None:
            raise ValueError("and `source` are missing: name the audio, or the transcript of an episode without audio")
        return transcript


def check_episode_id(episode_id: str) -> str:
    """Return the id; ConfigError where it cannot name files safely."""
    if not EPISODE_ID.fullmatch(episode_id):
        raise ConfigError(
            f"{episode_id!r} cannot be an episode's id: use lower-case letters, digits, - and _ (such as ep12)"
        )
    return episode_id


def load_show(path: Path) -> ShowConfig:
    """Return the show's settings; ConfigError names file, line and field."""
    return load_settings(path, ShowConfig, ShowConfig.model_fields)


def load_episode(path: Path) -> EpisodeConfig:
    """Return an episode's settings; ConfigError names file, line and field."""
    return load_settings(path, EpisodeConfig, EpisodeConfig.model_fields)


def check_list_source(path: Path, episode: EpisodeConfig, show: ShowConfig) -> None:
    """Check that an episode has a feature list: its own, or known versions of the show's release lists.

    ConfigError names the episode's file (`path`), line and field.
    """
    if episode.features is not None:
        return
    if not show.releases:
        unused = " (`versions` needs the release lists in `releases` of configs/show.yaml)" if episode.versions else ""
        description = "the feature list: a file, or an http(s) address"
        raise ConfigError(f"{path}: `features` is missing ({description}){unused}")
    try:
        choose_releases(episode.versions, show.releases)
    except ValueError as error:
        line = find_line(path, "versions")
        raise ConfigError(f"{path}{f' line {line}' if line else ''}: `versions` {error}") from error


def choose_releases(versions: Sequence[str], releases: Sequence[ReleaseConfig]) -> tuple[ReleaseConfig, ...]:
    """Return the releases with these versions, in their order; a range gives its releases in the order of versions.

    ValueError for a version that no release has, and for a range that runs backwards.
    """
    by_version = {normalize_version(release.version): release for release in releases}
    chosen: dict[str, ReleaseConfig] = {}
    for version in versions:
        ends = [end.strip() for end in version.split(RANGE_SIGN)]
        if len(ends) > 2:
            raise ValueError(f"has {version!r}, which is not a range: write the first and the last version")
        for end in ends:
            if normalize_version(end) not in by_version:
                known = ", ".join(release.version for release in releases)
                raise ValueError(f"names {end or 'no version'!r}, which is not in `releases` of the show ({known})")
        low, high = (_version_order(end) for end in (ends[0], ends[-1]))
        if low > high:
            raise ValueError(f"has the range {version}, which runs backwards: write {ends[-1]}{RANGE_SIGN}{ends[0]}")
        within = [release for release in releases if low <= _version_order(release.version) <= high]
        for release in sorted(within, key=lambda release: _version_order(release.version)):
            chosen[normalize_version(release.version)] = release
    return tuple(chosen.values())


def _version_order(version: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts versions by the numbers in them: v2.99 before v2.204."""
    parts = re.findall(r"\d+|[^\W\d_]+", normalize_version(version))
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
