"""Binding of a layout's lines to the canonical model: every path is checked, every leaf counted.

The same walk finds mistakes (unknown paths, types unlike the model's, required fields without a
line), the static ``drops``, and the bounds that the model gives to types without bounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from translators.layout.files import When
from translators.layout.grammar import Each, Expression, Index, Match, Path, Spec
from translators.layout.mistakes import Line, Mistakes
from translators.layout.paths import PathError, entry, is_leaf, missing, walk
from translators.layout.types import ValueFault, WireType
from translators.model import HEADER, SHAPES, Form, Shape, leaves

Specs = Mapping[str, tuple[Spec, ...]]
_IN_HEADER = "header:"


@dataclass(frozen=True)
class Frame:
    """A record that is open: its model type and its pointer, ``*`` for entries."""

    type: Shape
    pointer: str


@dataclass
class Bound:
    """What binding found out."""

    bounds: dict[Line, list[Shape]] = field(default_factory=dict)
    touched: dict[str, frozenset[str]] = field(default_factory=dict)
    """For each group of messages the leaves that it carries."""
    used: set[str] = field(default_factory=set)
    partial: bool = False
    counts_messages: bool = False


class Binder:
    """One walk over the groups of a layout, for one kind at a time."""

    def __init__(
        self,
        specs: Specs,
        types: Mapping[Line, WireType],
        mistakes: Mistakes,
        unsaid: Mapping[str, When],
    ) -> None:
        self._specs = specs
        self._unsaid = unsaid
        self._silent: set[str] = set()
        self._types = types
        self._mistakes = mistakes
        self.bound = Bound()
        self._touched: set[str] = set()
        self._header: set[str] = set()

    def document(self, group: str, frames: tuple[Frame, ...] = ()) -> None:
        """Bind the lines outside messages."""
        self.group(group, frames, ())
        self._required(HEADER, self._header, self._first(group), "header")

    def message(
        self, group: str, kind: str, given: Iterable[str] = (), *, shared: str | None = None
    ) -> None:
        """Bind one form of message; ``given`` are leaves that need no line, ``shared`` is the
        group of what its document says for all messages."""
        type_ = SHAPES[kind]
        self._touched = set(given)
        self._silent = set()
        self.group(group, (Frame(type_, ""),), ())
        if shared is not None:
            self.group(shared, (Frame(type_, ""),), ())
        self.bound.touched[group] = frozenset(self._touched)
        self._required(type_, self._touched, self._first(group), kind)

    def group(self, name: str, frames: tuple[Frame, ...], above: tuple[str, ...]) -> None:
        """Bind every line of a group in the records that are open."""
        self.bound.used.add(name)
        for spec in self._specs[name]:
            try:
                self._line(spec, frames, (*above, name))
            except PathError as error:
                self._mistakes.add(spec.line, str(error))
        if name in self._unsaid:
            self._silently(name, self._unsaid[name], frames, above)

    def _silently(
        self, group: str, when: When, frames: tuple[Frame, ...], above: tuple[str, ...]
    ) -> None:
        """Required fields that a document may leave unsaid."""
        for name, value in when.values.items():
            line = when.lines[name]
            fields = frames[-1].type.fields if frames else ()
            field_ = next((one for one in fields if one.name == name), None)
            lines = [spec for spec in self._specs[group] if spec.path and spec.path.shown == name]
            if field_ is None:
                self._mistakes.add(line, f"the record of [{group}] has no field {name!r}")
            elif not field_.required or field_.shape.form is not Form.TEXT or value is True:
                self._mistakes.add(line, "only a required text can be left unsaid")
            elif any(self._sayable(spec, str(value)) for spec in lines):
                self._mistakes.add(line, "the document could say that itself")
            else:
                self._silent.add(f"{frames[-1].pointer}/{name}")

    def _sayable(self, spec: Spec, text: str) -> bool:
        type_ = self._types[spec.line]
        if type_.codes is not None:
            return True
        try:
            type_.read(text)
        except ValueFault:
            return False
        return True

    def _line(self, spec: Spec, frames: tuple[Frame, ...], above: tuple[str, ...]) -> None:
        for expression in (spec.derived, spec.otherwise):
            if expression is not None:
                self._expression(expression, spec, frames)
        if spec.path is None or spec.path.messages or _of_messages(spec.path, frames):
            return
        if spec.type in self._specs:
            self._record(spec, spec.path, frames, above)
            return
        type_, _ = self._resolve(spec.path, frames)
        self._touch(spec.path, frames)
        if spec.part is not None:
            self.bound.partial = True
        if spec.join is not None or any(not _plain(part) for part in spec.path.parts):
            self.bound.partial = True
        if spec.path.up or spec.type == "choice":
            self.bound.partial = True
        if spec.type == "pairs":
            if type_.form is not Form.MAP:
                raise PathError(f"{spec.path.shown} is no map, so it has no pairs")
            assert type_.item is not None
            self.bound.bounds.setdefault(spec.line, []).append(type_.item)
        else:
            self._leaf(spec, spec.path, type_)
        for path in spec.also:
            self._also(spec, path, type_, frames)

    def _also(self, spec: Spec, path: Path, type_: Shape, frames: tuple[Frame, ...]) -> None:
        """Another place for the same value."""
        other, _ = self._resolve(path, frames)
        if path.up or path.header or spec.maximum != 1 or spec.join is not None:
            raise PathError("also is for single values of the same record")
        if other.form is not type_.form:
            raise PathError(f"{path.shown} is {other.form} with us, {type_.form} the other")
        self._touch(path, frames)
        self.bound.partial = True

    def _leaf(self, spec: Spec, path: Path, type_: Shape) -> None:
        inner = entry(type_)
        if inner is not None and spec.maximum == 1 and spec.join is None:
            raise PathError(
                f"{path.shown} is a list: mark it *, or say [n], [key=value], [] or join"
            )
        if inner is None and (spec.maximum != 1 or spec.join is not None):
            raise PathError(f"{path.shown} is no list")
        leaf = type_ if inner is None else inner
        if not is_leaf(leaf):
            raise PathError(f"{path.shown} is a record: name a group, or a field in it")
        wire = self._types[spec.line]
        if leaf.form not in wire.feeds:
            raise PathError(f"{path.shown} is {leaf.form} with us, not {wire.name}")
        self.bound.bounds.setdefault(spec.line, []).append(leaf)

    def _record(
        self, spec: Spec, path: Path, frames: tuple[Frame, ...], above: tuple[str, ...]
    ) -> None:
        if spec.type in above:
            raise PathError("groups that contain each other in a ring")
        if not path.parts and not path.header and not path.up:
            if spec.type in self._unsaid:
                raise PathError("what is left unsaid belongs to a group with a record of its own")
            self.group(spec.type, frames, above)
            return
        type_, pointer = self._resolve(path, frames)
        inner = entry(type_)
        if inner is not None and spec.maximum == 1:
            raise PathError(f"{path.shown} is a list: mark it *, or say [n] or [key=value]")
        if inner is None and spec.maximum != 1:
            raise PathError(f"{path.shown} is no list")
        if any(not _plain(part) for part in path.parts):
            self.bound.partial = True
            self._keys(path, frames)
        opened = Frame(type_, pointer) if inner is None else Frame(inner, f"{pointer}/*")
        self.group(spec.type, (*frames, opened), above)

    def _expression(self, expression: Expression, spec: Spec, frames: tuple[Frame, ...]) -> None:
        for path in expression.paths:
            if path.messages:
                self.bound.counts_messages = True
                if expression.verb != "count":
                    raise PathError("of messages only the count is known")
                continue
            type_, _ = self._resolve(path, frames)
            if expression.verb == "count" and entry(type_) is None:
                raise PathError(f"{path.shown} is no list")
            if expression.verb != "count" and not is_leaf(type_):
                raise PathError(f"{path.shown} is no value")
            if spec.otherwise is expression and expression.verb == "join":
                self._touch(path, frames)
                self.bound.partial = True

    def _frame(self, path: Path, frames: tuple[Frame, ...]) -> Frame:
        if path.header:
            return Frame(HEADER, _IN_HEADER)
        if not frames:
            raise PathError("outside messages a path is messages or starts with header")
        if path.up >= len(frames):
            raise PathError(f"{path.shown}: there is no record that far out")
        return frames[len(frames) - 1 - path.up]

    def _resolve(self, path: Path, frames: tuple[Frame, ...]) -> tuple[Shape, str]:
        frame = self._frame(path, frames)
        type_, pointer = walk(frame.type, path.parts)
        return type_, frame.pointer + pointer

    def _touch(self, path: Path, frames: tuple[Frame, ...]) -> None:
        """Count leaves as carried: those at the path, and the keys that ``[k=v]`` fixes."""
        frame = self._frame(path, frames)
        type_, pointer = walk(frame.type, path.parts)
        self._count(path for path, _ in leaves(type_, frame.pointer + pointer))
        self._keys(path, frames)

    def _keys(self, path: Path, frames: tuple[Frame, ...]) -> None:
        frame = self._frame(path, frames)
        for at, part in enumerate(path.parts):
            if isinstance(part, Match):
                _, pointer = walk(frame.type, path.parts[: at + 1])
                self._count([f"{frame.pointer}{pointer}/{part.key}"])

    def _count(self, pointers: Iterable[str]) -> None:
        for pointer in pointers:
            if pointer.startswith(_IN_HEADER):
                self._header.add(pointer.removeprefix(_IN_HEADER))
            else:
                self._touched.add(pointer)

    def _required(self, type_: Shape, touched: set[str], line: Line, what: str) -> None:
        """Every required field of every record that is ever opened must have a line."""
        for pointer in missing(type_, touched | self._silent):
            self._mistakes.add(line, f"{what} requires {pointer}, which has no line")

    def _first(self, group: str) -> Line:
        specs = self._specs[group]
        line = specs[0].line if specs else Line(group, "", "", "", 1)
        return Line(group, "", "", line.file, line.line)


def _of_messages(path: Path, frames: tuple[Frame, ...]) -> bool:
    """True for a line of a document that is about each of its messages."""
    if path.shared and frames:
        raise PathError("messages[] stands beside the line that leads to messages")
    return path.shared


def _plain(part: object) -> bool:
    return not isinstance(part, Index | Match | Each)
