"""The Python API for notebooks and other programs: `from pipeline import locate, read_catalog`."""

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def read_catalog(path: str | Path = "data/processed/catalog") -> "pd.DataFrame":
    """Return the rows of a catalog as a DataFrame: one for each feature of an episode, the columns of docs/catalog.md.

    `path` is the dataset's folder, one episode's `.parquet`, or `catalog.csv`. Times are in seconds. Columns have
    Arrow's types, so that integers stay integers where values are missing (`pd.NA`). Raises
    `pipeline.core.errors.InputError` where there is no catalog, or where a file of it is damaged. A damaged or foreign
    file in a folder is left out with a UserWarning.

    >>> from pipeline import locate, read_catalog
    >>> _ = locate("talk.srt", "list.txt", output="catalog.parquet")
    >>> catalog = read_catalog("catalog.parquet")
    >>> catalog[["feature_id", "start"]].to_dict("records")
    [{'feature_id': 500111, 'start': '0:00:10'}, {'feature_id': 500122, 'start': '0:00:30'}]
    >>> catalog.dtypes["feature_id"]
    int64[pyarrow]
    """
    import warnings

    import pandas as pd

    from pipeline.publish.dataset import read_dataset
    from pipeline.publish.tables import read_catalogs, read_csv

    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist: correct the path, or run `catalog run` first")
    if path.suffix.lower() == ".csv":
        table = read_csv(path)
    else:
        table = read_dataset(path, warnings.warn) if path.is_dir() else read_catalogs([path])
    return table.to_pandas(types_mapper=pd.ArrowDtype)


def locate(
    media: str | Path,
    features: str | Path,
    *,
    model: str = "base",
    language: str | None = None,
    episode: str | None = None,
    whole: bool = False,
    offline: bool = False,
    output: str | Path | None = None,
) -> "pd.DataFrame":
    """Return where each feature of a list is discussed in an audio, video or transcript file (.srt, .vtt, .json).

    The rows have the columns of `read_catalog`, in list order. `model` is a Whisper size or the path of a model folder;
    it is used for audio and video only. `language` is detected where it is left out. `episode` selects one of several
    episodes of a page. With `whole`, audio may be shorter than its header states. `output` is a .csv, .parquet or .json
    file to write the rows to. With `offline`, no model is downloaded. Raises `pipeline.core.errors.InputError` for
    wrong input, and `ModelError` where the speech model is not available.

    >>> from pipeline import locate
    >>> rows = locate("talk.srt", "list.txt")
    >>> rows[["title", "start_s"]].to_dict("records")
    [{'title': 'Invoices can be sorted by due date', 'start_s': 10.0}, {'title': 'Dark theme', 'start_s': 30.0}]
    """
    import pandas as pd

    from pipeline.publish.tables import build_table, write_catalog
    from pipeline.standalone import check_output, locate_features
    from pipeline.transcribe.transcriber import WhisperTranscriber

    # Checked before the alignment, which may take minutes.
    if output is not None:
        check_output(Path(output), Path(media), Path(features))
    located = locate_features(
        Path(media),
        Path(features),
        transcriber=WhisperTranscriber(model, Path(), offline=offline),
        language=language,
        on_progress=lambda done, total: None,  # noqa: ARG005 - a notebook shows no progress
        list_episode=episode,
        whole=whole,
    )
    if output is not None:
        write_catalog(located.rows, Path(output))
    return build_table(located.rows).to_pandas(types_mapper=pd.ArrowDtype)
