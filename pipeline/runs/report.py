"""Write the report of a run: what ran and why, how long it took, what changed, and what a person should look at.

`data/processed/runs/0007-20261123T043449Z.json` is the report; the number gives the order, even if the clock was
changed. The text file next to it holds the same in a few lines, for a mail.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.core.schema import Status
from pipeline.core.storage import write_bytes, write_json
from pipeline.core.text import printable
from pipeline.core.times import format_time
from pipeline.core.version import __version__
from pipeline.publish.summary import count_statuses, describe_counts, suggest_command
from pipeline.runs.history import (
    BEFORE_FIRST_RUN,
    RunSnapshot,
    compare_runs,
    latest_snapshots,
    list_runs,
    next_number,
    read_run,
)
from pipeline.runs.result import RunResult

# The most changes of each kind, and doubtful starts, of an episode that a mail lists; it counts the others.
MAIL_LINES = 8


def write_report(project: Project, result: RunResult, seconds: float) -> Path:
    """Write the report of a run that took `seconds`, and its mail, under the next number; return the report's path.

    The text of the mail is also kept in `result.mail`.
    """
    name = f"{next_number(project):04}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    before, now = _read_last_run(project), RunSnapshot(name, latest_snapshots(project))
    # The work is done: a damaged snapshot must not prevent the report.
    changes = compare_runs(project, before, now, on_error=result.notes.append)
    record = {
        "run": name,
        "ended": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seconds": round(seconds, 3),
        "exit_code": result.exit_code,
        "interrupted": result.interrupted,
        "pipeline_version": __version__,
        "stages": [{**asdict(stage), "seconds": round(stage.seconds, 3)} for stage in result.stages],
        "changes": {
            episode_id: changed.to_json() if episode_id in before.catalogs else {"new": len(changed.added)}
            for episode_id, changed in changes.items()
        },
        **({"notes": result.notes} if result.notes else {}),
        "statuses": {episode_id: count_statuses(rows) for episode_id, rows in sorted(result.rows.items())},
        "needs_a_person": find_tasks(result),
        # The next run, and `catalog diff`, compare with these.
        "catalogs": now.catalogs,
    }
    result.mail = describe_run(record)
    # The report comes last: where it exists, the mail is complete.
    write_bytes(project.runs / f"{name}.txt", result.mail.encode())
    path = project.runs / f"{name}.json"
    write_json(path, record)
    return path


def _read_last_run(project: Project) -> RunSnapshot:
    """The snapshots of the last run; none where its report is damaged, which must not stop this run."""
    if not (runs := list_runs(project)):
        return RunSnapshot(BEFORE_FIRST_RUN, {})
    try:
        return read_run(project, runs[-1])
    except InputError:
        return RunSnapshot(runs[-1], {})


def find_tasks(result: RunResult) -> dict[str, dict[str, Any]]:
    """Return what a person should look at, by episode id: failures, warnings, and doubtful starts."""
    tasks: dict[str, dict[str, Any]] = {}
    for failure in result.failures:
        tasks.setdefault(failure.episode_id, {})["failed"] = f"{failure.stage}: {failure.error}"
    for episode_id, warning in result.warnings:
        tasks.setdefault(episode_id, {}).setdefault("warnings", []).append(warning)
    for episode_id, rows in result.rows.items():
        doubtful = [
            {"position": row.position, "title": row.title, "start_s": row.start_s, "reason": row.reason}
            for row in rows
            if row.status == Status.REVIEW
        ]
        if doubtful:
            tasks.setdefault(episode_id, {})["review"] = doubtful
    return dict(sorted(tasks.items()))


def describe_run(record: Mapping[str, Any]) -> str:
    """Return the report of a run as the text of a mail: the changes, and what needs a person."""
    failed = {stage["episode_id"] for stage in record["stages"] if stage["error"]}
    done = {stage["episode_id"] for stage in record["stages"]} - failed
    duration = format_time(record["seconds"])
    heading = f"{len(done)} {'episode' if len(done) == 1 else 'episodes'} done, {len(failed)} failed, in {duration}"
    lines = [f"{heading} (interrupted)" if record["interrupted"] else heading]
    # Reports of version 0.2.0 have no statuses.
    statuses = record.get("statuses", {})
    lines += [f"{episode_id}: {describe_counts(counts)}" for episode_id, counts in statuses.items()]
    for episode_id, changes in record["changes"].items():
        lines += ["", *describe_changes(episode_id, changes, limit=MAIL_LINES)]
    for episode_id, tasks in record["needs_a_person"].items():
        lines += ["", f"{episode_id} needs a person:", *_describe_tasks(tasks)]
    if any(counts.get(Status.REVIEW) for counts in statuses.values()):
        lines += ["", f"next: {suggest_command(statuses)}"]
    # Titles come from outside, and a mail may be read in a terminal.
    return printable("\n".join(lines) + "\n")


def _describe_tasks(tasks: Mapping[str, Any]) -> list[str]:
    lines = [f"  failed at {tasks['failed']}"] if "failed" in tasks else []
    lines += [f"  {warning}" for warning in tasks.get("warnings", [])]
    if review := tasks.get("review", []):
        lines.append(f"  {len(review)} {'start is' if len(review) == 1 else 'starts are'} doubtful:")
        lines += [f"    {_format_time(row['start_s']):>8}  {row['title']}" for row in review[:MAIL_LINES]]
        lines += [f"    and {len(review) - MAIL_LINES} more"] if len(review) > MAIL_LINES else []
    return lines


def describe_changes(episode_id: str, changes: Mapping[str, Any], *, limit: int | None = None) -> list[str]:
    """Return the changes of an episode, one a line; of each kind at most `limit`, and the number of the others."""
    if "new" in changes:
        return [f"{episode_id} is new: {changes['new']} entries"]
    lines = [f"{episode_id}:"]
    for kind, describe in _DESCRIPTIONS.items():
        entries = changes.get(kind, [])
        lines += [f"  {describe(entry)}" for entry in entries[:limit]]
        if limit is not None and len(entries) > limit:
            lines.append(f"  and {len(entries) - limit} more {kind.replace('_', ' ')}")
    return [*lines, *(["  the order changed"] if changes.get("reordered") else [])]


def _describe_move(entry: Mapping[str, Any]) -> str:
    before, after = _format_time(entry["before_s"]), _format_time(entry["after_s"])
    difference = "" if entry["by_s"] is None else f" ({entry['by_s']:+.1f} s)"
    return f"moved     {_name(entry)}: {before} -> {after}{difference}"


def _describe_edit(entry: Mapping[str, Any]) -> str:
    edits = []
    for column, (before, after) in entry["columns"].items():
        show = _format_time if column.endswith("_s") else _format_value
        # Two descriptions side by side are too long for a mail.
        edits.append(column if column == "description" else f"{column} {show(before)} -> {show(after)}")
    return f"edited    {_name(entry)}: {', '.join(edits)}"


def _format_value(value: Any) -> str:
    return "none" if value is None else str(value)


def _name(entry: Mapping[str, Any]) -> str:
    number = "" if entry["feature_id"] is None else f"#{entry['feature_id']} "
    return f"{number}{entry['title']}"


def _format_time(seconds: float | None) -> str:
    return "no time" if seconds is None else format_time(seconds)


# How each kind of change in `EpisodeChanges.to_json` is described, in the order of the report.
_DESCRIPTIONS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "added": lambda entry: f"added     {_name(entry)}: {_format_time(entry['start_s'])}, {entry['status']}",
    "removed": lambda entry: f"removed   {_name(entry)}",
    "renamed": lambda entry: f"renamed   {_name(entry)}, before: {entry['before']}",
    "moved": _describe_move,
    "status_changed": lambda entry: f"status    {_name(entry)}: {entry['before']} -> {entry['after']}",
    "edited": _describe_edit,
}
