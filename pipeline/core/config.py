"""Settings a person writes: the show in `configs/show.yaml`, one episode in `configs/episodes/<id>.yaml`."""

import difflib
import re
import string
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from pipeline.core.errors import ConfigError
from pipeline.core.times import parse_time

EPISODE_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
DEEPEST = 3  # corrections, the third of them, its start

# More nesting would overflow the stack of the YAML library in C, more aliases could stand for billions of values.
MOST_NESTED, MOST_ALIASES = 20, 20
SMALL = 2000  # characters
_FORMAT = re.compile(r"[0-9]{0,2}d?")
LINK_FIELDS = {"seconds", "episode_id"}


def check_link(template: str) -> str:
    """Return the template of deep links; ValueError where it has no `{seconds}` or an unknown field."""
    try:
        parts = [part for part in string.Formatter().parse(template) if part[1] is not None]
    except ValueError as error:
        raise ValueError(f"is not a template: {error}") from error
    fields = {name for _, name, _, _ in parts if name is not None}
    if "seconds" not in fields:
        raise ValueError("must contain {seconds}, the place of the start in the link")
    if unknown := fields - LINK_FIELDS:
        raise ValueError(f"knows {{seconds}} and {{episode_id}}, not {{{sorted(unknown)[0]}}}")
    for _, name, how, conversion in parts:
        if conversion or not _FORMAT.fullmatch(how or "") or (how and name != "seconds"):
            raise ValueError(f"{{{name}}} can be filled in as it is, or as {{seconds:04d}}, in no other way")
    # What stands before the first slash is a scheme where it has a colon: `javascript:` would run when clicked.
    head = re.split(r"[/?#]", template)[0].strip().lower()
    if ":" in head and head not in {"http:", "https:"}:
        raise ValueError("must be an http(s) address: nothing else is safe to click")
    return check_plain(template)


def check_plain(text: str) -> str:
    """Return the text; ValueError where it holds control codes, which no name and no address has."""
    if any(ord(sign) < 32 or 127 <= ord(sign) < 160 or 0xD800 <= ord(sign) < 0xE000 for sign in text):
        raise ValueError("holds a control code, which nobody can see: type it anew")
    return text


class StrictModel(BaseModel):
    """Settings that refuse what they do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


Label = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
Text = Annotated[str, Field(min_length=1), AfterValidator(check_plain)]
Link = Annotated[str, AfterValidator(check_link)]
ColumnName = Literal["position", "feature_id", "version", "title", "description", "highlight", "published_s"]
SiteAudio = Literal["none", "copy", "link"]
Settings = TypeVar("Settings", bound=StrictModel)
Place = tuple[str | int, ...]


def read_duration(value: object) -> object:
    """Return the seconds of `52:10` or `1:02:07`; YAML has made a number of the unquoted ones already.

    ValueError for any other text.
    """
    if not isinstance(value, str):
        return value
    try:
        return parse_time(value)
    except ValueError:
        raise ValueError("is not a duration such as 52:10") from None


Duration = Annotated[float, BeforeValidator(read_duration), Field(gt=0, le=1_000_000)]


class DownloadConfig(StrictModel):
    """What fetching audio may take, and how politely it is done."""

    max_megabytes: int = Field(4000, gt=0, description="the largest file to fetch, in megabytes")
    max_minutes: float = Field(
        120, gt=0, allow_inf_nan=False, description="how long fetching one episode may take, in minutes"
    )
    pause: float = Field(5, ge=0, le=86_400, description="seconds between two episodes fetched from the network")
    retries: int = Field(5, ge=0, le=1000, description="how often to try again without getting on, with growing pauses")
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
    site_audio: SiteAudio = Field("none", description="the audio on the search site: none, copy, or link to data/raw")
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
    return load_settings(path, model, model.model_fields)


def load_settings(path: Path, model: type[Settings], fields: Mapping[str, FieldInfo]) -> Settings:
    """Return what a YAML file holds; ConfigError names file, line and field, and says what `fields` tell of it."""
    values, lines = _read_mapping(path)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_url=False)
        # A mistyped name is the reason why the right one is missing.
        first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
        raise ConfigError(_explain(path, first, lines, fields)) from error


def _read_mapping(path: Path) -> tuple[dict[str, Any], dict[Place, int]]:
    """The settings of a YAML file and the line of each, by its place: ("corrections", 2, "start")."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            f"{path} does not exist: `catalog init` makes a project; name its folder with --root"
        ) from None
    except UnicodeDecodeError as error:
        number = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path} line {number}: this is not UTF-8: save the file in that encoding") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    try:
        node, values = _parse(text)
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{path}{line}: {_advise(error.problem or 'this is not YAML')}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: this is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(node, yaml.MappingNode) or not isinstance(values, dict):
        raise ConfigError(f"{path}: expected settings, one `name: value` a line")
    lines: dict[Place, int] = {}
    for place, number in _find_lines(node, ()):
        if place in lines:
            raise ConfigError(f"{path} line {number}: `{place[-1]}` is set twice")
        lines[place] = number
    return {str(key): value for key, value in values.items()}, lines


