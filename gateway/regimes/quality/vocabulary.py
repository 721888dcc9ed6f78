"""The words that quality is judged by: files of this package, normalised once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TypeVar

import msgspec

from gateway.regimes.quality.text import plain, whole, words

T = TypeVar("T")


class Language(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of ``words/``."""

    source: str
    date: str
    generic: tuple[str, ...]
    alone: tuple[str, ...]
    fillers: tuple[str, ...]
    phrases: tuple[str, ...]


class Vague(msgspec.Struct, frozen=True):
    """Words that describe no goods, of all languages together.

    ``generic`` are vague also beside each other, ``alone`` when nothing else is said, ``fillers``
    add nothing, ``phrases`` are compared with the whole description.
    """

    generic: frozenset[str]
    alone: frozenset[str]
    fillers: frozenset[str]
    phrases: frozenset[str]


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Goods that a word names: the chapters in which they may be."""

    chapters: tuple[str, ...]
    last: tuple[str, ...] = ()
    first: tuple[str, ...] = ()


class GoodsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``goods.toml``."""

    source: str
    date: str
    ends: tuple[str, ...]
    joins: tuple[str, ...]
    goods: tuple[Kind, ...]


class Goods(msgspec.Struct, frozen=True):
    """Chapters by the word that names goods.

    ``last`` is for languages that end a name with it (cotton trousers), ``first`` for those that
    begin with it (pantalon en coton). ``ends`` are words that end a name; where one of ``joins``
    stands, several goods are named.
    """

    last: Mapping[str, frozenset[str]]
    first: Mapping[str, frozenset[str]]
    ends: frozenset[str]
    joins: frozenset[str]


class Placeholders(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``placeholders.toml``."""

    source: str
    date: str
    texts: tuple[str, ...]
    no_locality: frozenset[str]


class Rates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``rates.toml``: what one euro is, roughly."""

    source: str
    date: str
    per_euro: dict[str, float]


@cache
def vague() -> Vague:
    """The packaged vocabulary of all languages."""
    languages = [
        msgspec.convert(tomllib.loads(file.read_text("utf-8")), Language)
        for file in _folder().joinpath("words").iterdir()
        if file.name.endswith(".toml")
    ]
    return Vague(
        generic=frozenset(_words(word for one in languages for word in one.generic)),
        alone=frozenset(_words(word for one in languages for word in one.alone)),
        fillers=frozenset(_words(word for one in languages for word in one.fillers)),
        phrases=frozenset(whole(phrase) for one in languages for phrase in one.phrases),
    )


@cache
def goods() -> Goods:
    """The packaged table of goods."""
    file = _read("goods.toml", GoodsFile)
    last: dict[str, frozenset[str]] = {}
    first: dict[str, frozenset[str]] = {}
    for kind in file.goods:
        for table, listed in ((last, kind.last), (first, kind.first)):
            for word in _words(listed):
                table[word] = table.get(word, frozenset()) | frozenset(kind.chapters)
    return Goods(
        last=last,
        first=first,
        ends=frozenset(_words(file.ends)),
        joins=frozenset(_words(file.joins)),
    )


@cache
def placeholders() -> Placeholders:
    """The packaged table of placeholders."""
    return _read("placeholders.toml", Placeholders)


@cache
def rates() -> Rates:
    """The packaged rates of exchange."""
    return _read("rates.toml", Rates)


def _words(listed: Iterable[str]) -> Iterator[str]:
    for text in listed:
        yield from words(plain(text))


def _read(name: str, type_: type[T]) -> T:
    return msgspec.convert(tomllib.loads(_folder().joinpath(name).read_text("utf-8")), type_)


def _folder() -> Traversable:
    return resources.files("gateway.regimes.quality")
