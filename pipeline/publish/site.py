"""Write the search site to data/processed/site, and keep it up to date with the catalog.

Only the pages of changed episodes are written again: of 100 episodes of 50 minutes with 50 features, all pages take 7 s
of processor time, one takes 0.35 s. Most of that is reading the whole dataset for the search page and its data, which
takes 1.8 s for 500 episodes. Taking the unchanged features from the old data script saved 0.2 s and 1.6 s, which did
not justify its code.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from pipeline.core.config import ShowConfig, SiteAudio
from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.core.serialization import transcript_from_json
from pipeline.core.state import StateFile
from pipeline.core.storage import atomic_write, read_record, write_bytes
from pipeline.core.version import __version__
from pipeline.publish.dataset import Dataset, read_rows, scan_dataset
from pipeline.publish.ledger import LedgerRow
from pipeline.publish.paragraphs import Paragraph, cut_paragraphs
from pipeline.publish.players import NO_PLAYER, Player, find_file_player, find_player
from pipeline.publish.rows import CatalogRow
from pipeline.publish.site_pages import (
    WEB,
    EpisodePage,
    format_catalog_script,
    format_episode_page,
    format_search_page,
    format_words_script,
)
from pipeline.publish.version_pages import (
    PageIndex,
    build_version_pages,
    format_by_id,
    format_version_page,
    name_pages,
)

# Files of the folder `web` that the site's pages load, or whose license the site must carry.
ASSETS = (
    "base.css",
    "site/site.css",
    "site/icon.svg",
    "site/matching.js",
    "site/player.js",
    "site/search.js",
    "site/episode.js",
    "site/version.js",
    "ufuzzy/uFuzzy.iife.min.js",
    "ufuzzy/LICENSE",
)

# The name of the site's record in the project's state: one record for the whole site, since a record for each of 500
# episodes would be 500 more files to open.
STATE = "site"

# Inputs of an episode's own files; the record names them `ep12: catalog`.
EPISODE_INPUTS = ("catalog", "transcript", "audio")


@dataclass(frozen=True, slots=True)
class SiteAudioFile:
    """The audio of an episode in data/raw, and the digest of its bytes."""

    path: Path
    sha256: str


def write_site(
    project: Project,
    show: ShowConfig,
    *,
    find_audio: Callable[[str], SiteAudioFile | None],
    warn: Callable[[str, str], None],
    dataset: Dataset | None = None,
) -> Path | None:
    """Write the files of the site that are not up to date; return its first page, or None where nothing had changed.

    `find_audio` returns the audio of an episode id, None where there is none. `warn` receives an episode id and what
    the episode's page lacks. `dataset` is the result of `scan_dataset`, where the caller has it.
    """
    ids = (dataset or scan_dataset(project)).episode_ids
    if not ids:
        return None
    state = StateFile.load(project.state(STATE), project.root)
    site = _Site(project, show, {name: _pick_audio(show.site_audio, find_audio, name) for name in ids})
    inputs, outputs = site.list_inputs(state), site.list_outputs()
    if state.find_reason(STATE, inputs, outputs) is None:
        state.save_fingerprints()
        return None
    stale = site.find_stale(state, inputs)
    pages = site.load_pages()
    for name in stale:
        site.write_episode(pages[name], warn)
    site.write_shared(pages.values(), warn)
    # Removed last, when nothing links to them: a page open in a browser keeps what it links to.
    site.remove_others(outputs)
    state.record(STATE, inputs, outputs)
    return project.site / "index.html"


def _pick_audio(
    setting: SiteAudio, find_audio: Callable[[str], SiteAudioFile | None], name: str
) -> SiteAudioFile | None:
    audio = find_audio(name) if setting != "none" else None
    # A file that no browser plays would only make the site larger.
    return audio if audio and find_file_player("", audio.path.name) != NO_PLAYER else None


@dataclass(frozen=True, slots=True)
class _Site:
    """What a site is made from; `audio` holds the file to play for each episode id, None where there is none."""

    project: Project
    show: ShowConfig
    audio: Mapping[str, SiteAudioFile | None]

    @property
    def folder(self) -> Path:
        return self.project.site

    def list_inputs(self, state: StateFile) -> dict[str, str]:
        """Return the inputs of all files: those that every page shares, then those of each episode."""
        inputs = self.list_shared_inputs()
        # The ledger changes with every catalog; it is on no episode's page.
        inputs["ledger"] = state.digest(self.project.ledger) if self.has_ledger else "none"
        inputs["versions"] = ", ".join(self.name_versions())
        for name, audio in self.audio.items():
            transcript = self.project.transcript(name)
            inputs[f"{name}: catalog"] = state.digest(self.project.catalog(name))
            inputs[f"{name}: transcript"] = state.digest(transcript) if transcript.is_file() else "none"
            inputs[f"{name}: audio"] = audio.sha256 if audio else "none"
        return inputs

    def list_shared_inputs(self) -> dict[str, str]:
        # In a checkout, templates and styles change without a new version.
        looks = hashlib.sha256()
        for path in sorted(path for path in WEB.rglob("*") if path.is_file()):
            looks.update(path.read_bytes())
        return {
            "episode-catalog": __version__,
            "looks": looks.hexdigest(),
            "audio on the site": self.show.site_audio,
            "product": self.show.product,
        }

    def list_outputs(self) -> list[Path]:
        outputs = [self.folder / "index.html", self.folder / "data" / "catalog.js", self.folder / "data" / "by-id.json"]
        outputs += [self.folder / "versions" / f"{name}.html" for name in self.name_versions().values()]
        outputs += [self.folder / "assets" / _name_asset(asset) for asset in ASSETS]
        return outputs + [path for name in self.audio for path in self.list_episode_files(name)]

    @property
    def has_ledger(self) -> bool:
        return bool(self.show.releases) and self.project.ledger.is_file()

    def name_versions(self) -> dict[str, str]:
        """Return the file name of each version's page, without its suffix; none without a ledger."""
        return name_pages(release.version for release in self.show.releases) if self.has_ledger else {}

    def list_episode_files(self, name: str) -> list[Path]:
        files = [self.folder / "episodes" / f"{name}.html", self.folder / "data" / "episodes" / f"{name}.js"]
        copied = self.find_copied(name)
        return [*files, self.folder / _name_media(name, copied)] if copied else files

    def find_copied(self, name: str) -> SiteAudioFile | None:
        """Return the audio to copy into the site; None where it is linked to, or where there is none."""
        return self.audio[name] if self.show.site_audio == "copy" else None

    def find_stale(self, state: StateFile, inputs: Mapping[str, str]) -> list[str]:
        """Return the episodes whose own files are out of date."""
        recorded, written = state.recorded_inputs(STATE) or {}, state.recorded_outputs(STATE)
        changed = {name for name, value in inputs.items() if recorded.get(name) != value}
        if changed & set(self.list_shared_inputs()):
            return list(self.audio)

        def is_stale(name: str) -> bool:
            return any(f"{name}: {kind}" in changed for kind in EPISODE_INPUTS) or any(
                not path.is_file() or state.digest(path) != written.get(path) for path in self.list_episode_files(name)
            )

        return [name for name in self.audio if is_stale(name)]

    def load_pages(self) -> dict[str, EpisodePage]:
        """Return the rows and the player of every episode; `write_episode` reads the transcript of each in turn."""
        rows = read_rows(self.project.dataset, list(self.audio))
        return {name: EpisodePage(rows[name], self.choose_player(name, rows[name]), name=name) for name in self.audio}

    def choose_player(self, name: str, rows: Iterable[CatalogRow]) -> Player:
        """Return the player of the audio where the settings ask for it, else of the episode's deep links."""
        audio = self.audio[name]
        if audio is not None and self.show.site_audio == "copy":
            return find_file_player(_name_media(name, audio), audio.path.name)
        if audio is not None and self.show.site_audio == "link":
            return find_file_player(Path(os.path.relpath(audio.path, self.folder)).as_posix(), audio.path.name)
        return find_player(next((row.url for row in rows if row.url), None))

    def write_episode(self, page: EpisodePage, warn: Callable[[str, str], None]) -> None:
        name = page.episode_id
        try:
            paragraphs, duration = _read_paragraphs(self.project.transcript(name), page.rows)
        except InputError as error:
            # Without a transcript, the page still shows when each feature is discussed.
            warn(name, f"its page has no transcript: {error}")
            paragraphs, duration = (), max((row.end_s or 0.0 for row in page.rows), default=0.0)
        page = replace(page, paragraphs=paragraphs, duration=duration)
        if copied := self.find_copied(name):
            with atomic_write(self.folder / _name_media(name, copied)) as temporary:
                shutil.copyfile(copied.path, temporary)
        _write_text(self.folder / "data" / "episodes" / f"{name}.js", format_words_script(page))
        _write_text(self.folder / "episodes" / f"{name}.html", format_episode_page(page))

    def write_shared(self, pages: Iterable[EpisodePage], warn: Callable[[str, str], None]) -> None:
        """Write the files that belong to no episode alone; the newest episode stands first."""
        # The sort is stable: episodes of one day stay in the order of their ids.
        newest_first = sorted(pages, key=lambda page: page.published_on or date.min, reverse=True)
        for asset in ASSETS:
            write_bytes(self.folder / "assets" / _name_asset(asset), (WEB / asset).read_bytes())
        _write_text(self.folder / "data" / "catalog.js", format_catalog_script(newest_first))
        links = self.write_versions(newest_first, self.read_ledger(warn))
        _write_text(
            self.folder / "index.html", format_search_page(self.show.name, newest_first, self.show.product, links)
        )

    def read_ledger(self, warn: Callable[[str, str], None]) -> tuple[LedgerRow, ...]:
        from pipeline.publish.tables import read_ledger_rows

        try:
            return read_ledger_rows(self.project.ledger) if self.has_ledger else ()
        except InputError as error:
            # A ledger that could not be written again, as a release list is missing, must not prevent the search.
            warn("site", f"the pages of the versions have no entries: {error}")
            return ()

    def write_versions(self, episodes: Sequence[EpisodePage], ledger: Sequence[LedgerRow]) -> list[tuple[str, str]]:
        """Write `by-id.json` and the pages of the versions; return the name of each page and what it is called."""
        index = PageIndex(episodes)
        _write_changed(self.folder / "data" / "by-id.json", format_by_id(episodes, ledger, index))
        names = self.name_versions()
        pages = build_version_pages(names, ledger, index)
        for page in pages:
            path = self.folder / "versions" / f"{names[page.version]}.html"
            _write_changed(path, format_version_page(self.show.name, page))
        return [(names[page.version], page.title) for page in pages]

    def remove_others(self, outputs: Collection[Path]) -> None:
        """Remove the pages, data and media of episodes that the catalog no longer has."""
        kept = set(outputs)
        for folder in ("episodes", "versions", "data/episodes", "media", "assets"):
            for path in (self.folder / folder).glob("*"):
                if path.is_file() and path not in kept:
                    path.unlink()


