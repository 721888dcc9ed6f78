"""WCO pointers and canonical paths: chains of sections translated in both directions.

A chain such as 42A, 67A, 68A/3, 23A, 21A/2 with the tag 145 says: of the third goods item the
code of the second classification. With us that is ``/items/2/classifications/0/code``. What a
layout does not know, or a sequence number does not decide, has no path; the chain stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from translators.canonical import Message, Pointer
from translators.faults import Note, NoteKind
from translators.layout.sections import ENTRY, Section
from translators.pointer import child
from translators.translator import Entry, Reading, Report

_NUMBER = re.compile(r"0|[1-9][0-9]{0,4}")
_Change = Callable[[str, tuple[Pointer, ...]], tuple[Pointer, ...]]


@dataclass(frozen=True)
class Target:
    """A layout whose ids pointers may use. ``kind`` is named in a pointer that leads into its
    own message, and ``None`` where it leads into the one that is spoken of."""

    root: Section
    kind: str | None = None


class Pointers:
    """Translates the chains of one format."""

    def __init__(self, targets: tuple[Target, ...]) -> None:
        self._targets = targets

    def find_path(self, chain: Sequence[Pointer]) -> tuple[str, str | None] | None:
        """The canonical path that a chain leads to and the kind to name with it."""
        for target in self._targets:
            if chain and chain[0].section == target.root.id:
                path = _path(target.root, chain)
                return None if path is None else (path, target.kind)
        return None

    def find_chain(self, path: str, kind: str | None = None) -> tuple[Pointer, ...] | None:
        """The chain that leads to a canonical path, without numbers where nothing repeats."""
        steps = tuple(path.split("/")[1:])
        for target in self._targets:
            if target.kind == kind:
                return _chain(target.root, steps)
        return None

    def read(self, readings: Iterable[Reading]) -> Iterator[Reading]:
        """What was read, with the path of each chain at its last pointer."""
        for one in readings:
            if isinstance(one, Entry) and one.message is not None:
                message = _mapped(one.message, "", lambda _, chain: self._with_path(chain))
                if message is not one.message:
                    one = msgspec.structs.replace(one, message=message)
            yield one

    def write(self, messages: Iterable[Message], report: Report | None) -> Iterable[Message]:
        """Messages as they are to be written: paths gone where a chain says the same, and
        chains where there were only paths. What is sized stays so."""
        made = (self._written(one, report, at) for at, one in enumerate(messages, start=1))
        return list(made) if isinstance(messages, Sized) else made

    def _written(self, message: Message, report: Report | None, ordinal: int) -> Message:
        def one(pointer: str, chain: tuple[Pointer, ...]) -> tuple[Pointer, ...]:
            made, lost = self._without_path(chain)
            if report is not None:
                for at in lost:
                    report(_dropped(child(pointer, at), ordinal))
            return made

        found: Message = _mapped(message, "", one)
        return found

    def _with_path(self, chain: tuple[Pointer, ...]) -> tuple[Pointer, ...]:
        found = self.find_path(chain)
        if found is None:
            return chain
        path, kind = found
        last = msgspec.structs.replace(chain[-1], path=path, kind=kind)
        return (*chain[:-1], last)

    def _without_path(
        self, chain: tuple[Pointer, ...]
    ) -> tuple[tuple[Pointer, ...], tuple[int, ...]]:
        """What is written, and the entries whose path is not in it."""
        stepwise = [one for one in chain if not _bare(one)]
        if not stepwise:
            for at, one in enumerate(chain):
                made = None if one.path is None else self.find_chain(one.path, one.kind)
                if made is not None:
                    return made, tuple(other for other in range(len(chain)) if other != at)
            return (), tuple(range(len(chain)))
        raw = tuple(msgspec.structs.replace(one, path=None, kind=None) for one in stepwise)
        found = self.find_path(raw)
        said = {(one.path, one.kind) for one in chain if one.path is not None}
        if said <= {found}:
            return raw, ()
        lost = [at for at, one in enumerate(chain) if one.path and (one.path, one.kind) != found]
        return raw, tuple(lost)


def _dropped(path: str, ordinal: int) -> Note:
    detail = "a chain leads to one place; this one is another, or has no chain"
    return Note(kind=NoteKind.DROPPED, path=path, detail=detail, ordinal=ordinal)


def _bare(pointer: Pointer) -> bool:
    """True for a pointer that is only a path, or nothing."""
    return pointer.section is None and pointer.tag is None and pointer.sequence is None


def _path(root: Section, chain: Sequence[Pointer]) -> str | None:
    if (chain[0].sequence or 1) != 1:
        return None
    place, indices = root, []
    for at, pointer in enumerate(chain):
        if at:
            step = _step(place, pointer.section, pointer.sequence)
            if step is None:
                return None
            place, index = step
            indices += index
        if pointer.tag is not None:
            step = _step(place, pointer.tag, None)
            if step is None or at + 1 < len(chain):
                return None
            place = step[0]
    if not place.own or place.steps.count(ENTRY) != len(indices):
        return None
    numbers = iter(indices)
    return "".join(f"/{next(numbers) if one == ENTRY else one}" for one in place.steps)


def _step(
    place: Section, id_: str | None, sequence: int | None
) -> tuple[Section, list[int]] | None:
    """The place below with an id, and its index when it is an entry."""
    below = place.below.get(id_ or "", ())
    if not below:
        return None
    for section in below:
        if section.several:
            if sequence is not None and sequence > section.before:
                return section, [sequence - section.before - 1]
        elif (sequence is None and len(below) == 1) or (sequence or 1) == section.before + 1:
            return section, []
    return None


def _chain(root: Section, steps: tuple[str, ...]) -> tuple[Pointer, ...] | None:
    """The chain to a place, the most exact one."""
    found = list(_chains(root, steps, ()))
    return max(found, key=_exactness) if found else None


def _exactness(chain: tuple[Pointer, ...]) -> int:
    return len(chain) + sum(one.tag is not None for one in chain)


def _chains(
    place: Section, steps: tuple[str, ...], so_far: tuple[tuple[Section, int | None], ...]
) -> Iterator[tuple[Pointer, ...]]:
    index = None
    if place.several:
        at = len(place.steps) - 1
        if not _along(place.steps, steps) or not _NUMBER.fullmatch(steps[at]):
            return
        index = int(steps[at])
    here = (*so_far, (place, index))
    whole = len(place.steps) == len(steps) or not place.below
    if place.own and whole and _along(place.steps, steps):
        yield _pointers(here)
    # What is in a record may stand with us in the one around it.
    for sections in place.below.values():
        for section in sections:
            yield from _chains(section, steps, here)


def _along(known: tuple[str, ...], steps: tuple[str, ...]) -> bool:
    return len(known) <= len(steps) and all(
        one in (ENTRY, other) for one, other in zip(known, steps, strict=False)
    )


def _pointers(places: tuple[tuple[Section, int | None], ...]) -> tuple[Pointer, ...]:
    """Sections as pointers; what has nothing in it is the tag of the section around it."""
    made: list[Pointer] = []
    for at, (place, index) in enumerate(places):
        sequence = None if index is None else place.before + index + 1
        if at and not place.several and len(places[at - 1][0].below[place.id]) > 1:
            # A form that has a list of its namesakes behind it: the first of them all.
            sequence = 1
        if at and at + 1 == len(places) and not place.below and not place.several:
            made[-1] = msgspec.structs.replace(made[-1], tag=place.id)
        else:
            made.append(Pointer(section=place.id, sequence=sequence))
    return tuple(made)


def _mapped(value: Any, pointer: str, change: _Change) -> Any:
    """The same value with every chain changed; the very same where nothing is."""
    if isinstance(value, tuple):
        if value and isinstance(value[0], Pointer):
            return change(pointer, value)
        entries = [_mapped(one, child(pointer, at), change) for at, one in enumerate(value)]
        same = all(one is other for one, other in zip(entries, value, strict=True))
        return value if same else tuple(entries)
    if not isinstance(value, msgspec.Struct):
        return value
    changed = {}
    for name in _leading(type(value)):
        before = getattr(value, name)
        after = _mapped(before, child(pointer, name), change) if before else before
        if after is not before:
            changed[name] = after
    return msgspec.structs.replace(value, **changed) if changed else value


@cache
def _leading(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    """Fields through which a chain may be reached."""
    return tuple(
        field.name
        for field in msgspec.structs.fields(struct)
        if any(_holds(one, ()) for one in _structs(field.type))
    )


def _holds(struct: type[msgspec.Struct], above: tuple[type[msgspec.Struct], ...]) -> bool:
    if struct is Pointer:
        return True
    if struct in above:
        return False
    return any(
        _holds(one, (*above, struct))
        for field in msgspec.structs.fields(struct)
        for one in _structs(field.type)
    )


def _structs(annotation: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        yield annotation
    for one in getattr(annotation, "__args__", ()):
        yield from _structs(one)
