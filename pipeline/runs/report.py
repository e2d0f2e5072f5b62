"""The report that a run leaves: what ran and why, how long it took, what changed, and what needs a person.

`data/processed/runs/0007-20261123T043449Z.json`: the number tells the order, whatever the clock did. Each report names
the state of every episode's rows (see `pipeline.history`), so that any two runs can be compared. The same for a mail,
in a few lines of text, lies beside it.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.core.schema import Status
from pipeline.core.storage import read_record, write_bytes, write_json
from pipeline.core.text import printable
from pipeline.core.times import format_time
from pipeline.core.version import __version__
from pipeline.runs.diff import EpisodeChanges, compare_rows
from pipeline.runs.history import latest_states, read_state
from pipeline.runs.job import RunResult

NOW = "now"
_NAME = re.compile(r"(\d{4,})-\d{8}T\d{6}Z")

# A mail names so many changes of an episode; the rest are counted.
SHOWN = 8


@dataclass(frozen=True, slots=True)
class RunState:
    """The state of every episode's rows, by the episode's id, when a run had ended."""

    name: str
    catalogs: dict[str, str]


def list_runs(project: Project) -> list[str]:
    """Return the names of the runs that left a report, oldest first."""
    names = [path.stem for path in project.runs.glob("*.json")] if project.runs.is_dir() else []
    return sorted((name for name in names if _NAME.fullmatch(name)), key=_number)


def _number(name: str) -> int:
    return int(name.partition("-")[0])


def walk_back(project: Project) -> Iterator[RunState]:
    """Yield the states after each run, latest first; what was published since, by a run that was killed, is `now`."""
    states = latest_states(project)
    # A run that was killed published without a report; what it did must show all the same.
    runs = list_runs(project)
    if not runs or _read(project, runs[-1]).catalogs != states:
        yield RunState(NOW, states)
    for name in reversed(runs):
        yield _read(project, name)
    yield RunState("nothing", {})


def find_run(project: Project, name: str) -> RunState:
    """Return the run of this name: in full, its number, the beginning of its name, or `now`; InputError without one."""
    if name == NOW:
        return RunState(NOW, latest_states(project))
    runs = list_runs(project)
    # A number is exact: 1 is not the beginning of 12.
    fitting = [run for run in runs if name in {run, str(_number(run))}] or [run for run in runs if run.startswith(name)]
    if len(fitting) != 1:
        known = ", ".join(runs[-3:]) or "none yet"
        raise InputError(f"{len(fitting) or 'no'} runs are called {name} (the last ones: {known})")
    return _read(project, fitting[0])


def _read(project: Project, name: str) -> RunState:
    return RunState(name, read_record(project.runs / f"{name}.json", lambda record: dict(record["catalogs"])))


def choose_runs(
    project: Project, episode_ids: list[str] | None, before: str | None, after: str | None
) -> tuple[RunState, RunState]:
    """Return the two runs to compare: those named, else the last two; of named episodes, the last two that differ.

    InputError where a run is not known, or nothing was published yet.
    """
    timeline = walk_back(project)
    newer = next(timeline)
    if after is not None:
        newer = find_run(project, after)
        if after != NOW:
            # What came after the run that was named is passed over.
            next((state for state in timeline if state.name == newer.name), None)
    if not newer.catalogs:
        raise InputError("nothing was published yet: run `catalog run`")
    if before is not None:
        return find_run(project, before), newer
    for older in timeline:
        ids = episode_ids or []
        if not ids or any(older.catalogs.get(name) != newer.catalogs.get(name) for name in ids):
            return older, newer
        newer = older if after is None else newer
    return newer, newer


def compare_runs(
    project: Project,
    before: RunState,
    now: RunState,
    episode_ids: list[str] | None = None,
    *,
    complain: Callable[[str], object] | None = None,
) -> dict[str, EpisodeChanges]:
    """Return what changed in each episode from one run to another, without those where nothing did.

    InputError where a state is gone or damaged; with `complain`, that is told there and the episode left out.
    """
    found = {}
    for episode_id in sorted({*before.catalogs, *now.catalogs} if episode_ids is None else episode_ids):
        old, new = before.catalogs.get(episode_id), now.catalogs.get(episode_id)
        # States are named by digest: equal names need no reading.
        if old != new:
            try:
                sides = [read_state(project, episode_id, state) if state else [] for state in (old, new)]
            except InputError as error:
                if complain is None:
                    raise
                complain(f"{episode_id}: what changed cannot be told: {error}")
                continue
            changes = compare_rows(*sides)
            if changes:
                found[episode_id] = changes
    return found


def write_report(project: Project, result: RunResult, seconds: float) -> Path:
    """Return the report of what a run did in so many seconds, kept under the next number with the mail about it."""
    runs = list_runs(project)
    name = f"{1 + (_number(runs[-1]) if runs else 0):04}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    before = _read_if_sound(project, runs[-1]) if runs else RunState("nothing", {})
    now = RunState(name, latest_states(project))
    # What was done is done: a damaged state of before is no reason to leave no report.
    changes = compare_runs(project, before, now, complain=result.notes.append)
    record = {
        "run": name,
        "ended": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seconds": round(seconds, 3),
        "exit_code": result.exit_code,
        "interrupted": result.interrupted,
        "pipeline_version": __version__,
        "stages": [{**asdict(stage), "seconds": round(stage.seconds, 3)} for stage in result.stages],
        "changes": {
            one: found.to_json() if one in before.catalogs else {"new": len(found.added)}
            for one, found in changes.items()
        },
        **({"notes": result.notes} if result.notes else {}),
        "needs_a_person": find_tasks(result),
        # What the next run, and `catalog diff`, compare with.
        "catalogs": now.catalogs,
    }
    result.mail = describe_run(record)
    # The record comes last: where it is, the mail is whole.
    write_bytes(project.runs / f"{name}.txt", result.mail.encode())
    path = project.runs / f"{name}.json"
    write_json(path, record)
    return path


def _read_if_sound(project: Project, name: str) -> RunState:
    """The last run's states; a damaged report must not stop this run."""
    try:
        return _read(project, name)
    except InputError:
        return RunState(name, {})


