"""What in a connection URI could be read in two ways.

A password with a sign that has a meaning of its own in a URI (``@ / ? # %``) moves the border
between user, host and path: then a part of the password would be taken for a host, and be shown.
Such signs are percent-encoded (RFC 3986, 2.1 and 3.2.1).
"""

from __future__ import annotations

import re

_AUTHORITY = re.compile(r"^[a-z]+://([^/?#]*)(.*)\Z", re.DOTALL)
_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


def mistake_in(url: str) -> str | None:
    """What is wrong with a URI, in words that quote nothing of it; ``None``: it has one meaning."""
    found = _AUTHORITY.match(url)
    if found is None:
        return "is no URI such as postgresql://user@host:5432/database"
    authority, rest = found.groups()
    if authority.count("@") <= 1 and not re.search("[@#]", rest) and not _BROKEN_ESCAPE.search(url):
        return None
    return (
        "can be read in two ways: in a user or password write @ as %40, / as %2F, : as %3A,"
        " ? as %3F, # as %23 and % as %25; better, leave the password out and say where it is"
        " in journal.password"
    )
