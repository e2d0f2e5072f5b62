"""Sources are files or addresses; addresses may carry secrets."""

import re
from urllib.parse import urlsplit

_SECRET_FIELD = re.compile(
    r"([^&=]*(?:token|key|sig|auth|pass|secret|credential|policy|session|jwt|cookie)[^&=]*=)[^&]*", re.IGNORECASE
)
# Private feeds carry their key in the path: /private/9f8a7c/feed.rss
_SECRET_PATH = re.compile(r"(/(?:private|tokens?|keys?|secrets?|auth)/)[^/]{6,}", re.IGNORECASE)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"'<>]+", re.IGNORECASE)


def is_address(source: str) -> bool:
    """Tell whether a source is an address rather than a file."""
    return "://" in source


def without_secrets(source: str) -> str:
    """Return an address fit for logs and metadata.

    It holds no user or password, and no value of a query field or part of a path that a name before it calls a key.
    """
    if not is_address(source):
        return source
    try:
        parts = urlsplit(source)
    except ValueError:
        return source.partition("://")[0] + "://***"
    query = _SECRET_FIELD.sub(r"\1***", parts.query)
    fragment = _SECRET_FIELD.sub(r"\1***", parts.fragment)
    path = _SECRET_PATH.sub(r"\1***", parts.path)
    netloc = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=netloc, path=path, query=query, fragment=fragment).geturl()


def hide_secrets(text: str) -> str:
    """Return a text in which every address is fit for logs."""
    return _ADDRESS.sub(lambda found: without_secrets(found[0]), text)
