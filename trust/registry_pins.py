"""The certificates that a registry text pins; a registry itself has their thumbprints alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from msgspec import toml


class _Party(msgspec.Struct):
    id: str = ""
    certificates: tuple[str, ...] = ()


class _Text(msgspec.Struct):
    party: tuple[_Party, ...] = ()


def pinned_certificates(
    text: bytes, read: Callable[[str], bytes | None]
) -> Iterator[tuple[str, str, bytes]]:
    """Party, where it stands, and the PEM; ``read`` gives a file that the text names.

    Nothing of a text that is no registry: its reader says why.
    """
    try:
        found = toml.decode(text, type=_Text)
    except msgspec.DecodeError:
        return
    for party in found.party:
        for number, source in enumerate(party.certificates):
            if source.lstrip().startswith("-----BEGIN "):
                yield party.id, f"certificates[{number}]", source.encode()
                continue
            pem = read(source)
            if pem is not None:
                yield party.id, source, pem
