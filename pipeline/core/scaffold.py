"""A new project folder for a show: settings with comments, the folders, and what git should leave alone."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.core.storage import write_bytes


@dataclass(frozen=True, slots=True)
class Preset:
    """Facts about a show that its settings start from."""

    name: str = "My Show"
    product: str = ""
    language: str | None = None
    glossary: tuple[str, ...] = ()


PRESETS = {
    # The show whose pages this program was first written for.
    "by-the-runbook": Preset(
        "By the [run]Book",
        "HaloPSA",
        "en",
        (
            "HaloPSA",
            "Halo",
            "runbook",
            "Microsoft Entra ID",
            "Intune",
            "Azure",
            "Google Workspace",
            "Slack",
            "Jira Software",
            "ConnectWise Automate",
            "Datto RMM",
            "Kaseya VSA",
            "Auvik",
            "Avalara",
            "SailPoint IdentityIQ",
            "Snow",
            "SLA",
            "SAF",
        ),
    )
}
SHOW = """\
# The show. Each episode has a small file of its own in configs/episodes: `catalog new` writes it.
name: {name}
# The product whose release notes the show walks through.
product: {product}

# Speech model: a Whisper size (tiny.en, base, small, medium, large-v3), or the path of a model folder.
model: base
# What is spoken; detected when left out.
{language}

# The deep link at a start; {{seconds}} and {{episode_id}} are filled in. An episode's own `link` goes before it:
# on YouTube each has one of its own, https://www.youtube.com/watch?v=VIDEO_ID&t={{seconds}}s
# link: https://example.org/{{episode_id}}?t={{seconds}}

{glossary}

# Take the publisher's captions as transcript, where there are any, in place of speech recognition.
# captions: true

# Where you want doubtful starts in show notes and chapters, too.
# include_review: true

# What fetching audio may take, and how politely it is done. These are the values when left out.
# download:
#   max_megabytes: 4000               # the largest file to fetch
#   max_minutes: 120                  # how long fetching one episode may take
#   pause: 5                          # seconds between two episodes
#   retries: 5                        # how often to try again without getting on
#   cookies: cookies.txt              # where a site wants a sign-in; never commit it
#   allow_private_addresses: false    # follow redirects and feeds into private networks
"""
GITIGNORE = """\
# Audio is large and can be fetched again; what is made of it can be made again.
/data/raw/
/data/processed/
/models/
# Whoever has them is signed in as you.
cookies*.txt
"""
FOLDERS = ("configs/episodes", "configs/corrections", "pages", "audio", "data/raw", "data/processed")


def make_project(folder: Path, preset: str | None = None) -> list[Path]:
    """Make a project's files and folders, and return the files; InputError where there is a project already."""
    if preset is not None and preset not in PRESETS:
        raise InputError(f"there is no preset {preset!r}; known: {', '.join(sorted(PRESETS))}")
    project = Project(folder)
    if project.show.exists():
        raise InputError(f"{project.show} is there already: edit it, or name another folder")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: name a folder")
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    written = [project.show]
    write_bytes(project.show, _write_show(PRESETS[preset] if preset else Preset()).encode())
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
