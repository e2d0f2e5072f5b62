"""The code keeps its shape: folders, modules and functions of bounded size, and comments where they help."""

import re
from collections import Counter
from pathlib import PurePosixPath

from benchmarks.shape import Shape, measure_shape, percentile
from tests.support.project import REPOSITORY

# Bounds in modules per folder, and in lines per module and function.
MAX_MODULES = 20
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60
USUAL_FUNCTION_LINES = 25

PACKAGE = measure_shape(REPOSITORY / "pipeline")


def test_every_module_is_imported() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "pipeline").rglob("*.py"))
    for name in PACKAGE.modules:
        parent, _, last = f"pipeline.{name.removesuffix('.py').replace('/', '.')}".rpartition(".")
        if last not in {"__init__", "__main__"}:
            ways = rf"(from|import) {re.escape(parent)}\.{last}\b|from {re.escape(parent)} import [^\n]*\b{last}\b"
            assert re.search(ways, sources), name


def test_every_package_explains_itself() -> None:
    for path in sorted((REPOSITORY / "pipeline").glob("*/__init__.py")):
        docstring = path.read_text(encoding="utf-8").split('"""')[1]
        assert len(docstring.split()) >= 40, path


def test_folders_are_small() -> None:
    modules = [PurePosixPath(name) for name in PACKAGE.modules if not name.endswith("__init__.py")]
    folders = Counter(str(module.parent) for module in modules)
    assert {folder: count for folder, count in folders.items() if count > MAX_MODULES} == {}


def test_modules_are_short() -> None:
    assert {name: lines for name, lines in PACKAGE.modules.items() if lines > MAX_MODULE_LINES} == {}


def test_functions_are_short() -> None:
    assert {name: lines for name, lines in PACKAGE.functions.items() if lines > MAX_FUNCTION_LINES} == {}
    assert percentile(sorted(PACKAGE.functions.values()), 0.9) <= USUAL_FUNCTION_LINES


def test_comments_are_neither_rare_nor_frequent() -> None:
    assert 4 <= PACKAGE.comments_in_100 <= 10


def test_tests_mirror_modules() -> None:
    modules = {name.removesuffix(".py") for name in PACKAGE.modules}
    for path in sorted((REPOSITORY / "tests").glob("*/**/test_*.py")):
        relative = path.relative_to(REPOSITORY / "tests")
        name = (relative.parent / relative.stem.removeprefix("test_")).as_posix()
        assert name in modules or name in {"cli/cli", "publish/site_browser", "review/browser"}, path


def test_no_test_module_imports_another() -> None:
    for path in sorted((REPOSITORY / "tests").rglob("*.py")):
        assert not re.search(r"^\s*(from|import) (tests\.)?(\w+\.)*test_", path.read_text(encoding="utf-8"), re.M), path


def test_shape_counts_lines() -> None:
    assert Shape({"a.py": 3}, {"a.py:f": 2}, 1, 25).comments_in_100 == 4
    assert percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.9) == 10
