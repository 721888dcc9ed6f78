"""Minimisation: a message without what its receiver may not see, worked out once per kind.

Runs before encoding, so that what is withheld is in no format, error or log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

import msgspec

from gateway.agreements.sieve import Sieve, sieve_of
from translators.canonical import KINDS, Message
from translators.model import Field, Form, describe

ENVELOPE = frozenset({"type", "provenance"})
"""Members that are not the sender's content: the tag, and what the gateway itself says."""


class Minimised(msgspec.Struct, frozen=True):
    """What may be seen, and the canonical paths (JSON Pointers) of what was withheld."""

    message: Message
    dropped: tuple[str, ...]


@lru_cache(maxsize=1024)
def glob_pattern(glob: str) -> re.Pattern[str]:
    """A path glob as a pattern over pointers without indices: ``*`` one step, ``**`` any number."""
    steps = [step for step in glob.strip("/").split("/") if step]
    pattern = ""
    for step in steps:
        if step == "**":
            pattern += "(?:/[^/]+)*"
        else:
            pattern += "/" + re.escape(step).replace(r"\*", "[^/]*")
    return re.compile(pattern)


class Minimiser:
    """Keeps what the field globs of one agreement cover. Immutable and safe to share."""

    __slots__ = ("_decisions", "_everything", "_patterns", "_sieves")

    def __init__(self, fields: Iterable[str]) -> None:
        globs = tuple(fields)
        self._everything = any(glob.strip("/") == "**" for glob in globs)
        # A glob that names a whole branch covers all below it.
        self._patterns = tuple(glob_pattern(glob.rstrip("/") + "/**") for glob in globs)
        self._decisions: dict[str, bool] = {}
        self._sieves: dict[type[Message], Sieve] = {}

    def covers(self, path: str) -> bool:
        """True when a leaf at ``path`` (pointer, ``*`` for indices) may be seen."""
        known = self._decisions.get(path)
        if known is None:
            known = any(pattern.fullmatch(path) for pattern in self._patterns)
            if len(self._decisions) < 4096:  # bound: free-form extension keys are unlimited
                self._decisions[path] = known
        return known

    def missing(self, kind: str) -> tuple[str, ...]:
        """Paths without which a kind could not leave: such an agreement is a mistake.

        They are what the message itself requires, and what a part requires of which something
        may be seen (an amount without its currency says nothing).
        """
        if self._everything:
            return ()
        return tuple(self._missing(KINDS[kind], "", required=True))

    def _missing(self, struct: type[msgspec.Struct], path: str, *, required: bool) -> Iterator[str]:
        # The tag and provenance are not content; inside a part, a type is.
        parts = [part for part in _parts(struct) if path or part.name not in ENVELOPE]
        seen = required or any(self._sees(part, path) for part in parts)
        for part in parts:
            where = path + part.step
            needed = seen and part.required
            if part.inner is not None:
                yield from self._missing(part.inner, where, required=needed)
            elif needed and not self.covers(where):
                yield where

    def _sees(self, part: _Part, path: str) -> bool:
        where = path + part.step
        if part.inner is None:
            return self.covers(where)
        return any(self._sees(below, where) for below in _parts(part.inner))

    def minimise(self, message: Message) -> Minimised:
        """The message without what may not be seen. The same message when nothing is withheld.

        Raises ``TypeError`` when that includes what the kind requires (see :meth:`missing`).
        """
        if self._everything:
            return Minimised(message, ())
        kind = type(message)
        sieve = self._sieves.get(kind)
        if sieve is None:
            sieve = sieve_of(kind, self.covers, _REQUIRED_PARTS[kind] | {""}, ENVELOPE)
            self._sieves[kind] = sieve
        dropped: list[str] = []
        seen: Message = sieve(message, "", dropped)
        return Minimised(seen, tuple(dropped)) if dropped else Minimised(message, ())


class _Part(msgspec.Struct, frozen=True):
    """A field of a struct: ``step`` leads to it (``*`` for a list's index), ``inner`` is the
    struct that it holds, if it holds one."""

    name: str
    step: str
    required: bool
    inner: type[msgspec.Struct] | None


@cache
def _parts(struct: type[msgspec.Struct]) -> tuple[_Part, ...]:
    return tuple(map(_part, describe(struct).fields))


def _part(field: Field) -> _Part:
    step, shape = f"/{field.name}", field.shape
    while shape.form is Form.LIST and shape.item is not None:
        step, shape = f"{step}/*", shape.item
    return _Part(field.name, step, field.required, shape.struct)


def _required_parts(struct: type[msgspec.Struct], path: str) -> Iterator[str]:
    for part in _parts(struct):
        if part.inner is not None and part.required:
            yield path + part.step
            yield from _required_parts(part.inner, path + part.step)


_REQUIRED_PARTS = {kind: frozenset(_required_parts(kind, "")) for kind in KINDS.values()}
"""Paths of parts that must stay, empty if need be. What one kind requires, another may not."""
