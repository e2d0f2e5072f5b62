"""The code keeps a shape that can be read: short modules, short functions, comments where they help."""

import re
import statistics

from benchmarks.shape import Shape, measure_shape, percentile
from tests.support.project import REPOSITORY

PACKAGE = measure_shape(REPOSITORY / "pipeline")


def test_nothing_is_there_that_nothing_uses() -> None:
    used = "\n".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "pipeline").rglob("*.py"))
    for name in PACKAGE.modules:
        parent, _, last = f"pipeline.{name.removesuffix('.py').replace('/', '.')}".rpartition(".")
        if last not in {"__init__", "__main__"}:
            ways = rf"(from|import) {re.escape(parent)}\.{last}\b|from {re.escape(parent)} import [^\n]*\b{last}\b"
            assert re.search(ways, used), name


def test_every_module_has_its_place_in_the_table_of_where_things_are() -> None:
    told = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    own = {name.removesuffix(".py") for name in PACKAGE.modules if "/" not in name} - {"__init__", "__main__"}
    assert {name for name in own if f"`{name}`" not in told} == set()


def test_no_module_is_too_long_to_be_read() -> None:
    assert {name: lines for name, lines in PACKAGE.modules.items() if lines > 400} == {}
    assert statistics.median(PACKAGE.modules.values()) <= 150


def test_no_function_is_longer_than_a_screen() -> None:
    assert {name: lines for name, lines in PACKAGE.functions.items() if lines > 60} == {}
    assert percentile(sorted(PACKAGE.functions.values()), 0.9) <= 40


def test_comments_are_there_and_not_too_many() -> None:
    assert 4 <= PACKAGE.comments_in_100 <= 10


def test_shape_is_measured_as_it_is_said() -> None:
    assert Shape({"a.py": 3}, {"a.py:f": 2}, 1, 25).comments_in_100 == 4
    assert percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.9) == 10
