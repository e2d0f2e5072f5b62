"""Valid samples of every kind of file that the program reads."""

import io
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import av
import numpy as np

from pipeline.core.corrections import Correction, Decision, save_correction
from pipeline.core.project import Project
from pipeline.core.scaffold import make_project
from pipeline.core.schema import (
    Alignment,
    Episode,
    Feature,
    Method,
    Placement,
    Provenance,
    Segment,
    Status,
    Transcript,
    Word,
)
from pipeline.core.serialization import transcript_to_json
from pipeline.core.state import StateFile
from pipeline.core.storage import dump_json
from pipeline.feature_lists.writer import dump_features
from pipeline.publish.rows import build_rows
from pipeline.publish.subtitles import format_srt, format_vtt
from pipeline.publish.tables import write_catalog
from pipeline.runs.history import read_snapshot, save_snapshot

# An episode's list, with a title that holds the separator, a formula and typographic quotes.
FEATURES = (
    Feature(1, "Invoices can be sorted by due date", "The list gets a button.", 500111, "v4.10", True, 11.0),
    Feature(2, "Added a dark theme | for the app", "", 500122, "v4.10", False, 3727.0),
    Feature(3, "=Überblick über “Kalender” – neu", 'A "quoted", long description.', None, None),
)
# The lines of TRANSCRIPT.
LINES = ("Okay, first one, invoices can now be sorted by due date.", "All right, next up is the dark theme.")
TRANSCRIPT = Transcript(
    tuple(
        Segment(
            n * 10.0,
            n * 10.0 + 9,
            line,
            tuple(
                Word(n * 10.0 + i * 0.5, n * 10.0 + i * 0.5 + 0.4, f" {word}", 0.9)
                for i, word in enumerate(line.split())
            ),
        )
        for n, line in enumerate(LINES)
    ),
    "en",
    20.0,
    model="fake",
)

# The catalog row of the first feature.
(ROW,) = build_rows(
    Episode("The Kite Show", "one", "Episode 1", date(2026, 11, 2), "https://example.org/#t={seconds}"),
    FEATURES[:1],
    Alignment((Placement(1, 11.5, 30.0, Status.CONFIDENT, 0.93, Method.PHRASE, "its title is spoken", "Okay"),)),
    Provenance("whisper", "base", "0" * 64, "1" * 64),
)

HTML = """<!DOCTYPE html><html><head><title>Notes</title></head><body><nav><a href="/">Home</a></nav><article>
<h1>Episode 12</h1><h2>Highlights</h2><ul><li>Invoices can be sorted by due date</li></ul><h2>Full Feature review</h2>
<ul><li><b>Invoices can be sorted by due date</b> | v4.10 #500111 | 0:11<br>The list gets a button.</li>
<li>Added a dark theme | v4.10 #500122 | 1:02:07</li></ul><table><tr><th>Title</th><th>ID</th></tr>
<tr><td>Calendars &amp; rooms</td><td>500133</td></tr></table></article><footer>imprint</footer></body></html>"""
MARKDOWN = """# Episode 12

## Highlights
- **Invoices** can be sorted by due date

## Full Feature review
1. Invoices can be sorted by [due date](https://example.org) | v4.10 #500111 | 0:11
   The list gets a button.
2. Added a `dark theme` | v4.10 #500122

| Title | ID | Time |
|---|---|---|
| Calendars | 500133 | 16:36 |
"""
FEED = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"
 xmlns:psc="http://podlove.org/simple-chapters"
 xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel><title>Kites</title><link>https://example.org</link>
