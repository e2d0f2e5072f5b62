"""Change one entry of a corrections file, and leave every other character of the file as it is.

The file belongs to people. A decision is written into its text, so that comments, order, anchors and spellings such as
`16:36` stay. An entry that cannot be changed in this way, as one with a merge key, is refused with its line.
"""

import re
from collections.abc import Mapping
from io import StringIO
from typing import TYPE_CHECKING, Any

from pipeline.core.errors import InputError
from pipeline.core.settings_file import make_editor, make_parser

if TYPE_CHECKING:
    from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

# The key of the entries.
KEY = "corrections"
# Columns of indentation of the entries of a new file.
INDENT = 2


class UneditableError(InputError):
    """A place of the file that cannot be changed without damage; `line` counts from 1."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}", "change it with a text editor")


def add_item(text: str, values: Mapping[str, Any]) -> str:
    """Return the file's text with one more entry at the end."""
    sequence = _find_entries(text)
    if sequence is None:
        return _start_list(text, _format_item(values, INDENT))
    if sequence.flow_style:
        return _add_to_flow(text, sequence, values)
    place = _end_of_list(text, sequence)
    return f"{_with_line_end(text[:place])}{_format_item(values, sequence.start_mark.column)}{text[place:]}"


def find_line(text: str, index: int) -> int | None:
    """Return the line in which an entry begins, from 0; None for a list in brackets."""
    sequence = _find_entries(text)
    if sequence is None or sequence.flow_style:
        return None
    return text.count("\n", 0, _block_start(text, sequence, index))


def insert_lines(text: str, lines: str, number: int) -> tuple[str, int]:
    """Return the file's text with the lines of an entry that stood there before, and the entry's index.

    `number` is the line in which it began. Where that lies inside of another entry now, it goes behind that one.
    """
    sequence = _find_entries(text)
    if sequence is not None and sequence.flow_style:
        raise UneditableError(_line(sequence), "this list is written in brackets")
    if sequence is None:
        rows = text.splitlines(keepends=True)
        return "".join([*rows[:number], lines, *rows[number:]]), 0
    place = 0
    for _ in range(number):
        place = _end_of_line(text, place)
    spans = [
        (_block_start(text, sequence, index), _block_end(text, sequence, index)) for index in range(len(sequence.value))
    ]
    place = next((end for start, end in spans if start < place < end), place)
    return f"{_with_line_end(text[:place])}{lines}{text[place:]}", sum(start < place for start, _ in spans)


def read_item(text: str, index: int) -> str | None:
    """Return an entry's lines as they stand, with those comments that belong to it; None for another layout."""
    sequence = _find_entries(text)
    if sequence is None or sequence.flow_style:
        return None
    return _with_line_end(text[_block_start(text, sequence, index) : _block_end(text, sequence, index)])


def remove_item(text: str, index: int) -> str:
    """Return the file's text without an entry; UneditableError where others depend on it."""
    sequence = _require_plain(text, index)
    if sequence.flow_style:
        return _remove_from_flow(text, sequence, index)
    start, end = _block_start(text, sequence, index), _block_end(text, sequence, index)
    return text[:start] + text[end:]


def replace_item(text: str, index: int, block: str) -> str:
    """Return the file's text with the lines of an entry replaced."""
    sequence = _require_plain(text, index)
    start, end = _block_start(text, sequence, index), _block_end(text, sequence, index)
    if sequence.flow_style:
        raise UneditableError(_line(sequence.value[index]), "this list is written in brackets")
    return text[:start] + block + text[end:]


