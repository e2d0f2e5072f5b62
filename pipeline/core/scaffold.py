"""Create a project folder for a show: commented settings, the folders, and a .gitignore."""

from importlib.resources import files
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.core.settings_file import StrictModel, make_parser
from pipeline.core.storage import write_bytes


class Preset(StrictModel):
    """Facts about a show that fill its first settings file."""

    name: str = "My Show"
    product: str = ""
    language: str | None = None
    glossary: tuple[str, ...] = ()


# The folder of presets: one YAML file per show, named after the preset, with the fields of Preset.
PRESETS = files("pipeline.core").joinpath("presets")
# The show's settings file, with a comment for each setting.
SHOW = """\
# The show. Each episode has its own file in configs/episodes, which `catalog new` writes.
name: {name}
# The product whose release notes the show walks through.
product: {product}

# Speech model: a Whisper size (tiny.en, base, small, medium, large-v3), or the path of a model folder.
model: base
# The spoken language; detected if left out.
{language}

# The template of deep links, with {{seconds}} and {{episode_id}}. An episode's own `link` replaces it. On YouTube, each
# episode needs its own link: https://www.youtube.com/watch?v=VIDEO_ID&t={{seconds}}s
# link: https://example.org/{{episode_id}}?t={{seconds}}

{glossary}

# The product's release lists, one for each version. Episodes without a list of their own go through them.
# releases:
#   - version: v1.1
#     list: pages/v1.1.csv

# Use the publisher's captions as transcript where they exist, in place of speech recognition.
# captions: true

# How much of a list an episode discusses, where you know it: most, some or few. The alignment estimates it otherwise.
# discussed: most

# Names of columns in tables that are not recognized, and what each stands for.
# columns: {{Headline: title, Ticket: feature_id, Release: version, Notes: description, Time: published_s}}

# Transcribe again when the glossary changes.
# retranscribe_on_glossary_change: true

# Include starts in review in show notes and chapters.
# include_review: true

# The audio on the search site. none: starts link to the publisher; copy: the site holds the files and can be put on a
# web host; link: it plays data/raw, on this machine only.
# site_audio: copy

# Do not write a copy of the episode's mp3 with chapters in it (needs the extra id3).
# id3_chapters: false

# Limits and pauses of downloads. These are the defaults.
# download:
#   max_megabytes: 4000               # the largest file to download
#   max_minutes: 120                  # the longest download of one episode
#   pause: 5                          # seconds between two episodes
#   retries: 5                        # attempts in a row without progress
#   cookies: cookies.txt              # for a site that needs a sign-in; never commit it
#   allow_private_addresses: false    # follow redirects and feeds into private networks
"""
# What git should ignore.
GITIGNORE = """\
# Audio is large and can be downloaded again; a run rebuilds everything under data/processed.
/data/raw/
/data/processed/
/models/
# Cookies give access to your accounts.
cookies*.txt
"""
# The folders of a new project.
FOLDERS = ("configs/episodes", "configs/corrections", "pages", "audio", "data/raw", "data/processed")


def list_presets() -> list[str]:
    """Return the names of the presets."""
    return sorted(file.name.removesuffix(".yaml") for file in PRESETS.iterdir())


def load_preset(name: str) -> Preset:
    """Return a preset by its name; InputError for an unknown one."""
    if name not in list_presets():
        raise InputError(f"there is no preset {name!r}; known: {', '.join(list_presets())}")
    return Preset.model_validate(make_parser().load(PRESETS.joinpath(f"{name}.yaml").read_text(encoding="utf-8")))


def make_project(folder: Path, preset: str | None = None) -> list[Path]:
    """Create a project's folders and files, and return the files.

    Raises InputError for an unknown preset, for a folder that holds a project, and for a path that is a file.
    """
    facts = load_preset(preset) if preset is not None else Preset()
    project = Project(folder)
    if project.show.exists():
        raise InputError(f"{project.show} is there already: edit it, or name another folder")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: name a folder")
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    written = [project.show]
    write_bytes(project.show, _write_show(facts).encode())
    ignored = folder / ".gitignore"
    if not ignored.exists():
        write_bytes(ignored, GITIGNORE.encode())
        written.append(ignored)
    return written


def _write_show(preset: Preset) -> str:
    mark = "" if preset.glossary else "# "
    names = "\n".join(f"{mark}  - {name}" for name in preset.glossary or ("Your Product",))
    return SHOW.format(
        name=preset.name,
        product=preset.product or '""',
        language=f"language: {preset.language}" if preset.language else "# language: en",
        glossary=f"# Names to expect in the speech, such as products.\n{mark}glossary:\n{names}",
    )
