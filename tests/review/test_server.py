"""The server serves the page, the audio and decisions, and the command ends without loss."""

import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

from pipeline.core.corrections import load_corrections
from pipeline.core.project import Project
from pipeline.review.server import PAGES
from tests.support.project import DEMO_AUDIO
from tests.support.review import ReviewServer, get, post


def test_audio_is_served_in_ranges(review_server: ReviewServer) -> None:
    whole = DEMO_AUDIO.read_bytes()
    part = get(review_server, "audio", Range="bytes=1000-1999")
    assert (part.status_code, part.content) == (206, whole[1000:2000])
    assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(whole)}"
    assert get(review_server, "audio", Range="bytes=-500").content == whole[-500:]
    assert get(review_server, "audio", Range=f"bytes={len(whole)}-").status_code == 416


@pytest.mark.parametrize(
    "path",
    [
        "../configs/show.yaml",
        "..%2f..%2fconfigs%2fshow.yaml",
        "%2e%2e/one.txt",
        "audio/../../one.txt",
        "etc/passwd",
        "//x",
    ],
)
def test_no_path_leads_to_a_file(review_server: ReviewServer, path: str) -> None:
    session = requests.Session()
    prepared = requests.Request("GET", review_server.url).prepare()
    prepared.url = review_server.url + path  # set afterwards: requests would normalize the dots
    assert session.send(prepared, timeout=10).status_code in {403, 404}


def signature(server: ReviewServer, position: int) -> str:
    return str(get(server, "state").json()["features"][position - 1]["signature"])


@pytest.mark.parametrize(
    "body",
    ["{", "[]", '{"position": "1", "start": 1, "seen": null}', '{"position": true, "start": 1, "seen": null}',
     '{"position": 1, "start": "1", "seen": null}', '{"position": 1, "start": 1e9, "seen": null}',
     '{"position": 1, "start": NaN, "seen": null}', '{"position": 99, "start": 1, "seen": null}',
     '{"position": 1, "start": ' + "7" * 400 + ', "seen": null}',
     '{"position": 1, "start": 1, "seen": 3}', '"' + "x" * 20_000 + '"'],
)  # fmt: skip
def test_invalid_decision_is_an_error(review_server: ReviewServer, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = requests.post(review_server.url + "decide", data=body, headers=headers, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert not review_server.project.corrections("one").exists()


def test_undo_of_a_garbled_request_is_an_error(review_server: ReviewServer) -> None:
    post(review_server, "decide", {"position": 1, "start": 5.0, "seen": signature(review_server, 1)})
    saved = review_server.project.corrections("one").read_bytes()
    garbled: tuple[object, ...] = (5, True, ["x"], {})
    for seen in garbled:
        assert post(review_server, "undo", {"seen": seen}).status_code == 400
    assert review_server.project.corrections("one").read_bytes() == saved


def test_decision_conflict_and_undo(review_server: ReviewServer) -> None:
    seen = signature(review_server, 1)
    decided = post(review_server, "decide", {"position": 1, "start": 5.0, "seen": seen}).json()
    assert (decided["features"][0]["decision"]["start"], decided["undo"]) == (5.0, 1)
    conflict = post(review_server, "decide", {"position": 1, "start": 7.0, "seen": seen})
    assert conflict.status_code == 409
    assert "somebody else" in conflict.json()["error"]
    undone = post(review_server, "undo", {}).json()
    assert (undone["position"], undone["features"][0]["decision"]) == (1, None)


def test_simultaneous_decisions_are_all_saved(review_server: ReviewServer) -> None:
    bodies = [
        {"position": position, "start": 5.0 * position, "seen": signature(review_server, position)}
        for position in (1, 2)
    ]
    threads = [threading.Thread(target=post, args=(review_server, "decide", body)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    corrections = load_corrections(review_server.project.corrections("one"))
    assert sorted(correction.start or 0.0 for correction in corrections) == [5.0, 10.0]


def test_command_prints_url_and_ends_without_loss(aligned: Project) -> None:
    command = [sys.executable, "-m", "pipeline", "review", "one", "--no-browser", "--root", str(aligned.root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = re.search(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", process.stdout.readline())
    assert url is not None
    for _ in range(600):
        try:
            state = requests.get(url[0] + "state", timeout=5).json()
            break
        except requests.ConnectionError:
            time.sleep(0.05)
    seen = state["features"][0]["signature"]
    requests.post(url[0] + "decide", json={"position": 1, "start": 5.0, "seen": seen}, timeout=10)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
    assert len(load_corrections(aligned.corrections("one"))) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["two"], "there is no episode two"),
        (["../one"], "cannot be an episode's id"),
    ],
)
def test_unknown_episode_is_a_one_line_error(aligned: Project, arguments: list[str], message: str) -> None:
    command = [sys.executable, "-m", "pipeline", "review", *arguments, "--no-browser", "--root", str(aligned.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_page_files_are_in_the_package() -> None:
    from pipeline.review.server import WEB

    assert all((Path(WEB) / path).is_file() for path, _ in PAGES.values())
