"""Measure the shape of the code: the lines of its modules and functions, and the share of comments.

    python -m benchmarks.shape [FOLDER]

tests/test_shape.py keeps these figures within their bounds.
"""

import ast
import io
import statistics
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef

# Tokens that hold neither code nor comments.
LAYOUT = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of a folder of Python files. Docstrings count as neither comments nor code.

    Attributes:
        modules: the lines of each module, by its path.
        functions: the lines of each function, by `path:name`.
        comments: the number of lines with a comment.
        code: the number of lines with code.
    """

    modules: dict[str, int]
    functions: dict[str, int]
    comments: int
    code: int

    @property
    def comments_in_100(self) -> float:
        """Return the lines of comment in a hundred lines of code."""
        return 100 * self.comments / max(1, self.code)

    def describe(self) -> str:
        """Return the figures as text."""
        modules, functions = sorted(self.modules.values()), sorted(self.functions.values())
        longest = max(self.functions, key=lambda name: self.functions[name])
        largest = max(self.modules, key=lambda name: self.modules[name])
        return "\n".join(
            [
                f"{len(modules)} modules, {sum(modules)} lines: median {statistics.median(modules):g}, "
                f"largest {modules[-1]} ({largest})",
                f"{len(functions)} functions: median {statistics.median(functions):g}, "
                f"90 of 100 at most {percentile(functions, 0.9)}, longest {functions[-1]} ({longest})",
                f"{self.comments_in_100:.1f} lines of comment in 100 lines of code",
            ]
        )


def measure_shape(folder: Path) -> Shape:
    """Return the shape of the Python files below a folder."""
    modules, functions, comments, code = {}, {}, 0, 0
    for path in sorted(folder.rglob("*.py")):
        text, name = path.read_text(encoding="utf-8"), path.relative_to(folder).as_posix()
        tree = ast.parse(text)
        modules[name] = len(text.splitlines())
        for node in ast.walk(tree):
            if isinstance(node, Function) and node.end_lineno is not None:
                functions[f"{name}:{node.name}"] = node.end_lineno - node.lineno + 1
        counted = count_lines(text, set(find_docstrings(tree)))
        comments, code = comments + counted[0], code + counted[1]
    return Shape(modules, functions, comments, code)


def find_docstrings(tree: ast.AST) -> Iterator[int]:
    """Yield the numbers of the lines of docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, Function | ast.ClassDef | ast.Module) and ast.get_docstring(node) is not None:
            yield from range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)


def count_lines(text: str, docstrings: set[int]) -> tuple[int, int]:
    """Return the number of lines with a comment, and of lines with code."""
    comments, code = set(), set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        lines = range(token.start[0], token.end[0] + 1)
        if token.type == tokenize.COMMENT:
            comments |= set(lines)
        elif token.type not in LAYOUT:
            code |= set(lines)
    return len(comments), len(code - docstrings)


def percentile(values: list[int], share: float) -> int:
    """Return the value that this share of the sorted values does not exceed."""
    return values[min(len(values) - 1, int(share * len(values)))]


if __name__ == "__main__":
    print(measure_shape(Path(sys.argv[1] if len(sys.argv) > 1 else "pipeline")).describe())
