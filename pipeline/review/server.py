"""The review page's server: what the page asks for, and where it is served.

One episode, one address on 127.0.0.1; no part of a path ever names a file.
"""

import json
from collections.abc import Awaitable, Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.core.audio_file import measure_loudness
from pipeline.core.errors import InputError, PipelineError
from pipeline.review.access import Guard, make_token
from pipeline.review.session import ConflictError, ReviewSession

if TYPE_CHECKING:
    import uvicorn
    from starlette.requests import Request
    from starlette.responses import Response

WEB = Path(__file__).parent.parent / "web"
PAGES = {
    "": ("review/index.html", "text/html"),
    "base.css": ("base.css", "text/css"),
    "review.css": ("review/review.css", "text/css"),
    "review.js": ("review/review.js", "text/javascript"),
    "waveform.js": ("review/waveform.js", "text/javascript"),
    "speech.js": ("review/speech.js", "text/javascript"),
    "icon.svg": ("site/icon.svg", "image/svg+xml"),
}

# A decision is one short object of JSON.
LONGEST_BODY = 10_000


class _Answers:
    """What the page may ask, each answer made from the files as they are at that moment."""

    def __init__(self, review: ReviewSession) -> None:
        self.review = review

    @cached_property
    def loudness(self) -> bytes:
        return measure_loudness(self.review.audio)

    def state(self, _: dict[str, Any]) -> dict[str, Any]:
        return self.review.describe()

    def transcript(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"paragraphs": self.review.read_transcript()}

    def decide(self, body: dict[str, Any]) -> dict[str, Any]:
        position, start, seen = _read_decision(body)
        if body.get("withdraw") is True:
            self.review.withdraw(position, seen)
        else:
            self.review.decide(position, start, seen)
        return self.review.describe()

    def undo(self, _: dict[str, Any]) -> dict[str, Any]:
        position = self.review.undo()
        return {**self.review.describe(), "position": position}

    def finish(self, _: dict[str, Any]) -> dict[str, Any]:
        result = self.review.finish()
        return {**self.review.describe(), **result}


def build_app(review: ReviewSession, token: str, port: int) -> Guard:
    """Return the ASGI application that serves a review under `/<token>/` to who calls it by 127.0.0.1 and `port`."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import FileResponse, JSONResponse, Response
    from starlette.routing import Route

    answers = _Answers(review)

    # Starlette is imported here, not above, so that other commands need not have it; hence functions in a function.
    def page(name: str) -> Callable[["Request"], Awaitable["Response"]]:
        async def respond(_: "Request") -> "Response":
            path, kind = PAGES[name]
            return FileResponse(WEB / path, media_type=kind)

        return respond

    def answer(make: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[["Request"], Awaitable["Response"]]:
        async def respond(request: "Request") -> "Response":
            body = await _read_body(request) if request.method == "POST" else {}
            # Reading and aligning take seconds, during which the page still plays.
            return JSONResponse(await run_in_threadpool(make, body))

        return respond

    async def audio(_: "Request") -> "Response":
        return FileResponse(review.audio)

    async def peaks(_: "Request") -> "Response":
        return Response(await run_in_threadpool(lambda: answers.loudness), media_type="application/octet-stream")

    async def explain(_: "Request", error: Exception) -> "Response":
        # 409: somebody else decided meanwhile, and the page shows what; 400: a mistake, shown as it is.
        return JSONResponse({"error": str(error)}, 409 if isinstance(error, ConflictError) else 400)

    async def confess(_: "Request", error: Exception) -> "Response":
        return JSONResponse({"error": f"this should not happen, please report it: {error!r}"}, 500)

    routes = [
        *(Route(f"/{name}", page(name)) for name in PAGES),
        *(Route(f"/{make.__name__}", answer(make)) for make in (answers.state, answers.transcript)),
        *(
            Route(f"/{make.__name__}", answer(make), methods=["POST"])
            for make in (answers.decide, answers.undo, answers.finish)
        ),
        Route("/audio", audio),
        Route("/peaks", peaks),
    ]
    handlers = {PipelineError: explain, OSError: explain, Exception: confess}
    return Guard(Starlette(routes=routes, exception_handlers=handlers), token, port)


def configure(app: Guard) -> "uvicorn.Config":
    """Return how uvicorn runs the page: it says nothing, since the page shows what goes wrong."""
    import uvicorn

    return uvicorn.Config(
        app,
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        server_header=False,
        # A browser keeps the audio's connection open; nothing is lost by cutting it.
        timeout_graceful_shutdown=1,
    )


async def _read_body(request: "Request") -> dict[str, Any]:
    """The JSON object of a request; InputError where it is something else."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY:
            raise InputError("this request is larger than any decision: reload the page")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError("this request is not a decision: reload the page") from error
    if not isinstance(value, dict):
        raise InputError("this request is not a decision: reload the page")
    return value


def _read_decision(body: dict[str, Any]) -> tuple[int, float | None, str | None]:
    """Position, start in seconds or None, and the decision the person saw; InputError where they are not that."""
    position, start, seen = body.get("position"), body.get("start"), body.get("seen")
    # `type`, not isinstance: to Python, true is a number.
    if type(position) is not int or type(start) not in {int, float, type(None)} or not isinstance(seen, str | None):
        raise InputError("this request is not a decision: reload the page")
    return position, None if start is None else float(start), seen


def serve(review: ReviewSession, *, port: int, ready: Callable[[str], None]) -> None:
    """Serve a review on 127.0.0.1 until it is interrupted; `ready` is told the page's address.

    `port` 0 takes any that is free. InputError where the port is taken.
    """
    import socket

    import uvicorn

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # Else a named port would stay taken for a minute after the last review.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(f"port {port} cannot be used ({error.strerror}): name another with --port") from error
        # Bound before the address is told: nobody can take the port in between.
        taken = listener.getsockname()[1]
        token = make_token()
        server = uvicorn.Server(configure(build_app(review, token, taken)))
        listener.listen()
        ready(f"http://127.0.0.1:{taken}/{token}/")
        server.run(sockets=[listener])
