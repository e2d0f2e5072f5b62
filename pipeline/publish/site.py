"""Write the search site to data/processed/site: only what is not up to date, and nothing that no episode needs."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.config import ShowConfig, SiteAudio
from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.core.serialization import transcript_from_json
from pipeline.core.state import StateFile
from pipeline.core.storage import atomic_write, read_record, write_bytes
from pipeline.core.version import __version__
from pipeline.publish.paragraphs import Paragraph, cut_paragraphs
from pipeline.publish.players import Player, file_player, find_player
from pipeline.publish.rows import CatalogRow
from pipeline.publish.site_pages import (
    WEB,
    EpisodePage,
    Listing,
    format_catalog_script,
    format_episode_page,
    format_search_page,
    format_words_script,
    list_episode,
    read_catalog_script,
)

ASSETS = (
    "base.css",
    "site/site.css",
    "site/icon.svg",
    "site/matching.js",
    "site/player.js",
    "site/search.js",
    "site/episode.js",
    "ufuzzy/uFuzzy.iife.min.js",
    "ufuzzy/LICENSE",
)
STATE = "site"

# What an episode's own files are made from, each noted as `ep12: catalog`.
EPISODE_INPUTS = ("catalog", "transcript", "audio")


@dataclass(frozen=True, slots=True)
class SiteAudioFile:
    """The audio of an episode as it lies under data/raw."""

    path: Path
    sha256: str


def write_site(
    project: Project,
    show: ShowConfig,
    *,
    find_audio: Callable[[str], SiteAudioFile | None],
    warn: Callable[[str, str], None],
) -> Path | None:
    """Bring the site up to date with the catalog's files; return its first page, or None where nothing had changed.

    `find_audio` gives an episode's audio where it is at hand; `warn` is told (episode id, what its page lacks).
    """
    ids = sorted(path.stem for path in project.dataset.glob("*.parquet"))
    if not ids:
        return None
    # One record for the whole site: 500 episodes with one each would be 500 more files to open.
    state = StateFile.load(project.state(STATE), project.root)
    audio = {name: _pick_audio(show.site_audio, name, find_audio) for name in ids}
    inputs = _list_inputs(project, show, state, audio)
    outputs = _list_outputs(project, show.site_audio, audio)
    if state.find_reason(STATE, inputs, outputs) is None:
        state.save_fingerprints()
        return None
    before = {
        "inputs": state.recorded_inputs(STATE) or {},
        "outputs": {file.relative_to(project.root).as_posix(): d for file, d in state.recorded_outputs(STATE).items()},
    }
    # Other looks, another version or another rule for audio touch every page.
    shared_changed = any(before["inputs"].get(name) != inputs[name] for name in inputs if ":" not in name)
    stale = {name for name in ids if shared_changed or _is_stale(project, state, name, inputs, before, audio[name])}
    # What the search knows of unchanged episodes stands in its own script: their Parquet files stay shut.
    kept = {} if shared_changed else _read_listings(project, state, before)
    listings = {name: kept[name] for name in ids if name in kept and name not in stale}
    episodes = _load_episodes(project, show.site_audio, audio, [name for name in ids if name not in listings])
    for name, episode in episodes.items():
        if name in stale:
            _write_episode(project, episode, audio[name] if show.site_audio == "copy" else None, warn)
        listings[name] = list_episode(episode.rows, episode.player)
    _write_shared(project, show.name, list(listings.values()))
    # Last, when nothing leads to them any more: an open page does not lose what it links to.
    _remove_others(project, outputs)
    state.record(STATE, inputs, outputs)
    return project.site / "index.html"


def _write_shared(project: Project, show: str, listings: list[Listing]) -> None:
    """Write the files that belong to no one episode; the newest episode stands first."""
    # Sorting is stable: of one day, episodes stay in the order of their names.
    listings.sort(key=lambda listing: listing.episode_id)
    listings.sort(key=lambda listing: listing.published, reverse=True)
    for asset in ASSETS:
        write_bytes(project.site / "assets" / _asset_name(asset), (WEB / asset).read_bytes())
    _write_text(project.site / "data" / "catalog.js", format_catalog_script(listings))
    _write_text(project.site / "index.html", format_search_page(show, listings))


def _read_listings(project: Project, state: StateFile, before: dict[str, dict[str, str]]) -> dict[str, Listing]:
    """What the search knew of each episode, by its id; nothing where its file is not the one we wrote."""
    script = project.site / "data" / "catalog.js"
    recorded = before["outputs"].get(script.relative_to(project.root).as_posix())
    if not script.is_file() or state.digest(script) != recorded:
        return {}
    return {listing.episode_id: listing for listing in read_catalog_script(script.read_text(encoding="utf-8"))}


def _pick_audio(
    setting: SiteAudio, name: str, find_audio: Callable[[str], SiteAudioFile | None]
) -> SiteAudioFile | None:
    found = find_audio(name) if setting != "none" else None
    # A container that no browser plays would only make the site larger.
    return found if found and file_player("", found.path.name).kind != "none" else None


def _list_inputs(
    project: Project, show: ShowConfig, state: StateFile, audio: dict[str, SiteAudioFile | None]
) -> dict[str, str]:
    """What the site is made from; names with a colon concern one episode alone."""
    # Somebody may have edited the looks in a checkout: a version number would not tell.
    looks = hashlib.sha256()
    for path in sorted(path for path in WEB.rglob("*") if path.is_file()):
        looks.update(path.read_bytes())
    inputs = {"episode-catalog": __version__, "looks": looks.hexdigest(), "audio on the site": show.site_audio}
    for name, sound in audio.items():
        transcript = project.transcript(name)
        inputs[f"{name}: catalog"] = state.digest(project.catalog(name))
        inputs[f"{name}: transcript"] = state.digest(transcript) if transcript.is_file() else "none"
        inputs[f"{name}: audio"] = sound.sha256 if sound else "none"
    return inputs


def _list_outputs(project: Project, setting: SiteAudio, audio: dict[str, SiteAudioFile | None]) -> list[Path]:
    site = project.site
    outputs = [site / "index.html", site / "data" / "catalog.js"]
    outputs += [site / "assets" / _asset_name(asset) for asset in ASSETS]
    for name, sound in audio.items():
        outputs += _episode_files(project, name, sound if setting == "copy" else None)
    return outputs


def _episode_files(project: Project, name: str, copied: SiteAudioFile | None) -> list[Path]:
    files = [project.site / "episodes" / f"{name}.html", project.site / "data" / "episodes" / f"{name}.js"]
    return [*files, project.site / _media_name(name, copied)] if copied else files


def _is_stale(
    project: Project,
    state: StateFile,
    name: str,
    inputs: dict[str, str],
    before: dict[str, dict[str, str]],
    sound: SiteAudioFile | None,
) -> bool:
    """Whether an episode's own files are not the ones its inputs would give."""
    own = [f"{name}: {kind}" for kind in EPISODE_INPUTS]
    if any(before["inputs"].get(key) != inputs[key] for key in own):
        return True
    # Media come and go with the settings, which are looked at as inputs.
    files = [file for file in _episode_files(project, name, sound) if file.suffix in {".html", ".js"} or file.exists()]
    for file in files:
        recorded = before["outputs"].get(file.relative_to(project.root).as_posix())
        if not file.is_file() or state.digest(file) != recorded:
            return True
    return False


