"""The Python API, with the examples of its docstrings."""

import doctest
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import pipeline
from pipeline import api
from pipeline.core.errors import InputError
from pipeline.publish.tables import read_catalogs, write_csv


def test_docstring_examples_are_true(talk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(talk)
    result = doctest.testmod(api)
    assert result.attempted >= 6
    assert result.failed == 0


def test_csv_and_dataset_give_equal_frames(talk: Path) -> None:
    (talk / "catalog").mkdir()
    api.locate(talk / "talk.srt", talk / "list.txt", output=talk / "catalog" / "talk.parquet")
    write_csv(read_catalogs([talk / "catalog" / "talk.parquet"]), talk / "catalog.csv")
    dataset, text = api.read_catalog(talk / "catalog"), api.read_catalog(talk / "catalog.csv")
    pd.testing.assert_frame_equal(dataset, text)


def test_missing_catalog_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no catalog yet"):
        api.read_catalog(tmp_path)
    with pytest.raises(InputError, match="nowhere does not exist: correct the path, or run"):
        api.read_catalog(tmp_path / "nowhere")


def test_impossible_output_is_refused_before_alignment(talk: Path) -> None:
    for output, message in (("catalog.xlsx", "must end in"), ("no/catalog.csv", "does not exist"), (".", "must end")):
        with pytest.raises(InputError, match=message):
            api.locate(talk / "talk.srt", talk / "list.txt", output=talk / output)


def test_package_import_loads_nothing_else() -> None:
    code = "import pipeline, sys; print('pandas' in sys.modules, sorted(m for m in sys.modules if 'pipeline' in m))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "False ['pipeline', 'pipeline.core', 'pipeline.core.version']"


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        pipeline.nothing  # noqa: B018
