"""A web server on 127.0.0.1 and the browser."""

import shutil
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

CHROMIUM = shutil.which("chromium")


class PageHandler(BaseHTTPRequestHandler):
    """Serves what the fixture holds, and 404 for the rest."""

    pages: dict[str, tuple[str, bytes]]

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        found = self.pages.get(self.path.split("?")[0])
        if found is None:
            self.send_error(404)
            return
        kind, body = found
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass
class MediaServer:
    """A web server on 127.0.0.1: put (kind, body) into `pages` under a path."""

    url: str
    pages: dict[str, tuple[str, bytes]]
