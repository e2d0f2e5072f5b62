"""Sources are files or addresses; addresses may carry secrets."""

import re
from urllib.parse import urlsplit

_SECRET_NAME = re.compile(r"token|key|sig|auth|pass|secret|credential|policy|session|jwt|cookie", re.IGNORECASE)

# Private feeds carry their key in the path: /private/9f8a7c/feed.rss
_SECRET_PATH = re.compile(r"(/(?:private|tokens?|keys?|secrets?|auth)/)[^/]{6,}", re.IGNORECASE)

# A scheme is short: without a bound, a text of letters alone would be read anew from each of them.
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{0,20}://[^\s\"'<>]+", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9.-]+(?::\d+)?|\[[0-9a-f:]+\](?::\d+)?")


def is_url(source: str) -> bool:
    """Tell whether a source is an address rather than a file."""
    return "://" in source


def is_http_url(url: str | None) -> bool:
    """Tell whether a link is one that a page may hold: http or https, with a host of plain letters."""
    if not url:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(_HOST.fullmatch(parts.netloc.lower()))


def redact_url(source: str) -> str:
    """Return an address fit for logs and metadata.

    It holds no user or password, and no value of a query field or part of a path that a name before it calls a key.
    """
    if not is_url(source):
        return source
    try:
        parts = urlsplit(source)
    except ValueError:
        return source.partition("://")[0] + "://***"
    query, fragment = _hide_fields(parts.query), _hide_fields(parts.fragment)
    path = _SECRET_PATH.sub(r"\1***", parts.path)
    netloc = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=netloc, path=path, query=query, fragment=fragment).geturl()


def _hide_fields(query: str) -> str:
    """A query in which fields that are called a key have lost their values."""
    return "&".join(map(_hide_field, query.split("&")))


def _hide_field(field: str) -> str:
    # Cut and searched by hand: one pattern for all of it would go back and forth over a hostile query for minutes.
    names = field.split("=")
    for number, name in enumerate(names[:-1], start=1):
        if _SECRET_NAME.search(name):
            return "=".join(names[:number]) + "=***"
    return field


def redact_urls(text: str) -> str:
    """Return a text in which every address is fit for logs."""
    return _ADDRESS.sub(lambda found: redact_url(found[0]), text)
