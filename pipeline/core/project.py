"""The paths of a project's files; all of them derive from one root."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.config import EPISODE_ID


def resolve_path(name: str, root: Path) -> Path:
    """Return the path of a file named in the settings: relative to `root`, with `~` expanded."""
    # Path.expanduser fails for an unknown user; os.path.expanduser keeps a file such as `~draft.mp3`.
    return root / os.path.expanduser(name)  # noqa: PTH111


def _advise_on_name(path: Path) -> str:
    """Return what to do with a settings file that is not read because of its name; empty where it is read."""
    name = re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-_")[:60] or "ep1"
    if path.is_symlink() and not path.exists():
        return "it is a link to nothing: remove it"
    if not path.is_file():
        return "it is not a file: remove it"
    if not EPISODE_ID.fullmatch(path.stem):
        return f"remove it if it is a copy, or name it {name}.yaml"
    return "" if path.suffix == ".yaml" else f"name it {path.stem}.yaml"


@dataclass(frozen=True, slots=True)
class Project:
    """The files and folders of a project."""

    root: Path

    @property
    def show(self) -> Path:
        """The show's settings file."""
        return self.root / "configs" / "show.yaml"

    @property
    def episodes(self) -> Path:
        """The folder of the episodes' settings files."""
        return self.root / "configs" / "episodes"

    @property
    def processed(self) -> Path:
        """The folder of everything that a run can rebuild."""
        return self.root / "data" / "processed"

    @property
    def lock(self) -> Path:
        """The lock file of the project: one run holds it at a time."""
        return self.processed / ".lock"

    @property
    def unfinished(self) -> Path:
        """A marker file that exists while stages run. It remains when a run is killed or fails."""
        return self.processed / ".unfinished"

    @property
    def runs(self) -> Path:
        """The folder of run reports."""
        return self.processed / "runs"

    @property
    def history(self) -> Path:
        """The folder of all published states of the rows, one folder per episode."""
        return self.processed / "history"

    @property
    def dataset(self) -> Path:
        """The folder of Parquet files, one per episode."""
        return self.processed / "catalog"

    @property
    def catalog_csv(self) -> Path:
        """The rows of all episodes as one CSV file."""
        return self.processed / "catalog.csv"

    @property
    def ledger(self) -> Path:
        """The Parquet file with every entry of the release lists and its moments."""
        return self.processed / "ledger.parquet"

    @property
    def ledger_csv(self) -> Path:
        """The same rows as CSV."""
        return self.processed / "ledger.csv"

    def episode(self, episode_id: str) -> Path:
        """The settings file of one episode."""
        return self.episodes / f"{episode_id}.yaml"

    def corrections(self, episode_id: str) -> Path:
        """The corrections file of one episode."""
        return self.root / "configs" / "corrections" / f"{episode_id}.yaml"

    def corrections_lock(self, episode_id: str) -> Path:
        """The lock file of one episode's corrections. It stays out of `configs/`, as it is not configuration."""
        return self.processed / "state" / f".{episode_id}.corrections.lock"

    def undo_journal(self, episode_id: str) -> Path:
        """The journal of one episode's review decisions: undo works after the server restarts."""
        return self.processed / "state" / f"{episode_id}.undo.json"

    def raw(self, episode_id: str) -> Path:
        """The folder of one episode's inputs, as downloaded."""
        return self.root / "data" / "raw" / episode_id

    def lists(self, episode_id: str) -> Path:
        """The folder of all revisions of one episode's feature list."""
        return self.raw(episode_id) / "features"

    def release_lists(self, version: str) -> Path:
        """The folder of all revisions of one version's release list."""
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", version).strip(".-")
        # A version in other letters, or one that differs only in signs, gets a name of its own.
        digest = hashlib.sha256(version.encode()).hexdigest()[:8]
        return self.root / "data" / "raw" / "releases" / (name if name == version else f"{name}-{digest}".strip("-"))

    def transcript(self, episode_id: str) -> Path:
        """The transcript of one episode."""
        return self.processed / "transcripts" / f"{episode_id}.json"

    def transcript_checkpoints(self, episode_id: str) -> Path:
        """The folder of the finished chunks of a transcript in progress; its name ends as in version 0.1.0."""
        return self.processed / "transcripts" / f"{episode_id}.parts"

    def vectors(self, episode_id: str) -> Path:
        """The cache of one episode's sentence vectors; rebuilt where it is missing."""
        return self.processed / "transcripts" / f"{episode_id}.vectors.npz"

    def alignment(self, episode_id: str) -> Path:
        """The alignment of one episode."""
        return self.processed / "alignments" / f"{episode_id}.json"

    def catalog(self, episode_id: str) -> Path:
        """The Parquet file with one episode's rows."""
        return self.dataset / f"{episode_id}.parquet"

    def find_misnamed(self) -> dict[Path, str]:
        """Return files among the episodes' settings that are not read, such as `ep12.yml`, and what to do with each."""
        paths = sorted(self.episodes.iterdir()) if self.episodes.is_dir() else []
        files = [path for path in paths if path.suffix.lower() in {".yml", ".yaml"} and path.name[0] != "."]
        return {path: advice for path in files if (advice := _advise_on_name(path))}

    def find_unread_corrections(self) -> list[Path]:
        """Return files among the corrections that are named after no episode, such as `ep12.yml`."""
        folder = self.corrections("any").parent
        try:
            paths = sorted(folder.iterdir()) if folder.is_dir() else []
        except PermissionError:  # the stages of each episode report it
            return []
        files = [path for path in paths if path.suffix.lower() in {".yml", ".yaml"} and path.name[0] != "."]
        return [path for path in files if path.suffix != ".yaml" or not self.episode(path.stem).is_file()]

    def orphaned_episodes(self) -> list[str]:
        """Return the episodes that are published and have no settings any more, as when one was renamed."""
        # Hidden files, links to nothing and files with other names are no episodes.
        files = sorted(path for path in self.dataset.glob("*.parquet") if path.is_file())
        published = [path.stem for path in files if EPISODE_ID.fullmatch(path.stem)]
        return [episode_id for episode_id in published if not self.episode(episode_id).is_file()]

    def notes(self, episode_id: str) -> Path:
        """The folder of one episode's show notes, chapters and subtitles."""
        return self.processed / "notes" / episode_id

    @property
    def turns(self) -> Path:
        """The folder of the lock that spaces out downloads."""
        return self.processed / "state" / "turns"

    @property
    def site(self) -> Path:
        """The folder of the search site."""
        return self.processed / "site"

    def state(self, name: str) -> Path:
        """The state file of an episode (by its id), of `catalog.csv` or of the `site`."""
        return self.processed / "state" / f"{name}.json"
