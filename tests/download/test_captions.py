"""The publisher's captions in place of speech recognition, where there are any."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.errors import InputError
from pipeline.core.project import Project
from pipeline.core.schema import Transcript
from pipeline.core.serialization import transcript_from_json
from pipeline.core.storage import read_record
from pipeline.download.captions import check_captions, choose_captions, fetch_captions
from pipeline.download.retry import FetchPolicy
from pipeline.runs.job import RunOptions
from pipeline.runs.result import RunResult
from pipeline.runs.workflow import list_stage_statuses, run_stages
from tests.support.faulty_server import Server, respond, write_feed, write_tone
from tests.support.project import LINES, FakeTranscriber, RecordingReporter, add_episode, make_transcript

STAGES = ("download", "transcribe", "align", "publish")


def write_vtt() -> str:
    cues = "\n".join(
        f"00:{int(one.start) // 60:02}:{int(one.start) % 60:02}.000 --> "
        f"00:{int(one.end) // 60:02}:{int(one.end) % 60:02}.000\n{one.text}\n"
        for one in make_transcript(LINES).segments
    )
    return f"WEBVTT\n\n{cues}"


def keep(source: str, folder: Path, *, entry: str | None = None, **more: Any) -> Path | None:
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


def test_captions_take_the_place_of_speech_recognition(project: Project) -> None:
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
    assert not any(one.stale for one in list_stage_statuses(project, ["one"], RecordingReporter()))
    assert run(project, captions=False)[0].stages == []


def test_where_there_are_none_the_speech_is_recognised(project: Project) -> None:
    add_episode(project, "one")
    result, transcriber, _ = run(project, captions=True)
    assert len(transcriber.calls) == 1
    assert {row.transcript_source for row in result.rows["one"]} == {"whisper"}
    assert run(project, captions=True)[0].stages == []


def test_a_feeds_transcript_is_kept_beside_the_audio(tmp_path: Path, faulty: Server) -> None:
    faulty.files["/talk.vtt"] = write_vtt().encode()
    feed = f"{faulty.url}/feed.xml"
    path = keep(feed, tmp_path, entry="2")
    assert path == tmp_path / "captions.vtt"
    assert path.read_text() == write_vtt()
    assert keep(feed, tmp_path, entry="2") == path
    assert faulty.request_counts["/talk.vtt"] == 1
    assert keep(feed, tmp_path, entry="2", audio_sha256="another cut") == path
    assert faulty.request_counts["/talk.vtt"] == 2


@pytest.mark.parametrize("name", ["captions.vtt", "captions.json"])
def test_captions_that_were_harmed_are_asked_for_again(tmp_path: Path, faulty: Server, name: str) -> None:
    faulty.files["/talk.vtt"] = write_vtt().encode()
    feed = f"{faulty.url}/feed.xml"
    path = keep(feed, tmp_path, entry="2")
    assert path is not None
    for harm in (lambda content: content[:20], lambda content: content.replace(b"a", b"c"), lambda _: b""):
        (tmp_path / name).write_bytes(harm((tmp_path / name).read_bytes()))
        assert keep(feed, tmp_path, entry="2") == path
        assert path.read_text() == write_vtt()


def test_that_there_are_none_is_asked_once(tmp_path: Path, faulty: Server) -> None:
    page = f"{faulty.url}/talk.mp3"
    assert keep(page, tmp_path) is None
    asked = faulty.request_counts.total()
    assert keep(page, tmp_path) is None
    assert faulty.request_counts.total() == asked
    assert json.loads((tmp_path / "captions.json").read_text())["file"] is None


def test_offline_asks_nobody(tmp_path: Path) -> None:
    assert keep("https://example.org/feed.xml", tmp_path, entry="2", offline=True) is None
    assert not (tmp_path / "captions.json").exists()


@pytest.mark.parametrize(
    ("body", "complaint"), [(b"<html>Sign in</html>", "neither WebVTT, SubRip nor JSON"), (None, "answers 404")]
)
def test_captions_that_cannot_be_had_are_no_silent_gap(
    tmp_path: Path, faulty: Server, body: bytes | None, complaint: str
) -> None:
    faulty.fail("/talk.vtt", respond(200, body=body) if body is not None else respond(404))
    with pytest.raises(InputError, match=complaint):
        keep(f"{faulty.url}/feed.xml", tmp_path, entry="2")
    assert list(tmp_path.iterdir()) == []


def test_a_feeds_captions_are_not_fetched_from_a_private_network(tmp_path: Path, faulty: Server) -> None:
    feed = write_feed(faulty.url).replace(f"{faulty.url}/talk.vtt".encode(), b"http://127.0.0.1:9/talk.vtt")
    faulty.files["/feed.xml"] = feed
    with pytest.raises(InputError, match="private address"):
        keep(f"{faulty.url}/feed.xml", tmp_path, entry="2")


def offer(*names: str) -> dict[str, Any]:
    return {name: [{"ext": ext, "url": f"https://x/{name}.{ext}"} for ext in ("json3", "vtt")] for name in names}


@pytest.mark.parametrize(
    ("info", "language", "url"),
    [
        # Replayed: how yt-dlp tells of a page's captions.
        ({"subtitles": offer("de", "en"), "automatic_captions": offer("en-orig")}, "en", "https://x/en.vtt"),
        ({"subtitles": offer("de"), "automatic_captions": offer("en", "en-orig")}, "en", "https://x/en-orig.vtt"),
        ({"subtitles": offer("en-GB")}, "en", "https://x/en-GB.vtt"),
        ({"subtitles": offer("de"), "language": "de"}, None, "https://x/de.vtt"),
        ({"subtitles": offer("de")}, "en", None),
        ({"subtitles": {"live_chat": [{"ext": "json", "url": "https://x/chat"}]}}, None, None),
        ({"automatic_captions": {"en": [{"ext": "json3", "url": "https://x/a"}]}}, "en", None),
        ({}, None, None),
    ],
)
def test_the_captions_of_what_is_spoken_are_chosen(info: dict[str, Any], language: str | None, url: str | None) -> None:
    chosen = choose_captions(info, language)
    assert (chosen[0] if chosen else None) == url


@pytest.mark.parametrize(
    ("end", "told"), [(58.0, ""), (64.0, ""), (90.0, "starts may be off"), (20.0, "cannot be found")]
)
def test_captions_of_another_rendition_are_told(end: float, told: str) -> None:
    assert told in " ".join(check_captions(Transcript((), duration=end), 60.0))
    assert bool(told) == bool(check_captions(Transcript((), duration=end), 60.0))
