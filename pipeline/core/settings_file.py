"""Read a YAML settings file into a model, and name the line and the field of every mistake.

ruamel.yaml reads and edits all YAML here. It follows YAML 1.2: `no`, `on` and `52:10` are text.
"""

import difflib
import re
import warnings
from collections.abc import Iterator, Mapping
from datetime import date
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from pipeline.core.errors import ConfigError

if TYPE_CHECKING:
    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import Node

# Levels below the top whose lines are recorded: `corrections`, the third correction, its `start`.
MAX_LINE_DEPTH = 3
# Levels of nesting that a settings file may have. Deeper nesting could exhaust the parser's stack.
MAX_NESTING = 20
# Aliases (`*name`) that a settings file may have. Nested aliases can expand to billions of values.
MAX_ALIASES = 20
# Bytes of the largest settings file. 5,000 corrections are smaller.
MAX_BYTES = 2 << 20
# Characters of a file whose shape needs no check of its own.
SMALL = 2000

# What ruamel.yaml raises for a value that does not fit its tag, such as `!!bool abc` or `!!int ""`.
_UNREADABLE = (ValueError, OverflowError, RecursionError, KeyError, IndexError)

# An integer that every version of YAML reads as people do.
_PLAIN_INTEGER = re.compile(r"-?(?:0|[1-9]\d*)", re.ASCII)

Place = tuple[str | int, ...]


