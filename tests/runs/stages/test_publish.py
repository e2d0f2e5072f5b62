"""The stage `publish`."""

import pytest

from pipeline.core.project import Project
from pipeline.publish.formats import FORMATS, TAGGED_AUDIO
from tests.support.files import silent_mp3
from tests.support.project import (
    FakeTranscriber,
    add_episode,
    done,
    run,
)


def test_every_format_is_written(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    assert sorted(path.name for path in project.notes("one").iterdir()) == sorted(FORMATS)
    project.notes("one").joinpath("chapters.json").unlink()
    assert done(run(project, transcriber)) == [("publish", "data/processed/notes/one/chapters.json is missing")]


def test_include_review_publishes_doubtful_starts(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    assert done(run(project, transcriber, include_review=True)) == [
        ("publish", "doubtful starts changed from left out to published")
    ]


def test_mp3_gets_chapters_unless_switched_off(project: Project, transcriber: FakeTranscriber) -> None:
    add_episode(project, "one", source=silent_mp3(project.root / "talk.mp3"))
    run(project, transcriber)
    tagged = project.notes("one") / TAGGED_AUDIO
    assert tagged.stat().st_size > (project.root / "talk.mp3").stat().st_size
    tagged.unlink()
    project.show.write_text(project.show.read_text() + "id3_chapters: false\n")
    run(project, transcriber)
    assert not tagged.exists()


def test_new_title_is_only_published_again(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    settings = project.episode("one")
    settings.write_text(settings.read_text().replace("Episode one", "First"))
    assert done(run(project, transcriber)) == [("publish", "title changed from Episode one to First")]


@pytest.mark.parametrize("content", ["{}", '{"features": 3, "placements": [], "provenance": {}}', "[]", "{"])
def test_damaged_alignment_says_what_to_do(project: Project, transcriber: FakeTranscriber, content: str) -> None:
    run(project, transcriber)
    project.alignment("one").write_text(content)
    result = run(project, transcriber, stages=("publish",))
    assert "one.json" in str(result.failures[0].error)
    assert "--force" in str(result.failures[0].error)
    assert run(project, transcriber).exit_code == 0
