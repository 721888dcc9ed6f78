"""Grammar of a layout line: ``KEY = "PATH MARKS : TYPE ARGUMENTS, option value"``.

Only syntax is judged here; whether a path, type or group exists is the compiler's matter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from translators.layout.mistakes import Line

NAME = re.compile(r"[^\W\d][\w.\-]*")
"""NCName (Namespaces in XML, 4) as far as layouts need it; no quote, brace or colon passes."""
_FIELD = re.compile(r"(?P<name>[a-z][a-z0-9_]*)(?:\[(?P<filter>[^\]]*)\])?")
_MARKS = re.compile(
    r"(?P<bare>!)|(?P<one>\|!?)|\*((?P<least>[1-9][0-9]{0,2})\.\.)?(?P<maximum>[0-9]{0,6})(?P<some>!?)"
)
_ID = re.compile(r"-|[A-Za-z0-9]{1,17}")
_EXPRESSIONS = frozenset({"count", "sum", "position", "join"})


class Qualify(Protocol):
    """Gives the Clark name of a written one; raises :class:`ValueError`."""

    def __call__(self, written: str, *, attribute: bool = False) -> str: ...


class GrammarError(ValueError):
    """A line that does not follow the grammar."""


@dataclass(frozen=True, slots=True)
class Predicate:
    """``[Child=V]`` or ``[@attr=V]`` behind an element name."""

    name: str
    attribute: bool
    value: str
    shown: str


@dataclass(frozen=True, slots=True)
class Step:
    """One element on the way to a value; ``shown`` is the name as written."""

    name: str
    shown: str
    predicate: Predicate | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """Left side: elements to walk through, then an attribute, own text or the last element."""

    steps: tuple[Step, ...]
    written: str
    attribute: str | None = None
    text: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """``[n]``: one entry of a list, from 0 here and from 1 as written."""

    number: int


@dataclass(frozen=True, slots=True)
class Match:
    """``[key=value]``: the entry of a list whose field ``key`` is ``value``."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Each:
    """``[]``: every entry of a list."""


Part = Field | Index | Match | Each


@dataclass(frozen=True, slots=True)
class Path:
    """A place with us: ``up`` enclosing records, then the parts; none of them: the record."""

    parts: tuple[Part, ...]
    up: int = 0
    header: bool = False
    shown: str = "."
    shared: bool = False
    """``messages[].a`` of a document: what it says once for all of its messages."""

    @property
    def messages(self) -> bool:
        """True for the reserved target ``messages``."""
        return self.shown == "messages"


@dataclass(frozen=True, slots=True)
class Expression:
    """A derived value: ``position``, ``count P``, ``sum P``, ``join P P``, or ``path P``."""

    verb: str
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Spec:
    """One line, parsed. ``maximum`` is ``None`` when it may repeat without limit."""

    line: Line
    key: Key
    path: Path | None = None
    minimum: int = 0
    maximum: int | None = 1
    type: str = "text"
    arguments: tuple[str, ...] = ()
    constant: str | None = None
    form: str | None = None
    """``|`` or ``|!``: of all forms of this element at most, or exactly, one stands."""
    firm: bool = False
    """``==``: another value than the constant is refused, not reported."""
    derived: Expression | None = None
    places: bool = False
    """``"="`` alone: here stands the child that the predicate names."""
    default: str | None = None
    otherwise: Expression | None = None
    join: str | None = None
    part: tuple[int, int | None] | None = None
    also: tuple[Path, ...] = ()
    """Other places with us that have the same value when the document does not say them."""
    ids: tuple[str, ...] = ()
    """What a standard calls the elements of the key, the outermost first; "" for those that it
    does not name (``id 67A/28A``, in which ``-`` names nothing)."""
    ids_within: tuple[tuple[str, str], ...] = ()
    """Keys of the line's group with their ids where that group stands here: ``Name=R031``."""


def placement(text: str) -> tuple[str, str | None, str]:
    """Split ``, after KEY`` or ``, before KEY`` off: the rest, the side, the anchor."""
    pieces = split(text, ",")
    for at, piece in enumerate(pieces):
        side, _, anchor = piece.strip().partition(" ")
        if at and side in ("after", "before"):
            return ",".join(pieces[:at] + pieces[at + 1 :]), side, unquote(anchor.strip())
    return text, None, ""


