"""Tell URLs from file names, and remove secrets from URLs."""

import re
from urllib.parse import quote, urlsplit

# Names of query fields whose values are secret.
_SECRET_NAME = re.compile(r"token|key|sig|auth|pass|secret|credential|policy|session|jwt|cookie", re.IGNORECASE)

# Private feeds carry their key in the path, such as /private/9f8a7c/feed.rss.
_SECRET_PATH = re.compile(r"(/(?:private|tokens?|keys?|secrets?|auth)/)[^/]{6,}", re.IGNORECASE)

# The scheme has a bound: without one, the pattern scans a long run of letters again from each letter.
_URL = re.compile(r"[a-z][a-z0-9+.-]{0,20}://[^\s\"'<>]+", re.IGNORECASE)
# Signs of a URL's path, query and fragment that no format takes for markup; `%` stands in URLs that are encoded.
_PLAIN_SIGNS = "/?:@-._~!$&+,;=%#"

# A host that a page may link to: plain letters or an IP address, with an optional port.
_HOST = re.compile(r"[a-z0-9.-]+(?::\d+)?|\[[0-9a-f:]+\](?::\d+)?")


def is_url(source: str) -> bool:
    """Return whether a source is a URL rather than a file name."""
    return "://" in source


def is_web_url(source: str) -> bool:
    """Tell whether a source is an http(s) URL that can be taken apart; `http://[::1/` cannot."""
    try:
        return urlsplit(source).scheme.lower() in {"http", "https"}
    except ValueError:
        return False


def is_http_url(url: str | None) -> bool:
    """Return whether a page may link to a URL: http or https, with a host of plain letters."""
    if not url:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(_HOST.fullmatch(parts.netloc.lower()))


def escape_url(url: str | None) -> str | None:
    """Return a URL in which each character that some format takes for markup is percent-encoded.

    The result holds letters, digits and signs of RFC 3986 without the quotes, brackets and parentheses that end a link
    in Markdown, HTML, XML, CSV or M3U. None where a page must not link to it: it has another scheme than http(s), or
    cannot be taken apart. A URL relative to a page is returned as such.
    """
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    if not url or parts.scheme not in {"http", "https", ""} or (parts.scheme and not parts.netloc):
        return None
    # Brackets belong to the host of an IPv6 address, and nowhere else.
    netloc = parts.netloc if is_http_url(url) else quote(parts.netloc, safe=":@")
    path, query, fragment = (quote(part, safe=_PLAIN_SIGNS) for part in (parts.path, parts.query, parts.fragment))
    return parts._replace(netloc=netloc, path=path, query=query, fragment=fragment).geturl()


def redact_url(source: str) -> str:
    """Return a URL without secrets, fit for logs and metadata.

    User and password are removed. `***` replaces the value of a query field or a part of the path whose name marks it
    as a key. A file name is returned as it is.
    """
    if not is_url(source):
        return source
    try:
        parts = urlsplit(source)
    except ValueError:
        return source.partition("://")[0] + "://***"
    query, fragment = _redact_query(parts.query), _redact_query(parts.fragment)
    path = _SECRET_PATH.sub(r"\1***", parts.path)
    netloc = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=netloc, path=path, query=query, fragment=fragment).geturl()


def _redact_query(query: str) -> str:
    """Return a query in which `***` replaces the value of each secret field."""
    return "&".join(map(_redact_field, query.split("&")))


def _redact_field(field: str) -> str:
    # Split by hand: one pattern for the whole field backtracks for minutes on a hostile query.
    names = field.split("=")
    for number, name in enumerate(names[:-1], start=1):
        if _SECRET_NAME.search(name):
            return "=".join(names[:number]) + "=***"
    return field


def redact_urls(text: str) -> str:
    """Return a text in which every URL is redacted."""
    return _URL.sub(lambda match: redact_url(match[0]), text)