def _load_episodes(
    project: Project, setting: SiteAudio, audio: dict[str, SiteAudioFile | None], names: list[str]
) -> dict[str, EpisodePage]:
    """These episodes' rows and players; transcripts are read where a page is written, one at a time."""
    from pipeline.publish.tables import read_rows

    rows = read_rows(project.dataset, names) if names else {}
    return {
        name: EpisodePage(its, _choose_player(project, setting, name, its, audio[name])) for name, its in rows.items()
    }


def _choose_player(
    project: Project, setting: SiteAudio, name: str, rows: Iterable[CatalogRow], sound: SiteAudioFile | None
) -> Player:
    """The audio where the settings ask for it, else what the episode's deep links lead to."""
    if sound is not None and setting == "copy":
        return file_player(_media_name(name, sound), sound.path.name)
    if sound is not None and setting == "link":
        return file_player(Path(os.path.relpath(sound.path, project.site)).as_posix(), sound.path.name)
    return find_player(next((row.url for row in rows if row.url), None))


def _write_episode(
    project: Project, episode: EpisodePage, copied: SiteAudioFile | None, warn: Callable[[str, str], None]
) -> None:
    name = episode.rows[0].episode_id
    try:
        paragraphs, duration = _read_paragraphs(project.transcript(name), episode.rows)
    except InputError as error:
        # A page with times alone still serves who looks for a feature.
        warn(name, f"its page has no transcript: {error}")
        paragraphs, duration = (), max((row.end_s or 0.0 for row in episode.rows), default=0.0)
    page = EpisodePage(episode.rows, episode.player, paragraphs, duration)
    if copied is not None:
        with atomic_write(project.site / _media_name(name, copied)) as temporary:
            shutil.copyfile(copied.path, temporary)
    _write_text(project.site / "data" / "episodes" / f"{name}.js", format_words_script(page))
    _write_text(project.site / "episodes" / f"{name}.html", format_episode_page(page))


def _read_paragraphs(path: Path, rows: Iterable[CatalogRow]) -> tuple[tuple[Paragraph, ...], float]:
    """An episode's paragraphs and its length in seconds."""
    transcript = read_record(path, transcript_from_json)
    starts = [(row.start_s, row.position) for row in rows if row.start_s is not None]
    spoken = max((segment.end for segment in transcript.segments), default=0.0)
    return tuple(cut_paragraphs(transcript, starts)), max(transcript.duration or 0.0, spoken)


def _remove_others(project: Project, outputs: Iterable[Path]) -> None:
    """Take away pages, data and media of episodes that the catalog no longer has."""
    kept = set(outputs)
    for folder in ("episodes", "data/episodes", "media", "assets"):
        for path in (project.site / folder).glob("*"):
            if path.is_file() and path not in kept:
                path.unlink()


def _media_name(name: str, sound: SiteAudioFile) -> str:
    return f"media/{name}{sound.path.suffix.lower()}"


def _asset_name(asset: str) -> str:
    """Where an asset lies in the site; a licence stands under the name of what it allows."""
    folder, _, name = asset.rpartition("/")
    return f"{folder}-{name}" if name == "LICENSE" else name


def _write_text(path: Path, text: str) -> None:
    write_bytes(path, text.encode("utf-8", "replace"))
