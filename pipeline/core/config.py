"""Settings a person writes: the show in `configs/show.yaml`, one episode in `configs/episodes/<id>.yaml`."""

import re
import string
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from pipeline.core.errors import ConfigError
from pipeline.core.settings_file import StrictModel, load_settings
from pipeline.core.times import parse_time

# Ids name files: lower-case letters, digits, - and _, at most 64 of them.
EPISODE_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
# The format of {seconds} in a link: an integer, zero-padded if wanted, such as {seconds:04d}.
_SECONDS_FORMAT = re.compile(r"[0-9]{0,2}d?")
LINK_FIELDS = {"seconds", "episode_id"}


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
    download: DownloadConfig = Field(
        default_factory=lambda: DownloadConfig.model_validate({}), description="limits and pauses of downloads"
    )


class EpisodeConfig(StrictModel):
    """The settings of one episode: where its audio and its feature list come from."""

    title: Text = Field(description="the episode's title")
    source: Text = Field(description="audio or video: a file (relative to the project) or an http(s) address")
    entry: Label | None = Field(None, description="which entry of a feed or playlist: its guid, number or title")
    duration: Duration | None = Field(None, description="its duration, such as 52:10; much shorter audio is refused")
    features: Text = Field(description="the feature list: a file (relative to the project) or an http(s) address")
    features_episode: Label | None = Field(None, description="which episode's list, where the page holds several: 12")
    transcript: Text | None = Field(None, description="a transcript to use instead of speech recognition: a file")
    published: date | None = Field(None, description="publication date, such as 2026-11-23")
    link: Link | None = Field(None, description="deep link of this episode, instead of the show's")


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