def _read_paragraphs(path: Path, rows: Sequence[CatalogRow]) -> tuple[tuple[Paragraph, ...], float]:
    """Return the paragraphs of an episode's transcript, and the episode's duration in seconds."""
    transcript = read_record(path, transcript_from_json)
    starts = [(row.start_s, row.position) for row in rows if row.start_s is not None]
    last_end = max((segment.end for segment in transcript.segments), default=0.0)
    return tuple(cut_paragraphs(transcript, starts)), max(transcript.duration or 0.0, last_end)


def _name_media(name: str, audio: SiteAudioFile) -> str:
    return f"media/{name}{audio.path.suffix.lower()}"


def _name_asset(asset: str) -> str:
    """Return an asset's file name in the site; a license is named after what it covers."""
    folder, _, name = asset.rpartition("/")
    return f"{folder}-{name}" if name == "LICENSE" else name


def _write_changed(path: Path, text: str) -> None:
    """Write a file unless it has this text."""
    if not path.is_file() or path.read_bytes() != _encode(text):
        _write_text(path, text)


def _write_text(path: Path, text: str) -> None:
    write_bytes(path, _encode(text))


def _encode(text: str) -> bytes:
    # A lone surrogate in a text cannot be encoded: it becomes a question mark.
    return text.encode("utf-8", "replace")
