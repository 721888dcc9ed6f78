"""What can be said of names and addresses."""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter
from typing import Any

from gateway.regimes.quality.settings import QualitySettings
from gateway.regimes.quality.text import plain, whole
from gateway.regimes.quality.vocabulary import Placeholders

Finding = tuple[str, str]
"""A code and the path at which it was found."""

LOCALITY = "quality.locality-missing"
PLACEHOLDER = "quality.placeholder"
_NAMES = ("name", "first_name", "last_name", "organisation")
_named = attrgetter(*_NAMES)
_DIGITS = frozenset("0123456789")
_ARTICLE = "\N{ARABIC LETTER ALEF}"
"""How the article begins that is left out of what is compared."""
_PUNCTUATION = 4
"""So much of it may stand beside a placeholder."""
_REPEATED = 3
"""So many times the same character, and nothing else, is no text."""


class Addresses:
    """Judges names and addresses; made once."""

    def __init__(self, settings: QualitySettings, table: Placeholders) -> None:
        written = [plain(text) for text in (*table.texts, *settings.placeholders)]
        self._texts = frozenset(map(whole, written))
        self._starts = frozenset(text[:2] for text in self._texts)
        self._numbers = any(text[:1] in _DIGITS for text in self._texts)
        self._longest = max(map(len, written)) + _PUNCTUATION
        self._no_locality = table.no_locality

    def placeholders(self, party: Any, path: str, found: list[Finding]) -> None:
        """Add the texts that only fill a field."""
        for name, text in zip(_NAMES, _named(party), strict=True):
            if text is not None and self._fills(text):
                found.append((PLACEHOLDER, f"{path}/{name}"))
        address = party.address
        if address is None:
            return
        for index, line in enumerate(address.lines):
            if line is not None and self._fills(line):
                found.append((PLACEHOLDER, f"{path}/address/lines/{index}"))
        city = address.city
        if city is not None and (not _has_letter(city) or self._fills(city)):
            found.append((PLACEHOLDER, f"{path}/address/city"))

    def _fills(self, text: str) -> bool:
        # Nearly every text ends here: it begins as no placeholder does, or is longer than all.
        start = text[:2].lower()
        if start[:1] in _DIGITS and not self._numbers:
            return False
        if start.isalnum() and start[0] != start[-1]:
            compared = start if start.isascii() else _beginning(start)
            if len(text) > self._longest or not (compared is None or compared in self._starts):
                return False
        bare = whole(text)
        return not bare or bare in self._texts or _is_one_character(bare)

    def lacks_locality(self, party: Any, *, required: bool) -> bool:
        """True for an address without a locality; also for none at all if one is required."""
        address = party.address
        if address is None:
            return required
        if address.city is not None and address.city.strip():
            return False
        return address.country not in self._no_locality and (required or bool(address.lines))


@lru_cache(maxsize=4_096)
def _beginning(start: str) -> str | None:
    """The two characters with which a text is compared that begins so; ``None`` when that does
    not follow from the beginning, or they are the same character."""
    compared = plain(start)[:2]
    plainly = compared.isalnum() and compared[0] not in (compared[-1], _ARTICLE)
    return compared if plainly else None


def _is_one_character(text: str) -> bool:
    """``xxx``, ``aaaa``: but not a number, which may be that of a house."""
    first = text[0]
    return len(text) >= _REPEATED and not first.isdigit() and text.count(first) == len(text)


def _has_letter(text: str) -> bool:
    return text[:1].isalpha() or any(map(str.isalpha, text))


def same(one: Any, other: Any) -> bool:
    """True when two trade parties have the same name at the same address."""
    here, there = one.address, other.address
    if here is None or there is None or here.country != there.country or not here.lines:
        return False
    if plain(here.city or "").strip() != plain(there.city or "").strip():
        return False
    return _lines(here) == _lines(there) and _name(one) == _name(other) != ""


def _lines(address: Any) -> str:
    return whole(" ".join(line for line in address.lines if line))


def _name(party: Any) -> str:
    parts = (party.first_name, party.last_name)
    return whole(party.name or " ".join(part for part in parts if part) or party.organisation or "")
