"""Texts made comparable: case, diacritics, punctuation and the order of name parts do not count."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib import resources


@cache
def _letters() -> Mapping[int, str]:
    document = resources.files("backends.risk").joinpath("letters.toml").read_text("utf-8")
    return str.maketrans(tomllib.loads(document)["letters"])


def words(text: str) -> tuple[str, ...]:
    """The words of a text in their order, folded.

    Folding is NFKD, case folding (Unicode 3.13), removal of the combining diacritical marks
    U+0300 to U+036F (not of the vowel signs of other scripts), and the letters of letters.toml.
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = folded.translate(_letters())
    kept = [
        character if _is_of_word(character) else " "
        for character in plain
        if not "\u0300" <= character <= "\u036f"
    ]
    return tuple("".join(kept).split())


def _is_of_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"  # letters, marks, numbers


def name_key(name: str, ignored: frozenset[str] = frozenset()) -> str:
    """The same for two spellings of one name; empty if there is nothing to compare.

    ``ignored`` are words that do not count, such as legal forms, already folded; a name that has
    no others keeps them.
    """
    found = words(name)
    counting = [word for word in found if word not in ignored] or list(found)
    return " ".join(sorted(counting))


def identifier_key(value: str) -> str:
    """An identifier without the blanks and signs that people put into it."""
    return "".join(character for character in value.casefold() if character.isalnum())


def has_phrase(text: tuple[str, ...], phrase: tuple[str, ...]) -> bool:
    """Whether the words of the phrase stand in the text one after another."""
    if not phrase:
        return False
    last = len(text) - len(phrase)
    return any(text[at : at + len(phrase)] == phrase for at in range(last + 1))