def _advise(problem: str) -> str:
    """What the parser says, and what to do about the slips that people make most."""
    if problem.startswith("mapping values are not allowed"):
        return f"{problem}: put a text that holds a colon in quotes"
    if "'\\t'" in problem:
        return f"{problem}: indent with spaces, not tabs"
    return problem


def _parse(text: str) -> tuple[yaml.Node | None, Any]:
    """The document as nodes, which know their lines, and as values; read once, and fast where libyaml is at hand."""
    # A small file without aliases cannot do harm, and hundreds of them are read in a run.
    if len(text) > SMALL or "*" in text:
        _check_shape(text)
    try:
        return _parse_with(getattr(yaml, "CSafeLoader", yaml.SafeLoader), text)
    except yaml.YAMLError:
        # The one in Python says more clearly what is wrong.
        return _parse_with(yaml.SafeLoader, text)


def _check_shape(text: str) -> None:
    """YAMLError where a document nests or repeats itself as no settings do; parsed as events, which builds nothing."""
    depth = aliases = 0
    for event in yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        if depth > MOST_NESTED or aliases > MOST_ALIASES:
            what = "lists in lists" if depth > MOST_NESTED else "aliases (*name)"
            mark: Any = event.start_mark
            raise yaml.MarkedYAMLError(problem=f"too many {what}: settings need none", problem_mark=mark)


def _parse_with(kind: Any, text: str) -> tuple[yaml.Node | None, Any]:
    loader = kind(text)
    try:
        node = loader.get_single_node()
        return node, None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _find_lines(node: yaml.Node, place: Place) -> Iterator[tuple[Place, int]]:
    """Yield where each setting below a node stands; no deeper than settings go, as aliases can nest without end."""
    if len(place) >= DEEPEST:
        return
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below: Place = (*place, str(key.value))
            yield below, key.start_mark.line + 1
            yield from _find_lines(value, below)
    elif isinstance(node, yaml.SequenceNode):
        for number, entry in enumerate(node.value):
            yield (*place, number), entry.start_mark.line + 1
            yield from _find_lines(entry, (*place, number))


def _explain(path: Path, error: Any, lines: Mapping[Place, int], fields: Mapping[str, FieldInfo]) -> str:
    """One line for a person: file, line, field, and what would be right."""
    place = tuple(error["loc"])
    near_line = next((lines[place[:size]] for size in range(len(place), 0, -1) if place[:size] in lines), None)
    line = "" if near_line is None else f" line {near_line}"
    # A mistake in how settings go together belongs to their entry, not to one of them.
    field = str(place[-1]) if place and isinstance(place[-1], str) else ""
    for key in (one for one in place if isinstance(one, str)):
        kind = fields[key].annotation if key in fields else None
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            fields = kind.model_fields
        elif kind is not None and place[-1] != key and not _holds_settings(kind):
            field = key  # a list or table of values: its own description says what they are
            break
    told = f"`{field}` " if field else ""
    meant = f" ({fields[field].description})" if field in fields else ""
    match error["type"]:
        case "missing":
            problem = f"{told}is missing{meant}"
        case "extra_forbidden":
            near = difflib.get_close_matches(field, fields, 1)
            problem = f"{told}is not a setting here" + (f"; did you mean `{near[0]}`?" if near else "")
        case "string_type" if isinstance(error["input"], int | float | date):
            problem = f"{told}is a number or date to YAML: put it in quotes{meant}"
        case "value_error":
            problem = f"{told}{str(error['msg']).removeprefix('Value error, ')}"
        case _:
            problem = f"{told.rstrip()}: {error['msg']}{meant}".removeprefix(": ")
    return f"{path}{line}: {problem}"


def _holds_settings(kind: Any) -> bool:
    """Whether a list's entries are settings themselves, which their own names tell better."""
    return any(isinstance(entry, type) and issubclass(entry, BaseModel) for entry in get_args(kind))
