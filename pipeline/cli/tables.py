"""Print results to stdout as tables and lines, safe for any terminal."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.cli.progress import PlainConsole
from pipeline.core.extras import describe_installation
from pipeline.core.schema import Feature, FeatureList, Status
from pipeline.core.text import printable
from pipeline.core.times import format_time
from pipeline.publish.ledger import NOT_YET
from pipeline.publish.rows import CatalogRow, title_of
from pipeline.publish.summary import count_statuses

if TYPE_CHECKING:
    from pipeline.publish.evaluation import Evaluation
    from pipeline.publish.ledger import LedgerRow
    from pipeline.runs.doctor import Check
    from pipeline.runs.workflow import StageStatus
    from pipeline.transcribe.models import InstalledModel

# The color of each status.
STYLES = {Status.CONFIDENT: "green", Status.REVIEW: "yellow", Status.NOT_FOUND: "dim", Status.CORRECTED: "cyan"}

# The same for the rows of the ledger.
LEDGER_STYLES = {**{status.value: style for status, style in STYLES.items()}, NOT_YET: "dim"}

# Columns of a table where there is no terminal: at rich's 80, titles would be cut too short.
UNSTYLED_WIDTH = 120

# Columns of a terminal from which the table of an episode has room for reasons.
WIDE = 120

# The most files that a line names; it counts the others.
MAX_NAMED_FILES = 6

NO_EPISODE = "there is no episode yet: add one with `catalog new`"

# Headings of the columns that rich may wrap or cut where a table is too wide.
LONG = {"title", "text", "found", "to do", "reason", "folder"}


def print_rows(rows: Sequence[CatalogRow]) -> None:
    """Print the rows of an episode: position, id, title, start, status, and on a wide terminal the reason."""
    out = _out()
    has_reasons = out.is_terminal and out.width >= WIDE
    table = _table("#", "id", "title", "start", "status", *(["reason"] if has_reasons else []))
    for row in rows:
        status = Text(row.status, style=STYLES[Status(row.status)])
        title = _cut(row.title)
        number = _plain(str(row.feature_id or row.feature_key or ""))
        reason = [_cut(row.reason)] if has_reasons else []
        table.add_row(str(row.position), number, title, row.shown_start, status, *reason)
    out.print(table)


def print_episodes(rows: dict[str, tuple[CatalogRow, ...]]) -> None:
    """Print one line for each episode: the number of features, and of each status."""
    table = _table("episode", "title", "features", *(status.value for status in STYLES))
    for episode_id, episode_rows in rows.items():
        found = count_statuses(episode_rows)
        counts = [str(found.get(status.value, 0)) for status in STYLES]
        table.add_row(_plain(episode_id), _cut(title_of(episode_rows)), str(len(episode_rows)), *counts)
    _out().print(table)


def print_list(features: FeatureList, *, explain: bool = False) -> None:
    """Print a feature list as it was parsed; with `explain`, first how each line was read."""
    if features.episode is not None:
        print_line(f"Episode {features.episode}: {len(features.features)} entries")
    if explain:
        table = _table("line", "role", "entry", "reason", "text")
        for report in features.line_reports:
            position = "" if report.position is None else str(report.position)
            table.add_row(str(report.line), report.role, position, _plain(report.reason), _cut(report.text))
        _out().print(table)
    print_features(features.features)


def print_features(features: Iterable[Feature]) -> None:
    """Print entries: position, id, version, title, published time, whether it is a highlight."""
    table = _table("#", "id", "version", "title", "published", "highlight")
    for feature in features:
        table.add_row(
            str(feature.position),
            Text(printable(str(feature.feature_id or feature.feature_key or ""))),
            Text(printable(feature.version or "")),
            _cut(feature.title),
            "" if feature.published_s is None else format_time(feature.published_s),
            "yes" if feature.highlight else "",
        )
    _out().print(table)


def print_status(statuses: "Sequence[StageStatus]") -> None:
    """Print one line for each stage that is not up to date, and the number of episodes that are."""
    table = _table("episode", "stage", "reason")
    stale = [status for status in statuses if status.stale]
    for status in stale:
        table.add_row(status.episode_id, status.stage, Text(printable(status.reason), overflow="fold"))
    if stale:
        _out().print(table)
    fresh = len({status.episode_id for status in statuses} - {status.episode_id for status in stale})
    if not statuses:
        print_line(NO_EPISODE)
    elif fresh or not stale:
        print_line(f"{fresh} episodes are up to date" if fresh != 1 else "1 episode is up to date")


def print_models(models: "Sequence[InstalledModel]") -> None:
    """Print one line for each speech model on this machine, and then any problem of one."""
    if not models:
        how = f"`{describe_installation('models')}`, or `catalog models pull base`"
        print_line(f"no speech model is on this machine: {how}")
        return
    table = _table("model", "from", "MB", "digest", "folder")
    for model in models:
        path = Text(printable(str(model.folder.path)), overflow="fold")
        table.add_row(_plain(model.folder.name), model.folder.origin, str(model.size >> 20), model.digest, path)
    _out().print(table)
    for model in models:
        if model.problem:
            print_line(f"{model.folder.name}: {model.problem}")


def print_hits(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the results of a search: each feature with its start and its link."""
    if not rows:
        print_line("nothing found")
        return
    table = _table("episode", "start", "id", "version", "title")
    for row in rows:
        markers = (str(row["feature_id"] or ""), _plain(row["version"] or ""))
        start = "" if row["start_s"] is None else format_time(row["start_s"])
        title: RenderableType = _cut(row["title"])
        if row["url"]:
            # Below the title the link has room: a link that is cut leads nowhere.
            title = Group(title, Text(printable(row["url"]), style="dim", overflow="fold"))
        table.add_row(_plain(row["episode_id"]), start, *markers, title)
    longest = max(len(row["url"] or "") for row in rows)
    _out(room=longest + UNSTYLED_WIDTH // 2).print(table)


def print_ledger(rows: "Sequence[LedgerRow]") -> None:
    """Print the entries of release lists, one line for each of their moments."""
    table = _table("version", "id", "title", "episode", "start", "status", "kind")
    for row in rows:
        number, title = str(row.feature_id or ""), _cut(row.title)
        status = Text(row.status, style=LEDGER_STYLES.get(row.status, ""))
        moment = (_plain(row.episode_id or ""), row.shown_start, status, row.kind or "")
        table.add_row(_plain(row.version), number, title, *moment)
    _out().print(table)


def print_evaluation(evaluation: "Evaluation") -> None:
    """Print the quality of starts: recall, errors, precision by status, calibration."""
    subject = "1 feature is" if evaluation.discussed == 1 else f"{evaluation.discussed} features are"
    print_line(f"{subject} discussed; found within")
    print_line("  " + ", ".join(f"{seconds} s: {share:.0%}" for seconds, share in evaluation.recall.items()))
    if evaluation.median_error is not None and evaluation.p90_error is not None:
        print_line(f"off by: median {evaluation.median_error:.1f} s, 90th percentile {evaluation.p90_error:.1f} s")
    print_line(f"not found: {evaluation.missed} of {evaluation.discussed}")
    print_line(f"placed though not discussed: {evaluation.placed_undiscussed} of {evaluation.undiscussed}")
    table = _table("status", "features", "right (30 s)")
    for status, precision in evaluation.precision.items():
        table.add_row(status, str(evaluation.counts[status]), f"{precision:.0%}")
    _out().print(table)
    table = _table("confidence", "features", "mean", "right")
    for row in evaluation.reliability:
        table.add_row(f"{row.low:.1f}-{row.high:.1f}", str(row.count), f"{row.confidence:.2f}", f"{row.right:.2f}")
    _out().print(table)
    if evaluation.calibration_error is not None:
        print_line(f"expected calibration error: {evaluation.calibration_error:.3f}")


def print_checks(checks: "Sequence[Check]") -> None:
    """Print one line for each check: outcome, subject, finding, and what to do."""
    from pipeline.runs.doctor import Finding

    table = _table("", "check", "found", "to do")
    styles = {Finding.OK: "green", Finding.ADVICE: "yellow", Finding.MISSING: "red"}
    for check in checks:
        found, to_do = (Text(printable(text), overflow="fold") for text in (check.found, check.to_do))
        table.add_row(Text(check.finding.value, style=styles[check.finding]), check.what, found, to_do)
    _out().print(table)


def print_line(line: str) -> None:
    """Print one line of a result."""
    _out().print(printable(line), markup=False, emoji=False, soft_wrap=True)


def describe_files(paths: Sequence[Path], root: Path) -> str:
    """Return one line that names the files that were written, relative to `root` where they are below it."""
    names = [path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path) for path in paths]
    if len(names) > MAX_NAMED_FILES:
        named = MAX_NAMED_FILES - 1
        names = [*names[:named], f"{len(names) - named} more"]
    return "wrote " + ", ".join(names)


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings:
        right = heading in {"#", "id", "start", "features", "published", "line", "entry", "MB"}
        table.add_column(heading, justify="right" if right else "left", no_wrap=heading not in LONG)
    return table


def _cut(title: str) -> Text:
    """A title, cut where its column ends."""
    return Text(printable(title), no_wrap=True, overflow="ellipsis")


def _plain(text: str) -> Text:
    """A text from outside, without rich's markup and without control codes."""
    return Text(printable(text))


def _out(room: int = 0) -> Console:
    # `room` is the number of columns that a table needs at least; a pipe or a log has any width.
    width = None if sys.stdout.isatty() else max(UNSTYLED_WIDTH, room)
    return PlainConsole(width=width, highlight=False)