def parse(line: Line, qualify: Qualify) -> Spec:
    """Parse one line; raises :class:`GrammarError`."""
    key = parse_key(line.key, qualify)
    text = line.text.strip()
    if text.startswith("=="):
        return _firm(line, key, text[2:].strip())
    if text.startswith("="):
        return _fixed(line, key, text[1:].strip())
    left, *right = split(text, ":", limit=1)
    path_text, *marks = left.split() or [""]
    minimum, maximum = _occurs(marks)
    form = _form(marks)
    kind, *options = split(right[0], ",") if right else ["text"]
    type_name, *arguments = kind.split() or ["text"]
    found: dict[str, str] = {}
    for option in options:
        name, _, value = option.strip().partition(" ")
        if name not in ("default", "else", "join", "id", "part", "also") or name in found:
            raise GrammarError(f"unknown or repeated option {name!r}")
        if not value.strip():
            raise GrammarError(f"option {name!r} has no value")
        found[name] = value.strip()
    return Spec(
        line=line,
        key=key,
        path=parse_path(path_text),
        minimum=minimum,
        maximum=maximum,
        form=form,
        type=type_name,
        arguments=tuple(arguments),
        default=unquote(found["default"]) if "default" in found else None,
        otherwise=_otherwise(found["else"]) if "else" in found else None,
        join=unquote(found["join"]) if "join" in found else None,
        part=_part(found["part"]) if "part" in found else None,
        also=tuple(parse_path(one) for one in found.get("also", "").split()),
        ids=_ids(found["id"], key) if "id" in found else (),
        ids_within=_ids_within(found["id"]) if "id" in found else (),
    )


def _ids(text: str, key: Key) -> tuple[str, ...]:
    """One id for each element of the key."""
    ids = text.split(maxsplit=1)[0].split("/")
    if len(ids) != len(key.steps):
        raise GrammarError(f"{len(ids)} ids for {len(key.steps)} elements")
    if not all(_ID.fullmatch(one) for one in ids):
        raise GrammarError(f"not ids: {text!r}")
    return tuple("" if one == "-" else one for one in ids)


def line_ids(line: Line) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """The ids of a line that was parsed before: of its elements, and of its group's lines."""
    for option in split(line.text, ",")[1:]:
        name, _, text = option.strip().partition(" ")
        if name == "id":
            ids = text.split(maxsplit=1)[0].split("/")
            return tuple("" if one == "-" else one for one in ids), _ids_within(text)
    return (), ()


def _ids_within(text: str) -> tuple[tuple[str, str], ...]:
    pairs = [word.rpartition("=") for word in text.split()[1:]]
    if not all(key and _ID.fullmatch(one) for key, _, one in pairs):
        raise GrammarError(f"behind the ids stands KEY=ID: {text!r}")
    return tuple((key, one) for key, _, one in pairs)


def _part(text: str) -> tuple[int, int | None]:
    """``1..6``, or ``7..``: characters counted from 1."""
    first, dots, last = text.partition("..")
    if not dots or not first.isdigit() or not (last.isdigit() or not last):
        raise GrammarError(f"a part is 1..6, or 7.. for the rest, not {text!r}")
    if not 1 <= int(first) <= int(last or first):
        raise GrammarError(f"characters are counted from 1, upwards: {text!r}")
    return int(first), int(last) if last else None


def _firm(line: Line, key: Key, text: str) -> Spec:
    if not text:
        raise GrammarError("behind '==' stands what must stand there")
    return Spec(line=line, key=key, constant=unquote(text), firm=True)


def _fixed(line: Line, key: Key, text: str) -> Spec:
    words = text.split()
    if not text:
        return Spec(line=line, key=key, places=True)
    if words[0] in _EXPRESSIONS:
        return Spec(line=line, key=key, derived=_expression(words))
    return Spec(line=line, key=key, constant=unquote(text))


def _otherwise(text: str) -> Expression:
    words = text.split()
    if words[0] in _EXPRESSIONS:
        return _expression(words)
    if len(words) > 1:
        raise GrammarError(f"not an expression: {text!r}")
    return Expression("path", (parse_path(words[0]),))


