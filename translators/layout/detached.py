"""Where a layout has the signature of documents that come in an envelope, and what it covers."""

from __future__ import annotations

from collections.abc import Callable

from translators.layout.mistakes import Mistakes
from translators.layout.plan import Detached
from translators.layout.source import Source

SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
KEYS = ("detached-signature", "detached-content")
"""Keys of the head of a layout: two paths of element names, from the envelope on."""


def enveloped(source: Source, qualify: Callable[[str], str], mistakes: Mistakes) -> Detached | None:
    """Both places; ``None`` for a layout without, or with mistakes, which are added."""
    if not any(key in source.header for key in KEYS):
        return None
    if source.header.get("syntax") == "json":
        mistakes.add(source.header_line(KEYS[0]), "is for the syntax xml")
        return None
    paths = [_path(source, key, qualify, mistakes) for key in KEYS]
    signature, content = paths
    if signature is None or content is None:
        return None
    if signature[-1] != SIGNATURE or len(signature) < 2:
        mistakes.add(source.header_line(KEYS[0]), "leads to the Signature of XML Signature")
    if content[:1] != signature[:1] or len(content) < 2:
        mistakes.add(source.header_line(KEYS[1]), "begins with the same envelope")
    if content[: len(signature)] == signature or signature[: len(content)] == content:
        mistakes.add(source.header_line(KEYS[0]), "stands beside the content, not in it")
    if content[-1] not in _roots(source, qualify):
        mistakes.add(source.header_line(KEYS[1]), "leads to a document element of the layout")
    return Detached(signature, content)


def _path(
    source: Source, key: str, qualify: Callable[[str], str], mistakes: Mistakes
) -> tuple[str, ...] | None:
    try:
        written = source.header[key]
        return tuple(qualify(name) for name in written.split("/"))
    except KeyError:
        mistakes.add(source.header_line(key), f"{KEYS[0]} and {KEYS[1]} go together")
    except ValueError as error:
        mistakes.add(source.header_line(key), str(error))
    return None


def _roots(source: Source, qualify: Callable[[str], str]) -> set[str]:
    found = set()
    for written in (source.header.get("root"), *(line.key for line in source.roots)):
        try:
            found |= {qualify(written)} if isinstance(written, str) else set()
        except ValueError:  # told where the document elements are read
            continue
    return found
