"""The publisher's captions, used in place of a transcription where there are any."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.core.schema import Transcript
from pipeline.core.serialization import transcript_from_json
from pipeline.core.storage import read_record
from pipeline.download.captions import CaptionTrack, check_captions, choose_captions, fetch_captions
from pipeline.download.retry import FetchPolicy
from pipeline.runs.job import RunOptions
from pipeline.runs.result import RunResult
from pipeline.runs.workflow import list_stage_statuses, run_stages
from tests.support.faulty_server import Server, respond, write_feed, write_tone
from tests.support.project import LINES, FakeTranscriber, RecordingReporter, add_episode, make_transcript

STAGES = ("download", "transcribe", "align", "publish")


def write_vtt() -> str:
    cues = "\n".join(
        f"00:{int(segment.start) // 60:02}:{int(segment.start) % 60:02}.000 --> "
        f"00:{int(segment.end) // 60:02}:{int(segment.end) % 60:02}.000\n{segment.text}\n"
        for segment in make_transcript(LINES).segments
    )
    return f"WEBVTT\n\n{cues}"


def fetch(source: str, folder: Path, *, entry: str | None = None, **more: Any) -> Path | None:
    options = {"root": folder, "policy": FetchPolicy(retries=0), "language": "en", "audio_sha256": "a", **more}
    return fetch_captions(source, entry, folder, **options)


def run(project: Project, *, captions: bool) -> tuple[RunResult, FakeTranscriber, RecordingReporter]:
    transcriber, notes = FakeTranscriber(make_transcript(LINES)), RecordingReporter()
    result = run_stages(
        project,
        ["one"],
        STAGES,
        transcriber=lambda show: transcriber,
        reporter=notes,
        options=RunOptions(captions=captions),
    )
    return result, transcriber, notes


def test_captions_replace_the_transcription(project: Project) -> None:
    own = write_tone(project.root / "own.mp3", "talk.mp3", 60.0)
    add_episode(project, "one", source=own)
    own.with_suffix(".vtt").write_text(write_vtt())
    result, transcriber, notes = run(project, captions=True)
    assert transcriber.calls == []
    assert {row.transcript_source for row in result.rows["one"]} == {"captions"}
    transcript = read_record(project.transcript("one"), transcript_from_json)
    assert [segment.text for segment in transcript.segments] == list(LINES)
    assert (project.raw("one") / "captions.vtt").read_text() == write_vtt()
    assert notes.warnings == []
    assert run(project, captions=True)[0].stages == []
    project.show.write_text(project.show.read_text() + "captions: true\n")
    assert not any(status.stale for status in list_stage_statuses(project, ["one"], RecordingReporter()))
    assert run(project, captions=False)[0].stages == []


def test_audio_is_transcribed_without_captions(project: Project) -> None:
    add_episode(project, "one")
    result, transcriber, _ = run(project, captions=True)
    assert len(transcriber.calls) == 1
    assert {row.transcript_source for row in result.rows["one"]} == {"whisper"}
    assert run(project, captions=True)[0].stages == []


def test_transcript_of_feed_is_stored_once(tmp_path: Path, faulty: Server) -> None:
    faulty.files["/talk.vtt"] = write_vtt().encode()
    feed = f"{faulty.url}/feed.xml"
    path = fetch(feed, tmp_path, entry="2")
    assert path == tmp_path / "captions.vtt"
    assert path.read_text() == write_vtt()
    assert fetch(feed, tmp_path, entry="2") == path
    assert faulty.request_counts["/talk.vtt"] == 1
    assert fetch(feed, tmp_path, entry="2", audio_sha256="another cut") == path
    assert faulty.request_counts["/talk.vtt"] == 2


def write_json_captions() -> str:
    segments = [
        {"start": segment.start, "end": segment.end, "text": segment.text}
        for segment in make_transcript(LINES).segments
    ]
    return json.dumps({"language": "english", "segments": segments})


def test_json_captions_are_kept_beside_record(tmp_path: Path, faulty: Server) -> None:
    faulty.files["/talk.vtt"] = write_json_captions().encode()
    feed = f"{faulty.url}/feed.xml"
    path = fetch(feed, tmp_path, entry="2")
    assert path == tmp_path / "captions.transcript.json"
    assert path.read_text() == write_json_captions()
    assert json.loads((tmp_path / "captions.json").read_text())["file"] == path.name
    assert fetch(feed, tmp_path, entry="2") == path
    assert faulty.request_counts["/talk.vtt"] == 1


def test_record_written_over_captions_is_replaced(tmp_path: Path, faulty: Server) -> None:
    """Version 0.2.0 wrote its record over captions in JSON."""
    faulty.files["/talk.vtt"] = write_json_captions().encode()
    feed = f"{faulty.url}/feed.xml"
    fetch(feed, tmp_path, entry="2")
    record = json.loads((tmp_path / "captions.json").read_text())
    (tmp_path / "captions.transcript.json").unlink()
    (tmp_path / "captions.json").write_text(json.dumps({**record, "file": "captions.json", "sha256": None}))
    path = fetch(feed, tmp_path, entry="2")
    assert path is not None
    assert path.read_text() == write_json_captions()


def test_json_beside_local_file_is_used(project: Project) -> None:
    own = write_tone(project.root / "own.mp3", "talk.mp3", 60.0)
    add_episode(project, "one", source=own)
    own.with_suffix(".json").write_text(write_json_captions())
    result, transcriber, _ = run(project, captions=True)
    assert transcriber.calls == []
    assert {row.transcript_source for row in result.rows["one"]} == {"captions"}
    assert read_record(project.transcript("one"), transcript_from_json).language == "en"
    assert run(project, captions=True)[0].stages == []


@pytest.mark.parametrize("name", ["captions.vtt", "captions.json"])
def test_corrupted_captions_are_fetched_again(tmp_path: Path, faulty: Server, name: str) -> None:
    faulty.files["/talk.vtt"] = write_vtt().encode()
    feed = f"{faulty.url}/feed.xml"
    path = fetch(feed, tmp_path, entry="2")
    assert path is not None
    for corrupt in (lambda content: content[:20], lambda content: content.replace(b"a", b"c"), lambda _: b""):
        (tmp_path / name).write_bytes(corrupt((tmp_path / name).read_bytes()))
        assert fetch(feed, tmp_path, entry="2") == path
        assert path.read_text() == write_vtt()


def test_absence_of_captions_is_remembered(tmp_path: Path, faulty: Server) -> None:
    page = f"{faulty.url}/talk.mp3"
    assert fetch(page, tmp_path) is None
    requests = faulty.request_counts.total()
    assert fetch(page, tmp_path) is None
    assert faulty.request_counts.total() == requests
    assert json.loads((tmp_path / "captions.json").read_text())["file"] is None


def test_offline_fetches_no_captions(tmp_path: Path) -> None:
    assert fetch("https://example.org/feed.xml", tmp_path, entry="2", offline=True) is None
    assert not (tmp_path / "captions.json").exists()


@pytest.mark.parametrize(
    ("body", "message"), [(b"<html>Sign in</html>", "neither WebVTT, SubRip nor JSON"), (None, "answers 404")]
)
def test_failed_captions_are_an_error(tmp_path: Path, faulty: Server, body: bytes | None, message: str) -> None:
    faulty.fail("/talk.vtt", respond(200, body=body) if body is not None else respond(404))
    with pytest.raises(InputError, match=message):
        fetch(f"{faulty.url}/feed.xml", tmp_path, entry="2")
    assert list(tmp_path.iterdir()) == []


def test_captions_at_private_address_are_refused(tmp_path: Path, faulty: Server) -> None:
    feed = write_feed(faulty.url).replace(f"{faulty.url}/talk.vtt".encode(), b"http://127.0.0.1:9/talk.vtt")
    faulty.files["/feed.xml"] = feed
    with pytest.raises(InputError, match="private address"):
        fetch(f"{faulty.url}/feed.xml", tmp_path, entry="2")


def offer(*names: str) -> dict[str, Any]:
    return {name: [{"ext": ext, "url": f"https://x/{name}.{ext}"} for ext in ("json3", "vtt")] for name in names}


@pytest.mark.parametrize(
    ("info", "language", "url"),
    [
        # Replayed: captions in yt-dlp's description of a page.
        ({"subtitles": offer("de", "en"), "automatic_captions": offer("en-orig")}, "en", "https://x/en.vtt"),
        ({"subtitles": offer("de"), "automatic_captions": offer("en", "en-orig")}, "en", "https://x/en-orig.vtt"),
        ({"subtitles": offer("en-GB")}, "en", "https://x/en-GB.vtt"),
        ({"subtitles": offer("de")}, "German", "https://x/de.vtt"),
        ({"subtitles": offer("de"), "language": "de"}, None, "https://x/de.vtt"),
        ({"subtitles": offer("de")}, "en", None),
        ({"subtitles": {"live_chat": [{"ext": "json", "url": "https://x/chat"}]}}, None, None),
        ({"automatic_captions": {"en": [{"ext": "json3", "url": "https://x/a"}]}}, "en", None),
        ({}, None, None),
    ],
)
def test_captions_in_spoken_language_are_chosen(info: dict[str, Any], language: str | None, url: str | None) -> None:
    chosen = choose_captions(info, language)
    assert (chosen.url if chosen else None) == url


def test_automatic_captions_are_marked() -> None:
    assert choose_captions({"automatic_captions": offer("en-orig")}, "en") == CaptionTrack(
        "https://x/en-orig.vtt", "en-orig", automatic=True
    )


@pytest.mark.parametrize(
    ("end", "warning"), [(58.0, ""), (64.0, ""), (90.0, "starts may be off"), (20.0, "cannot be found")]
)
def test_captions_of_another_version_are_reported(end: float, warning: str) -> None:
    assert warning in " ".join(check_captions(Transcript((), duration=end), 60.0))
    assert bool(warning) == bool(check_captions(Transcript((), duration=end), 60.0))
