"""Sources are files or addresses; addresses may carry secrets."""

import re
from urllib.parse import urlsplit

_SECRET_FIELD = re.compile(r"([^&=]*(?:token|key|sig|auth|pass|secret|credential|policy)[^&=]*=)[^&]*", re.IGNORECASE)


def is_address(source: str) -> bool:
    """Tell whether a source is an address rather than a file."""
    return "://" in source


def without_secrets(source: str) -> str:
    """Return an address fit for logs and metadata: no user or password, no value of a query field that names a key."""
    if not is_address(source):
        return source
    parts = urlsplit(source)
    query = _SECRET_FIELD.sub(r"\1***", parts.query)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query).geturl()