def find_tasks(result: RunResult) -> dict[str, dict[str, Any]]:
    """Return what a person should look at, by episode: what failed, warnings, and doubtful starts."""
    tasks: dict[str, dict[str, Any]] = {}
    for failure in result.failures:
        tasks.setdefault(failure.episode_id, {})["failed"] = f"{failure.stage}: {failure.error}"
    for episode_id, warning in result.warnings:
        tasks.setdefault(episode_id, {}).setdefault("warnings", []).append(warning)
    for episode_id, rows in result.rows.items():
        doubtful = [row for row in rows if row.status == Status.REVIEW]
        if doubtful:
            named = [
                {"position": row.position, "title": row.title, "start_s": row.start_s, "reason": row.reason}
                for row in doubtful
            ]
            tasks.setdefault(episode_id, {})["review"] = named
    return dict(sorted(tasks.items()))


def describe_run(record: dict[str, Any]) -> str:
    """Return a run's report as the text of a mail: what changed, and what needs a person, nothing else."""
    lines = []
    failed = {one["episode_id"] for one in record["stages"] if one["error"]}
    done = {one["episode_id"] for one in record["stages"]} - failed
    took = format_time(record["seconds"])
    heading = f"{len(done)} {'episode' if len(done) == 1 else 'episodes'} done, {len(failed)} failed, in {took}"
    lines.append(f"{heading} (interrupted)" if record["interrupted"] else heading)
    for episode_id, changes in record["changes"].items():
        lines += ["", *describe_changes(episode_id, changes)]
    for episode_id, tasks in record["needs_a_person"].items():
        lines += ["", f"{episode_id} needs a person:"]
        if "failed" in tasks:
            lines.append(f"  failed at {tasks['failed']}")
        lines += [f"  {warning}" for warning in tasks.get("warnings", [])]
        if review := tasks.get("review", []):
            lines.append(f"  {len(review)} {'start is' if len(review) == 1 else 'starts are'} doubtful:")
            lines += [f"    {_format(row['start_s']):>8}  {row['title']}" for row in review[:SHOWN]]
            lines += [f"    and {len(review) - SHOWN} more"] if len(review) > SHOWN else []
    # Titles come from strangers, and mails are read in terminals.
    return printable("\n".join(lines) + "\n")


def describe_changes(episode_id: str, changes: dict[str, Any], shown: int | None = SHOWN) -> list[str]:
    """Return the lines that tell people what changed in an episode; `shown` limits each kind."""
    if "new" in changes:
        return [f"{episode_id} is new: {changes['new']} entries"]
    lines = [f"{episode_id}:"]
    for kind, tell in _TELLERS.items():
        entries = changes.get(kind, [])
        lines += [f"  {tell(entry)}" for entry in entries[:shown]]
        if shown is not None and len(entries) > shown:
            lines.append(f"  and {len(entries) - shown} more {kind.replace('_', ' ')}")
    return [*lines, *(["  the order changed"] if changes.get("reordered") else [])]


def _tell_move(entry: dict[str, Any]) -> str:
    by = "" if entry["by_s"] is None else f" ({entry['by_s']:+.1f} s)"
    return f"moved     {_entry(entry)}: {_format(entry['before_s'])} -> {_format(entry['after_s'])}{by}"


def _tell_edit(entry: dict[str, Any]) -> str:
    told = []
    for name, (before, after) in entry["columns"].items():
        show = _format if name.endswith("_s") else _show
        # Two descriptions side by side are longer than any mail should be.
        told.append(name if name == "description" else f"{name} {show(before)} -> {show(after)}")
    return f"edited    {_entry(entry)}: {', '.join(told)}"


def _show(value: Any) -> str:
    return "none" if value is None else str(value)


def _entry(entry: dict[str, Any]) -> str:
    number = "" if entry["feature_id"] is None else f"#{entry['feature_id']} "
    return f"{number}{entry['title']}"


def _format(seconds: float | None) -> str:
    return "no time" if seconds is None else format_time(seconds)


_TELLERS = {
    "added": lambda one: f"added     {_entry(one)}: {_format(one['start_s'])}, {one['status']}",
    "removed": lambda one: f"removed   {_entry(one)}",
    "renamed": lambda one: f"renamed   {_entry(one)}, before: {one['before']}",
    "moved": _tell_move,
    "status_changed": lambda one: f"status    {_entry(one)}: {one['before']} -> {one['after']}",
    "edited": _tell_edit,
}