<item><title>Episode 3: kites &amp; wind</title>
<guid isPermaLink="false">kite-3</guid><itunes:episode>3</itunes:episode>
<pubDate>Mon, 02 Nov 2026 10:00:00 +0000</pubDate><itunes:duration>52:10</itunes:duration>
<link>https://example.org/3</link><description><![CDATA[<p>0:11 Invoices</p>]]></description>
<enclosure url="https://example.org/3.mp3?token=abc" length="1000" type="audio/mpeg"/>
<podcast:transcript url="https://example.org/3.vtt" type="text/vtt"/>
<psc:chapters version="1.2"><psc:chapter start="00:00:11.5" title="Invoices"/></psc:chapters></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Kites</title><entry><id>urn:1</id><title>One</title>
<updated>2026-11-02T10:00:00Z</updated>
<link rel="enclosure" href="https://example.org/1.mp3" type="audio/mpeg"/></entry></feed>"""
SHOW = """name: The Kite Show
product: Kites
model: base
language: en
link: https://example.org/{episode_id}?t={seconds}
glossary: [Entra, "Datto: RMM"]
captions: true
site_audio: copy
columns: {Was: title, Nummer: feature_id}
download: {max_megabytes: 100, max_minutes: 1.5, pause: 0, retries: 3, cookies: cookies.txt}
"""
EPISODE = """title: Episode 12
source: https://example.org/feed.xml?token=abc
entry: 12
duration: 52:10
features: pages/ep12.txt
published: 2026-11-02
link: https://youtu.be/x?t={seconds}
"""
# The codec, container and sample rate of each audio file, by its ending.
AUDIO = {
    ".wav": ("pcm_s16le", "wav", 16_000),
    ".mp3": ("libmp3lame", "mp3", 44_100),
    ".m4a": ("aac", "ipod", 44_100),
    ".webm": ("libopus", "webm", 48_000),
    ".ogg": ("libopus", "ogg", 48_000),
    ".flac": ("flac", "flac", 16_000),
    ".ts": ("aac", "mpegts", 44_100),
    ".avi": ("pcm_s16le", "avi", 16_000),
}


def make_samples() -> dict[str, dict[str, list[bytes]]]:
    """Return the content of the samples, by kind of reader and by the ending of their names."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder) / "show")
        make_project(project.root, "by-the-runbook")
        return {
            "feature list": _lists(),
            "transcript": _transcripts(),
            "show": {".yaml": [project.show.read_bytes(), SHOW.encode()]},
            "episode": {".yaml": [EPISODE.encode(), b"title: x\nsource: a.mp3\nfeatures: b.txt\n"]},
            "corrections": {".yaml": _corrections(project)},
            "feed": {".xml": [FEED.encode(), ATOM.encode()]},
            "audio": {suffix: [make_sound(*audio_format)] for suffix, audio_format in AUDIO.items()},
            "our files": _own_files(project),
        }


def _lists() -> dict[str, list[bytes]]:
    import openpyxl

    book, sheet = openpyxl.Workbook(), io.BytesIO()
    for row in (
        ("Title", "ID", "Time"),
        *((feature.title, feature.feature_id, feature.published_s) for feature in FEATURES),
    ):
        book.active.append(row)
    book.save(sheet)
    samples = {suffix: [dump_features(FEATURES, suffix).encode()] for suffix in (".txt", ".csv", ".json")}
    samples[".txt"].append(b"Episode 12\n\nHighlights:\n- Invoices\n\nFull Feature review:\n" + samples[".txt"][0])
    tabbed = samples[".csv"][0].replace(b",", b"\t")
    return samples | {
        ".html": [HTML.encode()],
        ".md": [MARKDOWN.encode()],
        ".tsv": [tabbed],
        ".xlsx": [sheet.getvalue()],
    }


def _make_dialects() -> list[Any]:
    """The sample transcript in the JSON of other programs."""
    words = [word for segment in TRANSCRIPT.segments for word in segment.words]
    spoken = [{"text": s.text, "start": s.start, "end": s.end, "speaker": "Ann"} for s in TRANSCRIPT.segments]
    items = [
        {"type": "pronunciation", "start_time": str(word.start), "alternatives": [{"content": word.word.strip()}]}
        for word in words
    ]
    return [
        {"events": [{"tStartMs": s.start * 1000, "segs": [{"utf8": s.text}]} for s in TRANSCRIPT.segments]},
        {
            "transcription": [
                {"offsets": {"from": s.start * 1000, "to": s.end * 1000}, "text": s.text} for s in TRANSCRIPT.segments
            ]
        },
        {"chunks": [{"timestamp": [s.start, s.end], "text": s.text} for s in TRANSCRIPT.segments]},
        {"segments": [{"startTime": s.start, "endTime": s.end, "body": s.text} for s in TRANSCRIPT.segments]},
        {"results": {"utterances": spoken, "channels": [{"alternatives": [{"words": spoken}]}]}},
        {"results": {"items": items}},
        {"monologues": [{"speaker": 0, "elements": [{"type": "text", "value": w.word, "ts": w.start} for w in words]}]},
        {
            "audio_duration": 20,
            "words": [{"text": w.word, "start": w.start * 1000, "end": w.end * 1000} for w in words],
        },
    ]


