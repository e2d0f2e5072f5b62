"""Who may speak to the review server: its own page, at its own secret address, on this machine.

The token is part of the address, so that no other page and no other program on the machine can guess a path here. Other
host names and requests from other origins are refused, which also keeps rebound names out.
"""

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def make_token() -> str:
    """Return what nobody guesses."""
    return secrets.token_urlsafe(24)


class Guard:
    """Lets through only requests of this page to its own address, and answers each with the headers of `HEADERS`."""

    def __init__(self, app: App, token: str, port: int) -> None:
        self.app = app
        self.prefix = f"/{token}"
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":  # nothing here speaks anything else
            return

        async def send_safely(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                own = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *own]}
            await send(message)

        refusal = self._refuse(scope)
        if refusal:
            await _send_refusal(refusal, send_safely)
            return
        inner = scope["path"][len(self.prefix) :]
        await self.app({**scope, "path": inner, "raw_path": inner.encode()}, receive, send_safely)

    def _refuse(self, scope: Scope) -> str | None:
        """Why a request is not let through; None where it is."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if headers.get("host") not in self.hosts:
            return "This server answers to 127.0.0.1 only."
        origin = headers.get("origin")
        if origin is not None and origin.removeprefix("http://") not in self.hosts:
            return "This server answers to its own page only."
        # Who comes from elsewhere may open the page, as the browser does from the file with its address; nothing more.
        opening = scope["method"] == "GET" and scope["path"] == f"{self.prefix}/"
        opening = opening and headers.get("sec-fetch-dest") == "document"
        if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"} and not opening:
            return "This server answers to its own page only."
        begin, given = scope["path"][: len(self.prefix)], self.prefix
        if (
            not secrets.compare_digest(begin.encode(), given.encode())
            or scope["path"][len(given) : len(given) + 1] != "/"
        ):
            return "Open the whole address that `catalog review` printed; it changes each time."
        if scope["method"] == "POST" and headers.get("content-type") != "application/json":
            return "This server answers to its own page only."
        return None


async def _send_refusal(why: str, send: Send) -> None:
    kind = (b"content-type", b"text/plain; charset=utf-8")
    await send({"type": "http.response.start", "status": 403, "headers": [kind]})
    await send({"type": "http.response.body", "body": f"{why}\n".encode()})
