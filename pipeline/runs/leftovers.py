"""Remove the temporary files that killed commands left outside of a run: `catalog review` and `catalog new`."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.core.config import EPISODE_ID
from pipeline.core.project import Project
from pipeline.core.storage import target_of_temp_file

# The suffix of an undo journal in the folder of states.
_JOURNAL = ".undo.json"

# Seconds after which the temporary file of a command without a lock has no writer any more.
_OLD_S = 3600.0


def remove_leftovers(project: Project) -> None:
    """Remove what killed commands left; a review that saves now holds the lock of its episode and keeps its files."""
    for path, episode_id in _find_review_files(project):
        with suppress(OSError, Timeout), FileLock(project.corrections_lock(episode_id), timeout=0):
            path.unlink(missing_ok=True)
    for folder in (project.episodes, project.turns):
        for path in folder.glob(".*.tmp"):
            with suppress(OSError):
                if target_of_temp_file(path) and time.time() - path.lstat().st_mtime > _OLD_S:
                    path.unlink()


def _find_review_files(project: Project) -> Iterator[tuple[Path, str]]:
    """Yield each temporary file of corrections and undo journals, with its episode."""
    corrections, states = project.corrections("any").parent, project.state("any").parent
    links = [path for path in corrections.glob("*.yaml") if path.is_symlink()]
    # A save goes into the file that a link leads to; another file beside it is somebody else's.
    shared = {path.resolve(): path.stem for path in links if EPISODE_ID.fullmatch(path.stem)}
    for folder in {corrections, states, *(target.parent for target in shared)}:
        for path in list(folder.glob(".*.tmp")):
            name = target_of_temp_file(path) or ""
            suffix = {corrections: ".yaml", states: _JOURNAL}.get(folder)
            episode_id = shared.get(folder / name)
            if episode_id is None and suffix is not None and name.endswith(suffix):
                episode_id = name.removesuffix(suffix)
            if episode_id is not None and EPISODE_ID.fullmatch(episode_id):
                yield path, episode_id
