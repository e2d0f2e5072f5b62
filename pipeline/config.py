"""Settings a person writes: the show in `configs/show.yaml`, one episode in `configs/episodes/<id>.yaml`."""

import difflib
import re
import string
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from pipeline.errors import ConfigError
from pipeline.marks import parse_time

EPISODE_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
LINK_FIELDS = {"seconds", "episode_id"}


def check_link(template: str) -> str:
    """Return the template of deep links; ValueError where it has no `{seconds}` or an unknown field."""
    try:
        fields = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise ValueError(f"is not a template: {error}") from error
    if "seconds" not in fields:
        raise ValueError("must contain {seconds}, the place of the start in the link")
    if unknown := fields - LINK_FIELDS:
        raise ValueError(f"knows {{seconds}} and {{episode_id}}, not {{{sorted(unknown)[0]}}}")
    return template


class StrictModel(BaseModel):
    """Settings that refuse what they do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


Label = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
Text = Annotated[str, Field(min_length=1)]
Link = Annotated[str, AfterValidator(check_link)]
ColumnName = Literal["position", "feature_id", "version", "title", "description", "highlight", "published_s"]


Settings = TypeVar("Settings", bound=StrictModel)


def read_duration(value: object) -> object:
    """Return the seconds of `52:10` or `1:02:07`; YAML has made a number of the unquoted ones already."""
    if not isinstance(value, str):
        return value
    try:
        return parse_time(value)
    except ValueError:
        raise ValueError("is not a duration such as 52:10") from None


Duration = Annotated[float, BeforeValidator(read_duration), Field(gt=0)]


class DownloadConfig(StrictModel):
    """What fetching audio may take, and how politely it is done."""

    max_megabytes: int = Field(4000, gt=0, description="the largest file to fetch, in megabytes")
    max_minutes: float = Field(120, gt=0, description="how long fetching one episode may take, in minutes")
    pause: float = Field(5, ge=0, description="seconds between two episodes fetched from the network")
    retries: int = Field(5, ge=0, description="how often to try again without getting on, with growing pauses")
    cookies: Text | None = Field(None, description="a cookies.txt (Netscape's format), where a site wants a sign-in")
    allow_private_addresses: bool = Field(False, description="follow redirects and feeds into private networks, too")


class ShowConfig(StrictModel):
    """What all episodes of a show have in common."""

    name: Text = Field(description="the show's name, as it stands in the catalog")
    product: str = Field("", description="the product whose release notes the show walks through")
    link: Link | None = Field(None, description="deep link at a start: {seconds} and {episode_id} are filled in")
    model: Text = Field("base", description="speech model: a Whisper size, or the path of a model folder")
    language: Text | None = Field(None, description="spoken language, such as en; detected when left out")
    glossary: list[Text] = Field([], description="names to expect in the speech, such as products: [Entra, Datto]")
    captions: bool = Field(False, description="take the publisher's captions as transcript, where there are any")
    retranscribe_on_glossary_change: bool = Field(False, description="transcribe anew when the glossary changes")
    include_review: bool = Field(False, description="publish doubtful starts too, in show notes and chapters")
    id3_chapters: bool = Field(True, description="write chapters into a copy of the episode's mp3, where it is one")
    columns: dict[str, ColumnName] = Field({}, description="a table's own column names and what they are called here")
    download: DownloadConfig = Field(
        default_factory=lambda: DownloadConfig.model_validate({}), description="limits and manners of fetching audio"
    )


class EpisodeConfig(StrictModel):
    """One episode: where its audio and its feature list come from."""

    title: Text = Field(description="the episode's title")
    source: Text = Field(description="audio or video: a file (relative to the project) or an http(s) address")
    entry: Label | None = Field(None, description="which entry of a feed or playlist: its guid, number or title")
    duration: Duration | None = Field(None, description="how long it is, as 52:10: what is much shorter is refused")
    features: Text = Field(description="the feature list: a file (relative to the project) or an http(s) address")
    features_episode: Label | None = Field(None, description="which episode's list, where the page holds several: 12")
    transcript: Text | None = Field(None, description="a transcript to use instead of speech recognition: a file")
    published: date | None = Field(None, description="when the episode was published, as 2026-11-23")
    link: Link | None = Field(None, description="deep link of this episode, instead of the show's")


def check_episode_id(episode_id: str) -> str:
    """Return the id; ConfigError where it could not name files safely."""
    if not EPISODE_ID.fullmatch(episode_id):
        raise ConfigError(
            f"{episode_id!r} cannot be an episode's id: use lower-case letters, digits, - and _ (such as ep12)"
        )
    return episode_id


def load_show(path: Path) -> ShowConfig:
    """Return the show's settings; ConfigError names file, line and field."""
    return _load(path, ShowConfig)


def load_episode(path: Path) -> EpisodeConfig:
    """Return an episode's settings; ConfigError names file, line and field."""
    return _load(path, EpisodeConfig)


def _load(path: Path, model: type[Settings]) -> Settings:
    values, lines = _read_mapping(path)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ConfigError(_explain(path, first, lines, model)) from error


def _read_mapping(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """The settings of a YAML file and the line of each top-level key."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            f"{path} does not exist: `catalog init` makes a project; name its folder with --root"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{path}{line}: {error.problem or 'this is not YAML'}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: this is not YAML: {error}") from error
    if not isinstance(node, yaml.MappingNode) or not isinstance(values, dict):
        raise ConfigError(f"{path}: expected settings, one `name: value` a line")
    return {str(key): value for key, value in values.items()}, _number_keys(path, node)


def _number_keys(path: Path, node: yaml.MappingNode, above: str = "") -> dict[str, int]:
    """The line of each setting, `download.pause` for one below another; ConfigError where one is set twice."""
    lines: dict[str, int] = {}
    for key, value in node.value:
        name = f"{above}{key.value}"
        if name in lines:
            raise ConfigError(f"{path} line {key.start_mark.line + 1}: `{key.value}` is set twice")
        lines[name] = key.start_mark.line + 1
        if isinstance(value, yaml.MappingNode):
            lines |= _number_keys(path, value, f"{name}.")
    return lines


def _explain(path: Path, error: Any, lines: dict[str, int], model: type[StrictModel]) -> str:
    """One line for a person: file, line, field, and what would be right."""
    *above, field = [str(key) for key in error["loc"]] or [""]
    known = next((place for place in (".".join([*above, field]), *above) if place in lines), None)
    line = f" line {lines[known]}" if known else ""
    for key in above:
        inner = model.model_fields[key].annotation if key in model.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, StrictModel)):
            field = key  # a list or table of values: its own description says what they are
            break
        model = inner
    match error["type"]:
        case "missing":
            problem = f"`{field}` is missing ({model.model_fields[field].description})"
        case "extra_forbidden":
            near = difflib.get_close_matches(field, model.model_fields, 1)
            problem = f"`{field}` is not a setting here" + (f"; did you mean `{near[0]}`?" if near else "")
        case "value_error":
            problem = f"`{field}` {str(error['msg']).removeprefix('Value error, ')}"
        case _:
            problem = f"`{field}`: {error['msg']} ({model.model_fields[field].description})"
    return f"{path}{line}: {problem}"