class StrictModel(BaseModel):
    """Settings that refuse unknown names."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


Settings = TypeVar("Settings", bound=StrictModel)


def load_settings(path: Path, model: type[Settings], fields: Mapping[str, FieldInfo]) -> Settings:
    """Return the settings in a YAML file.

    `fields` holds the field descriptions that error messages quote. Raises ConfigError, which names file, line and
    field.
    """
    return parse_settings(_read_text(path), path, model, fields)


def parse_settings(text: str, path: Path, model: type[Settings], fields: Mapping[str, FieldInfo]) -> Settings:
    """Return the settings in the text of a YAML file; `path` is named in errors, which are those of `load_settings`."""
    values, lines = _read_mapping(text, path)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        # A mistyped name is the reason why the right one is missing.
        first = next((problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0])
        raise ConfigError(_explain(path, first, lines, fields)) from error


def find_line(path: Path, *place: str | int) -> int | None:
    """Return the line of a setting, such as ("versions", 1), or of the nearest setting above it; None without one."""
    _, lines = _read_mapping(_read_text(path), path)
    return _nearest_line(lines, place)


def _nearest_line(lines: Mapping[Place, int], place: Place) -> int | None:
    return next((lines[place[:size]] for size in range(len(place), 0, -1) if place[:size] in lines), None)


def make_parser() -> "YAML":
    """Return a YAML 1.2 parser that builds plain values only."""
    from ruamel.yaml import YAML

    # The parser in C reads YAML 1.1, where `no` is false and `52:10` is the number 3130.
    return YAML(typ="safe", pure=True)


def make_editor() -> "YAML":
    """Return a YAML editor that keeps comments, quotes and order."""
    from ruamel.yaml import YAML

    editor = YAML()
    editor.preserve_quotes = True
    # No wrapping: each text stays on one line, for people and for diffs.
    editor.width = 10_000
    editor.indent(mapping=2, sequence=4, offset=2)
    return editor


def dump_settings(values: Mapping[str, Any]) -> str:
    """Return settings as YAML, in the order of `values`; text is quoted where YAML would read something else."""
    text = StringIO()
    make_editor().dump(
        {name: quote_text(value) if isinstance(value, str) else value for name, value in values.items()}, text
    )
    return text.getvalue()


def quote_text(text: str) -> str:
    """Return the text, marked for quotes where a reader of YAML 1.1 takes it for a number, a date or a time."""
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    quoted: str = DoubleQuotedScalarString(text)
    parser = make_parser()
    parser.version = (1, 1)
    try:
        # ruamel warns of numbers such as `0E0`, which are quoted here.
        with warnings.catch_warnings(action="ignore"):
            return text if parser.load(text) == text else quoted
    except (YAMLError, ValueError):
        return quoted


def _read_mapping(text: str, path: Path) -> tuple[dict[str, Any], dict[Place, int]]:
    """Return the settings in the text of a YAML file, and the line of each by its place.

    A place is a tuple such as ("corrections", 2, "start").
    """
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.nodes import MappingNode

    try:
        _check_shape(text)
        parser = make_parser()
        node = parser.compose(text)
        lines = _list_lines(path, node)
        _check_integers(path, node, parser)
        values = None if node is None else parser.constructor.construct_document(node)
    except MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{path}{line}: {_advise(error.problem or 'this is not YAML')}") from error
    except (YAMLError, *_UNREADABLE) as error:
        position = getattr(error, "position", None)  # of a character that YAML does not allow
        number = _find_unreadable(text) if position is None else text.count("\n", 0, position) + 1
        line = f" line {number}" if number else ""
        raise ConfigError(f"{path}{line}: this is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(node, MappingNode) or not isinstance(values, dict):
        raise ConfigError(f"{path}: expected settings, one `name: value` a line")
    return {str(key): value for key, value in values.items()}, lines


def _find_unreadable(text: str) -> int | None:
    """Return the line of the first value that YAML cannot read, such as the date 2026-02-30; None where there is none.

    The error of such a value has no line.
    """
    from ruamel.yaml.error import YAMLError

    parser = make_parser()
    try:
        for node in _walk_scalars(parser.compose(text)):
            try:
                parser.constructor.construct_document(node)
            except (YAMLError, *_UNREADABLE):
                return int(node.start_mark.line) + 1
    except (YAMLError, *_UNREADABLE):
        pass
    return None


def _read_text(path: Path) -> str:
    try:
        # A pipe, a device or an endless file would never end.
        if path.exists() and not path.is_file():
            raise ConfigError(f"{path} is not a file: name a text file")
        with path.open("rb") as opened:
            return decode_settings(opened.read(MAX_BYTES + 1), path)
    except FileNotFoundError:
        raise ConfigError(
            f"{path} does not exist: name the project's folder with --root, or create one with `catalog init`"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error


def decode_settings(content: bytes, path: Path) -> str:
    """Return the text of a settings file with line feeds; ConfigError where it is too large or no text."""
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path} is larger than {MAX_BYTES >> 20} MB: settings are smaller; name the right file")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        number = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path} line {number}: this is not UTF-8: save the file in that encoding") from error


def _check_shape(text: str) -> None:
    """Raise MarkedYAMLError where a document has more nesting or aliases than settings need.

    Reads parser events, which build no values.
    """
    # A small file without aliases can do no harm, and a run reads hundreds of them.
    if len(text) <= SMALL and "*" not in text:
        return
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

    depth = aliases = 0
    for event in make_parser().parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        aliases += isinstance(event, AliasEvent)
        if depth > MAX_NESTING or aliases > MAX_ALIASES:
            excess = "lists in lists" if depth > MAX_NESTING else "aliases (*name)"
            raise MarkedYAMLError(problem=f"too many {excess}: settings need none", problem_mark=event.start_mark)


def _check_integers(path: Path, node: "Node | None", parser: "YAML") -> None:
    """Raise ConfigError where YAML reads digits as another number than they show: 0x1F, 1_000, or 012 in YAML 1.1."""
    for scalar in _walk_scalars(node):
        if scalar.tag != "tag:yaml.org,2002:int" or _PLAIN_INTEGER.fullmatch(scalar.value):
            continue
        written, value = scalar.value, parser.constructor.construct_yaml_int(scalar)
        line = scalar.start_mark.line + 1
        raise ConfigError(f'{path} line {line}: {written} is the number {value} to YAML: write {value} or "{written}"')


def _walk_scalars(node: "Node | None") -> Iterator[Any]:
    """Yield the names and values below a node, in their order."""
    from ruamel.yaml.nodes import CollectionNode

    if isinstance(node, CollectionNode):
        for item in node.value:
            for part in item if isinstance(item, tuple) else (item,):
                yield from _walk_scalars(part)
    elif node is not None:
        yield node


def _list_lines(path: Path, node: "Node | None") -> dict[Place, int]:
    """Return the line of each setting by its place; ConfigError where a setting stands twice."""
    lines: dict[Place, int] = {}
    for place, number in _walk_lines(node, ()):
        if place in lines:
            raise ConfigError(f"{path} line {number}: `{place[-1]}` is set twice")
        lines[place] = number
    return lines


def _walk_lines(node: "Node | None", place: Place) -> Iterator[tuple[Place, int]]:
    """Yield the place and line of each setting below a node, at most MAX_LINE_DEPTH levels deep."""
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    # Aliases can nest without end.
    if len(place) >= MAX_LINE_DEPTH:
        return
    if isinstance(node, MappingNode):
        for key, value in node.value:
            below: Place = (*place, str(key.value))
            yield below, key.start_mark.line + 1
            yield from _walk_lines(value, below)
    elif isinstance(node, SequenceNode):
        for number, item in enumerate(node.value):
            yield (*place, number), item.start_mark.line + 1
            yield from _walk_lines(item, (*place, number))


def _advise(problem: str) -> str:
    """Return the parser's message, with a remedy for the most frequent slips."""
    if problem.startswith("mapping values are not allowed"):
        return f"{problem}: put a text that holds a colon in quotes"
    if "'\\t'" in problem:
        return f"{problem}: indent with spaces, not tabs"
    return problem