def change_item(text: str, index: int, before: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """Return the file's text with the fields of an entry changed from `before` to `values`."""
    sequence = _require_plain(text, index)
    item = sequence.value[index]
    start, end = item.start_mark.index, item.end_mark.index
    if item.flow_style:
        if "#" in re.sub(r"\"[^\"]*\"|'[^']*'", "", text[start:end]):
            raise UneditableError(_line(item), "this entry holds a comment in braces")
        return text[:start] + _format_flow(values) + text[end:]
    lines = _Lines(text, item)
    for key, value in item.value:
        name = str(key.value)
        if name not in values:
            lines.remove(key, value)
        elif values[name] != before.get(name):
            lines.change(key, value, _format_scalar(name, values[name], item.start_mark.column))
    known = {str(key.value) for key, _ in item.value}
    more = "".join(
        " " * item.start_mark.column + f"{name}: {_format_scalar(name, value, item.start_mark.column)}\n"
        for name, value in values.items()
        if name not in known
    )
    place = _block_end(text, sequence, index)
    lines.edits.append((place, place, more if text[:place].endswith("\n") or not more else f"\n{more.rstrip()}"))
    return lines.apply()


class _Lines:
    """Changes of the lines of one entry, applied at once."""

    def __init__(self, text: str, item: "MappingNode") -> None:
        self.text, self.item = text, item
        self.edits: list[tuple[int, int, str]] = []

    def change(self, key: "ScalarNode", value: "Node", shown: str) -> None:
        """Replace the value of a key."""
        start, end = value.start_mark.index, _end_of_value(self.text, key, value)
        if start == end:
            shown = f" {shown}"
        self.edits.append((start, end, shown))

    def remove(self, key: "ScalarNode", value: "Node") -> None:
        """Remove a key with its value; a comment behind it stays on a line of its own."""
        start, end = self.text.rfind("\n", 0, key.start_mark.index) + 1, _end_of_value(self.text, key, value)
        line_end = _end_of_line(self.text, end)
        comment = self.text[end:line_end].strip()
        indent = " " * key.start_mark.column
        kept = f"{indent}{comment}\n" if comment else ""
        if self.text[start : key.start_mark.index].strip():
            # The first key stands behind the dash: the next one takes its place.
            following = next((other for other, _ in self.item.value if other.start_mark.index > end), None)
            between = "" if following is None else self.text[line_end : following.start_mark.index]
            if following is None or between.strip() or comment:
                raise UneditableError(key.start_mark.line + 1, f"`{key.value}` cannot be taken out here")
            self.edits.append((key.start_mark.index, following.start_mark.index, ""))
        else:
            self.edits.append((start, line_end, kept))

    def apply(self) -> str:
        """Return the text with all changes."""
        text = self.text
        for start, end, new in sorted(self.edits, reverse=True):
            text = text[:start] + new + text[end:]
        return text


def _find_entries(text: str) -> "SequenceNode | None":
    """Return the list of entries; None where the file has none."""
    from ruamel.yaml.nodes import SequenceNode

    root = make_parser().compose(text)
    nodes = [] if root is None else [value for key, value in root.value if key.value == KEY]
    sequence = nodes[0] if nodes else None
    return sequence if isinstance(sequence, SequenceNode) and sequence.value else None


def _require_plain(text: str, index: int) -> "SequenceNode":
    """Return the list of entries; UneditableError where an entry holds an anchor, an alias, a merge key or a tag."""
    sequence = _find_entries(text)
    if sequence is None:
        raise UneditableError(1, "the entry is gone")
    item = sequence.value[index]
    start = item.start_mark.index if sequence.flow_style else _block_start(text, sequence, index)
    for event in make_parser().parse(text):
        # The anchor of an entry stands before its mark.
        if start <= event.start_mark.index < max(item.end_mark.index, start + 1) and _is_special(event):
            problem = "this entry holds an anchor, an alias, a merge key or a tag"
            raise UneditableError(event.start_mark.line + 1, problem)
    return sequence


def _is_special(event: Any) -> bool:
    from ruamel.yaml.events import AliasEvent, ScalarEvent

    is_merge = isinstance(event, ScalarEvent) and event.value == "<<" and not event.style
    return isinstance(event, AliasEvent) or bool(getattr(event, "anchor", None)) or is_merge or bool(_tag(event))


def _tag(event: Any) -> Any:
    tag = getattr(event, "tag", None)
    return tag if tag not in (None, "") else None


def _line(node: "Node") -> int:
    return int(node.start_mark.line) + 1


def _block_start(text: str, sequence: "SequenceNode", index: int) -> int:
    """Return where the line with the dash of an entry begins."""
    column, place = sequence.start_mark.column, sequence.value[index].start_mark.index
    while True:
        start = text.rfind("\n", 0, place) + 1
        if text[start + column : start + column + 1] == "-" and not text[start : start + column].strip():
            return start
        if start == 0:
            raise UneditableError(_line(sequence.value[index]), "the dash of this entry is not found")
        place = start - 1


def _block_end(text: str, sequence: "SequenceNode", index: int) -> int:
    """Return where the last line with content of an entry ends, behind its line feed."""
    item = sequence.value[index]
    if item.flow_style or not item.value:
        return _end_of_line(text, item.end_mark.index)
    return _end_of_line(text, max(_end_of_value(text, key, value) for key, value in item.value))


def _end_of_line(text: str, place: int) -> int:
    end = text.find("\n", place)
    return len(text) if end < 0 else end + 1


def _end_of_value(text: str, key: "ScalarNode", value: "Node") -> int:
    """Return where the text of a value ends; the mark of a block of text lies behind the comments that follow."""
    if getattr(value, "style", None) not in {"|", ">"}:
        return max(int(value.end_mark.index), int(key.end_mark.index))
    end = place = _end_of_line(text, value.start_mark.index)
    while place < len(text):
        following = _end_of_line(text, place)
        line = text[place:following]
        if line.strip() and len(line) - len(line.lstrip()) <= key.start_mark.column:
            break
        end, place = (following if line.strip() else end), following
    return end - 1 if text[end - 1 : end] == "\n" else end


def _end_of_list(text: str, sequence: "SequenceNode") -> int:
    """Return where another entry goes: the end of the file, or the end of its last entry where a document ends."""
    last = _block_end(text, sequence, len(sequence.value) - 1)
    rest = text[last:].splitlines()
    return len(text) if all(not line.strip() or line.lstrip().startswith("#") for line in rest) else last


def _with_line_end(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _start_list(text: str, item: str) -> str:
    """Return the text of a file without entries with its first one."""
    root = make_parser().compose(text)
    if root is None or not root.value:
        return f"{text.rstrip()}\n{KEY}:\n{item}" if text.strip() else f"{KEY}:\n{item}"
    key, value = next((key, value) for key, value in root.value if key.value == KEY)
    place = text.index(":", key.end_mark.index) + 1
    end = max(place, int(value.end_mark.index))
    written = text[place:end].strip()
    if written and "#" in written:
        raise UneditableError(_line(value), "this list holds a comment")
    if written:
        text = text[:place] + text[end:]
    line_end = _end_of_line(text, place)
    return f"{_with_line_end(text[:line_end])}{item}{text[line_end:]}"


def _format_item(values: Mapping[str, Any], column: int) -> str:
    """Return the lines of an entry whose dash stands in `column`."""
    text = StringIO()
    editor = make_editor()
    editor.indent(mapping=2, sequence=2, offset=0)
    editor.dump([dict(values)], text)
    return "".join(
        f"{' ' * column if line.strip() else ''}{line}" for line in text.getvalue().splitlines(keepends=True)
    )


def _format_scalar(name: str, value: Any, column: int) -> str:
    text = StringIO()
    make_editor().dump({name: value}, text)
    first, *more = text.getvalue().rstrip("\n").removeprefix(f"{name}:").lstrip(" ").split("\n")
    return "\n".join([first, *(" " * column + line if line.strip() else line for line in more)])


def _format_flow(values: Mapping[str, Any]) -> str:
    from ruamel.yaml.comments import CommentedMap

    flow = CommentedMap(values)
    flow.fa.set_flow_style()
    text = StringIO()
    make_editor().dump(flow, text)
    return text.getvalue().rstrip("\n")


def _add_to_flow(text: str, sequence: "SequenceNode", values: Mapping[str, Any]) -> str:
    last = int(sequence.value[-1].end_mark.index)
    return f"{text[:last]}, {_format_flow(values)}{text[last:]}"


def _remove_from_flow(text: str, sequence: "SequenceNode", index: int) -> str:
    nodes = sequence.value
    if len(nodes) == 1:
        start, end = nodes[0].start_mark.index, int(sequence.end_mark.index) - 1
    elif index + 1 < len(nodes):
        start, end = nodes[index].start_mark.index, nodes[index + 1].start_mark.index
    else:
        start, end = nodes[index - 1].end_mark.index, nodes[index].end_mark.index
    if "#" in re.sub(r"\"[^\"]*\"|'[^']*'", "", text[start:end]):
        raise UneditableError(_line(nodes[index]), "this list holds a comment")
    return text[:start] + text[end:]
