"""The server allows its own page, at its own URL, on this machine, and refuses all other requests."""

import pytest
import requests

from pipeline.review.access import SECURITY_HEADERS
from pipeline.review.server import PAGES
from tests.support.review import ReviewServer, get, post


@pytest.mark.parametrize("path", [*PAGES, "state", "transcript", "audio", "peaks"])
def test_every_response_has_the_security_headers(review_server: ReviewServer, path: str) -> None:
    answer = get(review_server, path)
    assert answer.status_code == 200
    assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example.org"},
        {"Host": "127.0.0.1:1"},
        {"Origin": "https://evil.example.org"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_hosts_and_origins_are_refused(review_server: ReviewServer, headers: dict[str, str]) -> None:
    assert get(review_server, "state", **headers).status_code == 403
    refused = post(review_server, "decide", {"position": 1, "start": 5.0, "seen": None}, **headers)
    assert refused.status_code == 403
    assert not review_server.project.corrections("one").exists()


def test_form_of_another_page_is_refused(review_server: ReviewServer) -> None:
    body = '{"position": 1, "start": 5.0, "seen": null}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        sent = requests.post(review_server.url + "decide", data=body, headers={"Content-Type": kind}, timeout=10)
        assert sent.status_code == 403
    assert not review_server.project.corrections("one").exists()


@pytest.mark.parametrize("path", ["/", "/state", "/wrong/state", "/x" * 20])
def test_requests_without_token_are_refused(review_server: ReviewServer, path: str) -> None:
    answer = requests.get(f"http://127.0.0.1:{review_server.port}{path}", timeout=10)
    assert answer.status_code == 403
    assert "Open the whole URL" in answer.text