def _transcripts() -> dict[str, list[bytes]]:
    segments = [asdict(segment) for segment in TRANSCRIPT.segments]
    whisper = {
        "text": " ".join(LINES),
        "language": "en",
        "segments": [{**segment, "id": 0, "tokens": [1, 2]} for segment in segments],
    }
    aligned = [
        {**segment, "words": [{"word": "first", "score": 0.8}, {"word": "one", "start": 2.0, "end": 2.5}]}
        for segment in segments
    ]
    stamped = "WEBVTT\n\n00:01.000 --> 00:04.000 align:start\n<00:01.500><c>okay</c> <00:02.000><c>first</c>\n"
    json_samples = [dump_json(transcript_to_json(TRANSCRIPT)), json.dumps(whisper), json.dumps(aligned)]
    json_samples += [json.dumps(value) for value in _make_dialects()]
    return {
        ".srt": [format_srt(TRANSCRIPT).encode()],
        ".vtt": [format_vtt(TRANSCRIPT).encode(), stamped.encode()],
        ".json": [sample.encode() for sample in json_samples],
    }


def _corrections(project: Project) -> list[bytes]:
    for number, decision in enumerate((Decision.MOVED, Decision.NOT_DISCUSSED, Decision.CONFIRMED)):
        start = None if decision is Decision.NOT_DISCUSSED else 33.5
        correction = Correction(
            feature_id=500111 + number, title="x: y", decision=decision, start=start, when=date(2026, 11, 2)
        )
        save_correction(project, "one", correction)
    return [project.corrections("one").read_bytes(), b"corrections:\n  - {title: a, decision: end, end: 16:36}\n"]


def _own_files(project: Project) -> dict[str, list[bytes]]:
    """Return files of data/ by an ending that chooses their reader."""
    write_catalog([ROW], project.catalog("one"))
    write_catalog([ROW], project.catalog_csv)
    save_snapshot(project, "one", [ROW])
    state = StateFile(project.state("one"), project.root)
    state.record("publish", {"alignment": "0" * 64}, [project.catalog("one")])
    history = next((project.history / "one").iterdir())
    assert read_snapshot(project, "one", history.stem)
    placement = {
        "position": 1, "status": "review", "start": 11.5, "end": 30.0, "confidence": 0.5, "method": "phrase",
        "reason": "title spoken", "quote": "Okay", "alternatives": [1.5],
    }  # fmt: skip
    provenance = {"transcript_source": "file", "model": "", "audio_sha256": None, "features_sha256": None}
    alignment = {"provenance": provenance, "features": [asdict(FEATURES[0])], "placements": [placement]}
    audio = {"file": "audio.mp3", "sha256": "0" * 64, "duration": 60.5, "source": "https://example.org/a.mp3"}
    report = {"run": "0001-20261102T100000Z", "catalogs": {"one": history.stem}, "stages": []}
    return {
        ".parquet": [project.catalog("one").read_bytes()],
        ".catalog.csv": [project.catalog_csv.read_bytes()],
        ".history.json": [history.read_bytes()],
        ".state.json": [project.state("one").read_bytes()],
        ".alignment.json": [dump_json(alignment).encode()],
        ".transcript.json": [dump_json(transcript_to_json(TRANSCRIPT)).encode()],
        ".audio.json": [dump_json(audio).encode()],
        ".report.json": [dump_json(report).encode()],
    }


def make_sound(codec: str, container: str, rate: int) -> bytes:
    """Return a file with a third of a second of a tone.

    Args:
        codec: the codec's name in PyAV.
        container: the container's name in PyAV.
        rate: samples a second.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sound")  # noqa: PTH118
        with av.open(path, "w", format=container) as out:
            stream: Any = out.add_stream(codec, rate=rate, layout="mono")
            for frame in _frames(stream, rate):
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        return Path(path).read_bytes()


def _frames(stream: Any, rate: int) -> Iterator[av.AudioFrame]:
    size = stream.codec_context.frame_size or 1024
    # Lossless codecs take 16-bit integers, the others floats.
    stream.codec_context.format = "s16" if stream.codec_context.name in {"pcm_s16le", "flac"} else "fltp"
    if stream.codec_context.name == "libopus":
        stream.codec_context.format = "flt"
    planar = stream.codec_context.format.name.startswith("flt")
    for at in range(0, rate // 3, size):
        wave = 0.3 * np.sin(2 * np.pi * 220 * (at + np.arange(size)) / rate)
        samples = wave.astype(np.float32) if planar else (wave * 32_000).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None, :], format=stream.codec_context.format.name, layout="mono")
        frame.sample_rate, frame.pts = rate, at
        yield frame
