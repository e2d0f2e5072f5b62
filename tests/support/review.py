"""A review server in a thread, and requests to it."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import requests
import uvicorn

from pipeline.core.project import Project
from pipeline.review.access import make_token
from pipeline.review.server import build_app, make_server_config
from pipeline.review.session import ReviewSession


@dataclass
class ReviewServer:
    """A running server: its URL with the token, its port, and its project."""

    url: str
    port: int
    project: Project


def serve_in_thread(project: Project, episode: str = "one") -> Iterator[ReviewServer]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port, token = listener.getsockname()[1], make_token()
        app = build_app(ReviewSession.open(project, episode, "Anna"), token, port)
        server = uvicorn.Server(make_server_config(app))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield ReviewServer(f"http://127.0.0.1:{port}/{token}/", port, project)
        server.should_exit = True
        thread.join(10)


def get(server: ReviewServer, path: str = "", **headers: str) -> requests.Response:
    return requests.get(server.url + path, headers=headers, timeout=60)


def post(server: ReviewServer, path: str, body: object, **headers: str) -> requests.Response:
    return requests.post(server.url + path, json=body, headers=headers, timeout=60)
