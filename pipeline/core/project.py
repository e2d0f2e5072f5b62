"""Where everything of a project lies: each folder and file has its place from here alone."""

import os
from dataclasses import dataclass
from pathlib import Path


def resolve_path(named: str, root: Path) -> Path:
    """Return the path of a file as a person names it: from `root` where it is relative, `~` being who runs this."""
    # Path.expanduser fails where nobody of that name is known, or no home: `~draft.mp3` is a file, too.
    return root / os.path.expanduser(named)  # noqa: PTH111


@dataclass(frozen=True, slots=True)
class Project:
    """The folders of a project; every path derives from its root."""

    root: Path

    @property
    def show(self) -> Path:
        """The show's settings."""
        return self.root / "configs" / "show.yaml"

    @property
    def episodes(self) -> Path:
        """The folder of the episodes' settings."""
        return self.root / "configs" / "episodes"

    @property
    def processed(self) -> Path:
        """Everything that can be made again."""
        return self.root / "data" / "processed"

    @property
    def lock(self) -> Path:
        """The file that one run at a time holds."""
        return self.processed / ".lock"

    @property
    def unfinished(self) -> Path:
        """A mark that is there while stages run: found later, it says that a run was killed, or failed."""
        return self.processed / ".unfinished"

    @property
    def runs(self) -> Path:
        """The folder of run reports."""
        return self.processed / "runs"

    @property
    def history(self) -> Path:
        """Every state that an episode's rows were published in, a folder an episode."""
        return self.processed / "history"

    @property
    def dataset(self) -> Path:
        """The folder of Parquet files, one an episode."""
        return self.processed / "catalog"

    @property
    def catalog_csv(self) -> Path:
        """All episodes' rows for people."""
        return self.processed / "catalog.csv"

    def episode(self, episode_id: str) -> Path:
        """The settings of one episode."""
        return self.episodes / f"{episode_id}.yaml"

    def corrections(self, episode_id: str) -> Path:
        """What people decided about the starts of one episode."""
        return self.root / "configs" / "corrections" / f"{episode_id}.yaml"

    def corrections_lock(self, episode_id: str) -> Path:
        """The file that one writer of an episode's corrections at a time holds; no configuration, so not beside it."""
        return self.processed / "state" / f".{episode_id}.corrections.lock"

    def undo_journal(self, episode_id: str) -> Path:
        """The last decisions of reviews of one episode, so that they can be undone after the server has ended."""
        return self.processed / "state" / f"{episode_id}.undo.json"

    def raw(self, episode_id: str) -> Path:
        """The folder of one episode's inputs as they were fetched."""
        return self.root / "data" / "raw" / episode_id

    def lists(self, episode_id: str) -> Path:
        """The folder with every revision of one episode's feature list."""
        return self.raw(episode_id) / "features"

    def transcript(self, episode_id: str) -> Path:
        """What was said in one episode, and when."""
        return self.processed / "transcripts" / f"{episode_id}.json"

    def transcript_checkpoints(self, episode_id: str) -> Path:
        """The folder of the finished chunks of a transcript in progress; its name ends as in version 0.1.0."""
        return self.processed / "transcripts" / f"{episode_id}.parts"

    def vectors(self, episode_id: str) -> Path:
        """What the sentences of one episode mean, as numbers; made again where it is missing."""
        return self.processed / "transcripts" / f"{episode_id}.vectors.npz"

    def alignment(self, episode_id: str) -> Path:
        """Where each feature of one episode was placed."""
        return self.processed / "alignments" / f"{episode_id}.json"

    def catalog(self, episode_id: str) -> Path:
        """One episode's rows."""
        return self.dataset / f"{episode_id}.parquet"

    def find_misnamed(self) -> list[Path]:
        """Return the files among the episodes' settings that nothing reads for their ending, such as `ep12.yml`."""
        found = sorted(self.episodes.iterdir()) if self.episodes.is_dir() else []
        return [path for path in found if path.suffix != ".yaml" and path.suffix.lower() in {".yml", ".yaml"}]

    def orphaned_episodes(self) -> list[str]:
        """Return the episodes that are published and have no settings any more, as when one was renamed."""
        published = sorted(path.stem for path in self.dataset.glob("*.parquet"))
        return [episode_id for episode_id in published if not self.episode(episode_id).is_file()]

    def notes(self, episode_id: str) -> Path:
        """The folder of what is published of one episode: show notes, chapters, subtitles."""
        return self.processed / "notes" / episode_id

    @property
    def turns(self) -> Path:
        """The folder in which downloads take turns."""
        return self.processed / "state" / "turns"

    @property
    def site(self) -> Path:
        """The folder of the search site."""
        return self.processed / "site"

    def state(self, name: str) -> Path:
        """The record of what files were made from: those of an episode, by its id, `catalog.csv`, or the `site`."""
        return self.processed / "state" / f"{name}.json"
