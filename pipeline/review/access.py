"""Access control for the review server: only its own page, at its own secret URL, on this machine.

A token in the URL keeps other pages and other programs on the machine out. Requests with another host name or origin
are refused, which also stops DNS rebinding.
"""

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

# The types of ASGI 3 (https://asgi.readthedocs.io/en/latest/specs/main.html).
Scope: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

# Headers of every response: the page loads nothing from elsewhere, and no other page can embed or read it.
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_OTHER_PAGE = "This server accepts requests of its own page only."


def make_token() -> str:
    """Return a random token of 192 bits for a URL."""
    return secrets.token_urlsafe(24)


class AccessControl:
    """ASGI middleware that answers 403 to all but the page's own requests, and adds SECURITY_HEADERS.

    It removes the token from the path before it calls `app`.
    """

    def __init__(self, app: App, token: str, port: int) -> None:
        self.app = app
        self.prefix = f"/{token}"
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":  # the page uses no WebSocket
            return

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *headers]}
            await send(message)

        refusal = self._find_refusal(scope)
        if refusal:
            await _send_refusal(refusal, send_with_headers)
            return
        path = scope["path"][len(self.prefix) :]
        await self.app({**scope, "path": path, "raw_path": path.encode()}, receive, send_with_headers)

    def _find_refusal(self, scope: Scope) -> str | None:
        """Return why a request is refused; None if it is allowed."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if headers.get("host") not in self.hosts:
            return "This server accepts requests to 127.0.0.1 only."
        origin = headers.get("origin")
        if origin is not None and origin.removeprefix("http://") not in self.hosts:
            return _OTHER_PAGE
        # Another site may only open the page: the browser comes from the local file that redirects to the URL.
        opens_page = scope["method"] == "GET" and scope["path"] == f"{self.prefix}/"
        opens_page = opens_page and headers.get("sec-fetch-dest") == "document"
        if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"} and not opens_page:
            return _OTHER_PAGE
        if not self._has_token(scope["path"]):
            return "Open the whole URL that `catalog review` printed; each start of the command has another one."
        # A form of another page cannot send JSON.
        if scope["method"] == "POST" and headers.get("content-type") != "application/json":
            return _OTHER_PAGE
        return None

    def _has_token(self, path: str) -> bool:
        beginning, rest = path[: len(self.prefix)], path[len(self.prefix) :]
        return secrets.compare_digest(beginning.encode(), self.prefix.encode()) and rest.startswith("/")


async def _send_refusal(reason: str, send: Send) -> None:
    content_type = (b"content-type", b"text/plain; charset=utf-8")
    await send({"type": "http.response.start", "status": 403, "headers": [content_type]})
    await send({"type": "http.response.body", "body": f"{reason}\n".encode()})
