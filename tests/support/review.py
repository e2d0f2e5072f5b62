"""A review server in a thread."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import requests
import uvicorn

from pipeline.core.project import Project
from pipeline.review.access import make_token
from pipeline.review.server import build_app, configure
from pipeline.review.session import ReviewSession


@dataclass
class ReviewServer:
    """A running server: its address with the token, its port, and the project it works on."""

    address: str
    port: int
    project: Project


def serve_in_thread(project: Project, episode: str = "one") -> Iterator[ReviewServer]:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port, token = listener.getsockname()[1], make_token()
        app = build_app(ReviewSession.open(project, episode, "Anna"), token, port)
        server = uvicorn.Server(configure(app))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield ReviewServer(f"http://127.0.0.1:{port}/{token}/", port, project)
        server.should_exit = True
        thread.join(10)


def get(server: ReviewServer, path: str = "", **headers: str) -> requests.Response:
    return requests.get(server.address + path, headers=headers, timeout=10)


def post(server: ReviewServer, path: str, body: object, **headers: str) -> requests.Response:
    return requests.post(server.address + path, json=body, headers=headers, timeout=30)
