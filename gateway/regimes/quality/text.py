"""Texts as they are compared: without case, accents, punctuation."""

from __future__ import annotations

import re
import unicodedata

_HYPHEN = re.compile(r"(?<=[^\W\d_])[-‐‑](?=[^\W\d_])")
_RUN = re.compile(r"[^\W_]+")
# Marks that are left by decomposition: of Latin, Greek and Cyrillic, Hebrew, Arabic, kana.
_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u3099\u309a]+"
)
_LETTERS = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ـ": None})
"""Letters that have no decomposition, and the Arabic tatweel."""
_ARTICLE = "ال"
_WORDLESS = (
    ("\u2e80", "\u9fff"),  # CJK radicals, kana, bopomofo, ideographs
    ("\uac00", "\ud7af"),  # Hangul syllables
    ("\uf900", "\ufaff"),
    ("\U00020000", "\U0003ffff"),
)


def plain(text: str) -> str:
    """Lower case without accents and other marks; characters of one width."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", text).casefold()
    return _MARKS.sub("", folded).translate(_LETTERS)


def words(text: str) -> list[str]:
    """The runs of letters and digits in a text that is ``plain``; T-shirt is one word."""
    if not text.isascii() or "-" in text:
        text = _HYPHEN.sub("", text)
    found = _RUN.findall(text)
    return [_bare(word) for word in found] if _ARTICLE in text else found


def whole(text: str) -> str:
    """All words of a text, with single blanks between them: what is compared as a phrase."""
    return " ".join(words(plain(text)))


def writes_words(text: str) -> bool:
    """True when the script has characters that are words or syllables by themselves."""
    return not text.isascii() and any(
        first <= character <= last for character in text for first, last in _WORDLESS
    )


def _bare(word: str) -> str:
    """An Arabic word without its article."""
    return word[2:] if word.startswith(_ARTICLE) and len(word) > 4 else word
