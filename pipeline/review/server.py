"""The HTTP server of the review page: one episode at one URL on 127.0.0.1.

Routes are fixed; no part of a path ever names a file.
"""

import json
from collections.abc import Awaitable, Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.core.audio.file import measure_loudness
from pipeline.core.errors import InputError, PipelineError
from pipeline.review.access import AccessControl, make_token
from pipeline.review.session import ReviewSession
from pipeline.review.view import ConflictError

if TYPE_CHECKING:
    import uvicorn
    from starlette.requests import Request
    from starlette.responses import Response

    Endpoint = Callable[[Request], Awaitable[Response]]

# The folder of the files in PAGES.
WEB = Path(__file__).parent.parent / "web"

# The static files of the page: path below the URL -> (file below WEB, media type).
PAGES = {
    "": ("review/index.html", "text/html"),
    "base.css": ("base.css", "text/css"),
    "review.css": ("review/review.css", "text/css"),
    "review.js": ("review/review.js", "text/javascript"),
    "waveform.js": ("review/waveform.js", "text/javascript"),
    "transcript.js": ("review/transcript.js", "text/javascript"),
    "icon.svg": ("site/icon.svg", "image/svg+xml"),
}

# Largest body of a request, bytes: a decision is a short JSON object.
MAX_BODY_BYTES = 10_000

# Seconds that a shutdown waits for open connections: a browser keeps that of the audio open, and cutting it does no
# harm.
_SHUTDOWN_TIMEOUT_S = 1


class _Api:
    """The JSON requests of the page, one method each; every answer is read from the files."""

    def __init__(self, session: ReviewSession) -> None:
        self.session = session

    @cached_property
    def loudness(self) -> bytes:
        return measure_loudness(self.session.audio)

    def state(self, _: dict[str, Any]) -> dict[str, Any]:
        return self.session.read_state()

    def transcript(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"paragraphs": self.session.read_paragraphs()}

    def decide(self, body: dict[str, Any]) -> dict[str, Any]:
        position, start, seen = _parse_decision(body)
        if body.get("withdraw") is True:
            self.session.withdraw(position, seen)
        else:
            self.session.decide(position, start, seen)
        return self.session.read_state()

    def attach(self, body: dict[str, Any]) -> dict[str, Any]:
        position, _, seen = _parse_decision(body)
        self.session.attach(str(body.get("decision")), position, seen)
        return self.session.read_state()

    def undo(self, body: dict[str, Any]) -> dict[str, Any]:
        seen = body.get("seen")
        if not isinstance(seen, str | None):
            raise InputError("the request is not an undo", "reload the page")
        position = self.session.undo(seen)
        return {**self.session.read_state(), "position": position}

    def finish(self, _: dict[str, Any]) -> dict[str, Any]:
        outcome = self.session.finish()
        return {**self.session.read_state(), **outcome}


def build_app(session: ReviewSession, token: str, port: int) -> AccessControl:
    """Return the ASGI application that serves a session under `/<token>/` on 127.0.0.1 and `port`."""
    # Starlette is imported in functions only: other commands start without it.
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import FileResponse, Response
    from starlette.routing import Route

    api = _Api(session)

    async def audio(_: "Request") -> "Response":
        return FileResponse(session.audio)

    async def peaks(_: "Request") -> "Response":
        return Response(await run_in_threadpool(lambda: api.loudness), media_type="application/octet-stream")

    routes = [
        *(Route(f"/{name}", _make_file_endpoint(WEB / path, kind)) for name, (path, kind) in PAGES.items()),
        *(Route(f"/{call.__name__}", _make_api_endpoint(call)) for call in (api.state, api.transcript)),
        *(
            Route(f"/{call.__name__}", _make_api_endpoint(call), methods=["POST"])
            for call in (api.decide, api.attach, api.undo, api.finish)
        ),
        Route("/audio", audio),
        Route("/peaks", peaks),
    ]
    handlers = {PipelineError: _answer_expected_error, OSError: _answer_expected_error, Exception: _answer_bug}
    return AccessControl(Starlette(routes=routes, exception_handlers=handlers), token, port)


def _make_file_endpoint(path: Path, media_type: str) -> "Endpoint":
    from starlette.responses import FileResponse

    async def endpoint(_: "Request") -> "Response":
        return FileResponse(path, media_type=media_type)

    return endpoint


def _make_api_endpoint(call: Callable[[dict[str, Any]], dict[str, Any]]) -> "Endpoint":
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import JSONResponse

    async def endpoint(request: "Request") -> "Response":
        body = await _read_body(request) if request.method == "POST" else {}
        # In a thread: an alignment takes seconds, and the audio must go on playing.
        return JSONResponse(await run_in_threadpool(call, body))

    return endpoint


async def _answer_expected_error(_: "Request", error: Exception) -> "Response":
    """Answer 409 to a conflict, after which the page shows the new state, and 400 to any other expected error."""
    from starlette.responses import JSONResponse

    return JSONResponse({"error": str(error)}, 409 if isinstance(error, ConflictError) else 400)


async def _answer_bug(_: "Request", error: Exception) -> "Response":
    from starlette.responses import JSONResponse

    return JSONResponse({"error": f"internal error, please report it: {error!r}"}, 500)


def make_server_config(app: AccessControl) -> "uvicorn.Config":
    """Return uvicorn's configuration; it logs nothing, since the page shows errors."""
    import uvicorn

    return uvicorn.Config(
        app,
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_TIMEOUT_S,
    )


async def _read_body(request: "Request") -> dict[str, Any]:
    """Return the JSON object in the body of a request; InputError if it is something else."""
    body = b""
    async for block in request.stream():
        body += block
        if len(body) > MAX_BODY_BYTES:
            raise InputError("the request is larger than any decision", "reload the page")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError("the request is not a decision", "reload the page") from error
    if not isinstance(value, dict):
        raise InputError("the request is not a decision", "reload the page")
    return value


def _parse_decision(body: dict[str, Any]) -> tuple[int, float | None, str | None]:
    """Return the position, the start in seconds or None, and the signature that the person saw; else InputError."""
    position, start, seen = body.get("position"), body.get("start"), body.get("seen")
    # `type` instead of isinstance: a bool is an int.
    if type(position) is not int or type(start) not in {int, float, type(None)} or not isinstance(seen, str | None):
        raise InputError("the request is not a decision", "reload the page")
    try:
        return position, None if start is None else float(start), seen
    except OverflowError:  # an integer of 400 digits
        raise InputError("the start is no time", "reload the page") from None


def serve(session: ReviewSession, *, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve a session on 127.0.0.1 until it is interrupted; `on_ready` is called with the URL of the page.

    `port` 0 takes a free port. InputError if the port cannot be used.
    """
    import socket

    import uvicorn

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # Without this a fixed port stays in use for a minute after the last review.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(f"port {port} cannot be used ({error.strerror})", "choose another with --port") from error
        # Bound before the URL is printed, so that no other program can take the port in between.
        bound_port = listener.getsockname()[1]
        token = make_token()
        server = uvicorn.Server(make_server_config(build_app(session, token, bound_port)))
        listener.listen()
        on_ready(f"http://127.0.0.1:{bound_port}/{token}/")
        server.run(sockets=[listener])
