"""A project whose feature list came in three revisions, each of them run."""

from pipeline.core.corrections import Correction, Decision, save_correction
from pipeline.core.project import Project
from tests.support.project import FakeTranscriber, add_episode, run

FIRST = """Kite release notes
Full Feature review:
Invoices can be sorted by due date | v4.10 #500111 | 0:11
The invoice list gets a sort button.
Added a dark theme to the mobile app | v4.10 #500122
Follows the setting of the phone.
Reminders can be sent twice | v4.10 #500130
A second mail goes out.
"""


# A time is fixed, an entry added, an id corrected, another renamed.
SECOND = (
    FIRST.replace("0:11", "0:12")
    .replace("#500130", "#500139")
    .replace("Added a dark theme to the mobile app", "A dark theme for the mobile app")
    + "Offline maps | v4.10 #500140\nMaps work without a network.\n"
)


# An entry is taken out again.
THIRD = SECOND.replace("Reminders can be sent twice | v4.10 #500139\nA second mail goes out.\n", "")


def run_revisions(project: Project, transcriber: FakeTranscriber) -> Project:
    """Run the project with each revision, the last one with a correction; a second episode stays unchanged."""
    add_episode(project, "two")
    for page in (FIRST, SECOND, THIRD):
        (project.root / "one.txt").write_text(page)
        if page is THIRD:
            correction = Correction(feature_id=500122, decision=Decision.MOVED, start=33.5, who="Anna", why="later")
            save_correction(project, "one", correction)
        assert run(project, transcriber, "one", "two").exit_code == 0
    return project