def _explain(path: Path, error: Any, lines: Mapping[Place, int], fields: Mapping[str, FieldInfo]) -> str:
    """Return one line for a person: file, line, field, and the remedy."""
    place = tuple(error["loc"])
    near_line = _nearest_line(lines, place)
    line = "" if near_line is None else f" line {near_line}"
    field, fields = _name_field(place, fields)
    subject = f"`{field}` " if field else ""
    description = f" ({fields[field].description})" if field in fields else ""
    match error["type"]:
        case "missing":
            problem = f"{subject}is missing{description}"
        case "extra_forbidden":
            near = difflib.get_close_matches(field, fields, 1)
            problem = f"{subject}is not a setting here" + (f"; did you mean `{near[0]}`?" if near else "")
        case "string_type" if isinstance(error["input"], int | float | date):
            problem = f"{subject}is a number or date to YAML: put it in quotes{description}"
        case "value_error":
            problem = f"{subject}{str(error['msg']).removeprefix('Value error, ')}"
        case _:
            problem = f"{subject.rstrip()}: {error['msg']}{description}".removeprefix(": ")
    return f"{path}{line}: {problem}"


def _name_field(place: Place, fields: Mapping[str, FieldInfo]) -> tuple[str, Mapping[str, FieldInfo]]:
    """Return the field to name for an error at a place, and the fields of the model that holds it."""
    # An error in a combination of settings is reported at their entry, not at one of them.
    field = str(place[-1]) if place and isinstance(place[-1], str) else ""
    for key in (part for part in place if isinstance(part, str)):
        kind = fields[key].annotation if key in fields else None
        model = next((part for part in (kind, *get_args(kind)) if _is_model(part)), None)
        if model is not None:
            # A mistake in a whole list of settings belongs to the list, not to one of its entries.
            fields = fields if place[-1] == key and model is not kind else model.model_fields
        elif kind is not None and place[-1] != key:
            # A list or table of plain values: its own description says what they are.
            return key, fields
    return field, fields


def _is_model(kind: Any) -> bool:
    """Return whether a type is a mapping of settings; the names in it are clearer than the name of a list of them."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)
