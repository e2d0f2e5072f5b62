"""The stage `transcribe`."""

import pytest

from pipeline.core.project import Project
from tests.support.project import (
    LINES,
    FakeTranscriber,
    done,
    make_transcript,
    run,
)


def test_other_speech_model_transcribes_again(project: Project, transcriber: FakeTranscriber) -> None:
    run(project, transcriber)
    project.show.write_text(project.show.read_text() + "model: small\n")
    assert done(run(project, transcriber))[0] == ("transcribe", "speech model changed from base to small")


def test_transcript_in_settings_replaces_speech_recognition(project: Project, transcriber: FakeTranscriber) -> None:
    cues = [
        f"{n}\n00:00:{segment.start:02.0f},000 --> 00:00:{segment.end:02.0f},000\n{segment.text}\n"
        for n, segment in enumerate(make_transcript(LINES).segments, start=1)
    ]
    (project.root / "one.srt").write_text("\n".join(cues))
    settings = project.episode("one")
    settings.write_text(settings.read_text() + "transcript: one.srt\n")
    result = run(project, transcriber)
    assert transcriber.calls == []
    row = result.rows["one"][0]
    assert (row.transcript_source, row.model) == ("file", "")
    assert row.start_s == pytest.approx(10, abs=1)
    assert row.audio_sha256
    (project.root / "one.srt").write_text("\n".join(cues[:-1]))
    assert run(project, transcriber).stages[0].reason == "transcript file changed"


def test_missing_transcript_file_is_named(project: Project, transcriber: FakeTranscriber) -> None:
    settings = project.episode("one")
    settings.write_text(settings.read_text() + "transcript: lost.srt\n")
    (failure,) = run(project, transcriber).failures
    assert "lost.srt is missing: correct `transcript`" in (failure.error or "")


@pytest.mark.parametrize("again", [True, False])
def test_new_glossary_transcribes_again_only_if_configured(
    project: Project, transcriber: FakeTranscriber, *, again: bool
) -> None:
    settings = project.show.read_text()
    if again:
        settings += "retranscribe_on_glossary_change: true\n"
    project.show.write_text(settings + "glossary: [Entra]\n")
    run(project, transcriber)
    project.show.write_text(settings + "glossary: [Entra, Datto]\n")
    stages = [(stage.stage, stage.reason) for stage in run(project, transcriber).stages]
    assert stages == ([("transcribe", "glossary changed from Entra to Entra; Datto")] if again else [])
