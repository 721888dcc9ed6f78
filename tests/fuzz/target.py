"""What is fuzzed: one parser that faces the network, what it may do with any bytes, and seeds.

A target's ``judge`` takes bytes of anybody. It says whether they were taken, or refused as the
parser documents, and raises for everything else: that is a finding. Seeds are made by the product
itself when a round begins, with keys of that round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec


class Broken(AssertionError):
    """A law that an input broke: what should have been refused was taken, or took too long."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A target at work. The first of its seeds must be taken, or nothing deep is reached.

    ``words`` are pieces that mutations put together (keywords, tags).
    """

    judge: Callable[[bytes], bool]
    seeds: Sequence[bytes]
    words: Sequence[bytes] = ()


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One parser by name. ``share``: its part of a round's runs, less for a slow one."""

    name: str
    prepare: Callable[[], Prepared]
    share: float = 1.0
