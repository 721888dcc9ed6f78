"""What can be said of a description of goods, and of the HS code beside it."""

from __future__ import annotations

import re
from functools import lru_cache

from gateway.regimes.quality.settings import QualitySettings
from gateway.regimes.quality.text import plain, whole, words, writes_words
from gateway.regimes.quality.vocabulary import Goods, Vague

VAGUE = "quality.description-vague"
SHORT = "quality.description-short"
DIGITS = "quality.description-digits"

_COUNT = re.compile(r"[0-9]+[a-z]{0,3}")
"""A number, also with a unit: 2, 2x, 10pcs."""
_CUT = re.compile(r"[,;:()\[\]/|.!?]|\s[-–—]\s")
"""What ends the name of goods in a description."""
_LONGEST_VAGUE = 8
"""Words; with more of them something is said."""
_KNOWN = 4_096
"""Descriptions whose judgement is kept in mind: the same goods are sold again and again."""


class Descriptions:
    """Judges descriptions by vocabularies; made once."""

    def __init__(self, settings: QualitySettings, vague: Vague, goods: Goods) -> None:
        self._least = settings.description_length
        self._vague = vague
        self._goods = goods
        self._names = frozenset((*goods.last, *goods.first))
        self._phrases = vague.phrases | frozenset(map(whole, settings.vague))
        self._beginnings = frozenset(phrase.partition(" ")[0] for phrase in self._phrases)
        self._accepted = frozenset(map(whole, settings.accepted))
        self._known = lru_cache(maxsize=_KNOWN)(self._judge)

    def judge(self, description: str, hs: str | None) -> tuple[str | None, bool]:
        """The one thing that is wrong with a description, the gravest first; and whether it names
        goods that are in none of the code's chapters.

        The latter is a heuristic: it looks only at the noun of the first name, and is silent when
        several goods are named.
        """
        return self._known(description, None if hs is None else hs[:2])

    def _judge(self, description: str, chapter: str | None) -> tuple[str | None, bool]:
        text = plain(description)
        found = words(text)
        if not found or (found[0].isdigit() and all(map(str.isdigit, found))):
            return DIGITS, False
        few = len(found) < self._least and sum(map(len, found)) < self._least
        if few and not writes_words(text):
            return SHORT, False
        if len(found) <= _LONGEST_VAGUE and self._is_vague(found):
            return VAGUE, False
        named = chapter is not None and not self._names.isdisjoint(found)
        return None, named and self._contradicts(text, found, chapter or "")

    def _is_vague(self, found: list[str]) -> bool:
        nothing = self._says_nothing(found)
        if not nothing and found[0] not in self._beginnings:
            return False  # nearly always: neither vague words nor the beginning of a phrase
        phrase = " ".join(found)
        return (nothing or phrase in self._phrases) and phrase not in self._accepted

    def _says_nothing(self, found: list[str]) -> bool:
        generic = alone = 0
        for word in found:
            if word in self._vague.fillers:
                continue
            if _in(word, self._vague.generic):
                generic += 1
            elif _in(word, self._vague.alone):
                alone += 1
            elif not _COUNT.fullmatch(word):
                return False
        return not alone or (alone == 1 and not generic)

    def _contradicts(self, text: str, found: list[str], chapter: str) -> bool:
        if not self._goods.joins.isdisjoint(found) or "+" in text or "&" in text:
            return False
        name: list[str] = []
        for word in words(_CUT.split(text, maxsplit=1)[0]):
            if word in self._goods.ends:
                break
            if word.isalpha():
                name.append(word)
        if not name:
            return False
        last = self._goods.last.get(name[-1], frozenset())
        chapters = last | self._goods.first.get(name[0], frozenset())
        return bool(chapters) and chapter not in chapters


def _in(word: str, known: frozenset[str]) -> bool:
    """Membership, also of a plural in -s."""
    return word in known or (word.endswith("s") and word[:-1] in known)
