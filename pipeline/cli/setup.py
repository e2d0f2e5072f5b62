"""The commands that set up a project: `init`, `new` and `doctor`."""

import shlex
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import Json, Offline, Root, print_json
from pipeline.core.errors import SOME_FAILED, InputError, PipelineError

if TYPE_CHECKING:
    from pipeline.core.project import Project

# The two ways to call `catalog new`.
NEW_USAGE = (
    "give EPISODE SOURCE --features FILE_OR_URL (not needed where the show has `releases`), "
    "or --from FEED_OR_PLAYLIST [--since DATE]"
)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to create.")],
    *,
    preset: Annotated[str | None, typer.Option(help="Start from a show's facts: by-the-runbook.")] = None,
) -> None:
    """Create a project folder for a show. With commented settings to fill in, and a .gitignore."""
    from pipeline.cli.tables import describe_files, print_line
    from pipeline.core.scaffold import make_project

    written = make_project(folder, preset)
    print_line(describe_files(written, Path()))
    print_line(f"next: catalog new ep1 SOURCE --features FILE_OR_URL --root {shlex.quote(str(folder))}")


def new(
    episode: Annotated[str | None, typer.Argument(help="The episode's id, such as ep12.")] = None,
    source: Annotated[
        str | None, typer.Argument(help="Its audio: a file, URL, feed or playlist; or a transcript.")
    ] = None,
    *,
    features: Annotated[str | None, typer.Option(metavar="FILE_OR_URL", help="Its feature list.")] = None,
    versions: Annotated[
        str | None,
        typer.Option(metavar="VERSIONS", help="The versions of the show's releases that it goes through, or a range."),
    ] = None,
    entry: Annotated[str | None, typer.Option(help="The entry of a feed or playlist: number, title or guid.")] = None,
    feed: Annotated[str | None, typer.Option("--from", help="Add all new episodes of this feed or playlist.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only episodes since a date such as 2026-11-23.")
    ] = None,
    root: Root = Path(),
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Write an episode's settings. Title, date and link come from its source."""
    from pipeline.core.project import Project

    project = Project(root.resolve())
    if feed is not None:
        # Typer cannot declare that two sets of options exclude each other.
        if episode is not None or source is not None or entry is not None or versions is not None or offline:
            raise typer.BadParameter("allows only --features, --since, --root and --json", param_hint="--from")
        _add_from_feed(project, feed, _read_date(since), features, as_json=as_json)
        return
    if episode is None or source is None or since is not None:
        raise typer.BadParameter(NEW_USAGE)
    from pipeline.cli.progress import ConsoleReporter
    from pipeline.cli.tables import describe_files, print_line
    from pipeline.core.config import check_episode_id, load_show
    from pipeline.core.urls import redact_url
    from pipeline.download.discovery import describe_source, make_settings, resolve_list, write_settings
    from pipeline.download.fetch_audio import make_fetch_policy

    path = project.episode(check_episode_id(episode))
    chosen = _choose_versions(project, features, versions)
    policy = make_fetch_policy(load_show(project.show).download, project.root)
    resolved_source, resolved_entry, metadata = describe_source(source, entry, project.root, policy, offline=offline)
    feature_list, exists = (None, True) if features is None else resolve_list(features, project.root)
    settings = make_settings(episode, resolved_source, resolved_entry, metadata, feature_list, chosen)
    written = write_settings(path, settings)
    if feature_list is not None and not exists:
        path_of_list = project.root / feature_list
        ConsoleReporter().warn(episode, f"the feature list {path_of_list} does not exist yet: put it there")
    values = settings.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    if as_json:
        # A URL may hold a key, and output ends up in logs.
        shown = {name: redact_url(text) if isinstance(text, str) else text for name, text in values.items()}
        print_json(shown)
    elif written:
        print_line(describe_files([path], project.root))
    else:
        print_line(f"{path.relative_to(project.root)} has these settings already")


def _choose_versions(project: "Project", features: str | None, versions: str | None) -> list[str]:
    """Return the versions to write, as `--versions` names them; a list of the episode's own needs none."""
    from pipeline.core.config import choose_releases, load_show, split_versions

    if features is not None:
        if versions is not None:
            raise typer.BadParameter("cannot be combined with --features", param_hint="--versions")
        return []
    releases = load_show(project.show).releases if project.show.is_file() else []
    if not releases:
        raise typer.BadParameter(NEW_USAGE)
    chosen = split_versions(versions) if versions is not None else []
    try:
        choose_releases(chosen, releases)
    except ValueError as error:
        raise InputError(f"--versions {error}") from error
    return chosen


def _add_from_feed(project: "Project", feed: str, since: date | None, features: str | None, *, as_json: bool) -> None:
    from dataclasses import asdict

    from pipeline.cli.progress import ConsoleReporter
    from pipeline.cli.tables import print_line
    from pipeline.core.config import load_show
    from pipeline.download.discovery import add_new_episodes
    from pipeline.download.fetch_audio import make_fetch_policy
    from pipeline.download.retry import rate_limit

    show = load_show(project.show)
    settings = show.download

    def wait() -> None:
        with rate_limit(project.turns, settings.pause):
            pass

    policy = make_fetch_policy(settings, project.root)
    added = add_new_episodes(
        project,
        feed,
        since=since,
        features=features,
        has_releases=bool(show.releases),
        policy=policy,
        before_request=wait,
    )
    new = [episode for episode in added if not episode.skipped]
    if as_json:
        print_json([asdict(episode) for episode in added])
    else:
        reporter = ConsoleReporter()
        for episode in added:
            if episode.skipped:
                reporter.warn(episode.episode_id or "new", f"{episode.title}: {episode.skipped}")
            else:
                print_line(f"added {episode.episode_id}: {episode.title}")
        if not new:
            print_line("nothing new")
    if any(episode.failed for episode in added):
        raise typer.Exit(SOME_FAILED if new else PipelineError.exit_code)


def _read_date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date such as 2026-11-23", param_hint="--since") from None


def doctor(*, root: Root = Path(), as_json: Json = False) -> None:
    """Check what a run needs. One line each, with what to do; nothing is changed."""
    from dataclasses import asdict
    from datetime import UTC, datetime

    from pipeline.cli.tables import print_checks
    from pipeline.core.project import Project
    from pipeline.runs.doctor import Finding, run_checks

    checks = run_checks(Project(root.resolve()), today=datetime.now(UTC).date())
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        print_checks(checks)
    if any(check.finding is Finding.MISSING for check in checks):
        raise typer.Exit(PipelineError.exit_code)