def _expression(words: list[str]) -> Expression:
    verb, *paths = words
    wanted = {"position": (0, 0), "count": (1, 1), "sum": (1, 1), "join": (1, 9)}[verb]
    if not wanted[0] <= len(paths) <= wanted[1]:
        raise GrammarError(f"{verb!r} with {len(paths)} paths")
    return Expression(verb, tuple(parse_path(path) for path in paths))


def _occurs(marks: list[str]) -> tuple[int, int | None]:
    minimum, maximum = 0, 1
    result: int | None = maximum
    for mark in marks:
        match = _MARKS.fullmatch(mark)
        if match is None:
            raise GrammarError(f"unknown mark {mark!r}")
        if match["one"]:
            continue
        if match["bare"]:
            minimum = 1
            continue
        result = int(match["maximum"]) if match["maximum"] else None
        if result == 0:
            raise GrammarError("a maximum is at least 1")
        minimum = max(minimum, int(match["least"] or 0), int(bool(match["some"])))
        if result is not None and result < minimum:
            raise GrammarError(f"more at least than at most: {mark!r}")
    return minimum, result


def _form(marks: list[str]) -> str | None:
    found = [mark for mark in marks if mark.startswith("|")]
    if found and len(marks) > 1:
        raise GrammarError("'|' stands alone: of all forms one, or '|!' exactly one")
    return found[0] if found else None


def parse_key(text: str, qualify: Qualify) -> Key:
    """Parse a left side; raises :class:`GrammarError`."""
    if text == ".":
        return Key((), text, text=True)
    *wrappers, last = split(text, "/")
    try:
        steps = [_step(one, qualify) for one in wrappers]
        if last.startswith("@"):
            return Key(tuple(steps), text, qualify(last[1:], attribute=True))
        if last == ".":
            return Key(tuple(steps), text, text=True)
        return Key((*steps, _step(last, qualify)), text)
    except ValueError as error:
        raise GrammarError(str(error)) from error


def _step(text: str, qualify: Qualify) -> Step:
    name, bracket, rest = text.partition("[")
    if not bracket:
        return Step(qualify(name), name)
    child, equals, value = rest.removesuffix("]").partition("=")
    if not rest.endswith("]") or not equals or not value:
        raise GrammarError(f"not a predicate: {text!r}")
    attribute = child.startswith("@")
    child = child.removeprefix("@")
    return Step(
        qualify(name),
        name,
        Predicate(qualify(child, attribute=attribute), attribute, unquote(value), child),
    )


def parse_path(text: str) -> Path:
    """Parse a canonical path; raises :class:`GrammarError`."""
    rest = text.lstrip("^")
    up = len(text) - len(rest)
    if rest == "." and not up:
        return Path(())
    parts: list[Part] = []
    for piece in split(rest, "."):
        match = _FIELD.fullmatch(piece)
        if match is None:
            raise GrammarError(f"not a path: {text!r}")
        parts.append(Field(match["name"]))
        if match["filter"] is not None:
            parts.append(_filter(match["filter"], text))
    if not up and len(parts) > 2 and parts[:2] == [Field("messages"), Each()]:
        return Path(tuple(parts[2:]), shown=text, shared=True)
    header = isinstance(parts[0], Field) and parts[0].name == "header" and not up
    return Path(tuple(parts[1:] if header else parts), up, header, text)


def _filter(text: str, whole: str) -> Part:
    if not text:
        return Each()
    if text.isascii() and text.isdigit():
        if int(text) == 0:
            raise GrammarError(f"entries are counted from 1: {whole!r}")
        return Index(int(text) - 1)
    key, equals, value = text.partition("=")
    if not equals or not value or not _FIELD.fullmatch(key):
        raise GrammarError(f"not a path: {whole!r}")
    return Match(key, unquote(value))


def split(text: str, separator: str, *, limit: int = -1) -> list[str]:
    """Split at a separator that stands neither in brackets nor in single quotes."""
    pieces, start, depth, quoted = [], 0, 0, False
    for at, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif not quoted and letter == "[":
            depth += 1
        elif not quoted and letter == "]":
            depth -= 1
        elif letter == separator and not quoted and not depth and limit != 0:
            pieces.append(text[start:at])
            start = at + 1
            limit -= 1
    pieces.append(text[start:])
    return pieces


def unquote(text: str) -> str:
    """Take single quotes off."""
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1]
    return text
