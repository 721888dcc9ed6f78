"""JSON as the reference reader and writer see it.

Members are child nodes, arrays are nodes of one name, and a value has one kind: text, number or
truth value. ``null`` says the same as a member that is not there, and so does an empty array
where one is expected. What is built is JSON text: of an object its members, else the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from translators.layout.json_nodes import JsonNode, scalars
from translators.layout.notation import MARK, Wrong
from translators.layout.records import owner, reach
from translators.pointer import child as below

if TYPE_CHECKING:
    from translators.layout.plan import Content, Element, Plan, Value
    from translators.layout.records import Record
    from translators.layout.reference import ReferenceReader
    from translators.layout.writing import Built

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
"""A number of JSON (RFC 8259, 6) without an exponent."""
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_KINDS: Mapping[str, Any] = {"number": int | Decimal, "integer": int}
_WORDS = {
    "string": "a text is expected",
    "number": "a number is expected",
    "integer": "a whole number is expected",
    "boolean": "true or false is expected",
}


class JsonNotation:
    """Objects, arrays and values."""

    def children(self, content: Content, node: JsonNode) -> Iterable[JsonNode]:
        """The members but for those that are as if they were not there."""
        for one in node:
            slot = content.slots.get(one.tag)
            empty = one.value is None or (one.value == [] and slot and slot.elements[0].listed)
            if slot is None or one.listed or not empty:
                yield one

    def below(self, where: str, node: JsonNode, name: str, number: int | None) -> str:
        """The pointer of the node itself."""
        del where, name, number
        return node.pointer

    def check(self, element: Element, node: JsonNode) -> None:
        """The kind of value that the line wants; raises :class:`Wrong`."""
        if element.listed != node.listed:
            what = "an array is expected" if element.listed else "an array stands where none may"
            raise Wrong("value.type", what)
        text = element.content.text
        if text is None or element.pairs is not None:
            if not isinstance(node.value, dict):
                raise Wrong("value.type", "an object is expected")
        else:
            check_scalar(text, node.value)

    def pairs(
        self, reader: ReferenceReader, element: Element, node: JsonNode, record: Record, where: str
    ) -> None:
        """The members of an object: their names are those of the pairs."""
        assert element.record is not None
        place = reach(owner(element.record, record, reader.header), element.record.parts)
        findings = reader.findings
        found: dict[str, str] = {}
        for name, value in node.value.items():
            here = below(where, name)
            pointer = below(place.pointer, name)
            line = JsonNode(name, value, here, node.lines).sourceline
            if value is None:
                continue
            if not isinstance(value, str) or not value.strip() or name != name.strip() or not name:
                findings.faulty += sum(1 for _ in scalars(value, here))
                empty = isinstance(value, str) and not value.strip()
                code = "value.empty" if empty or not name else "value.type"
                detail = "a name and a text are expected"
                findings.fault(code, here, line, path=pointer, detail=detail)
                findings.written[pointer] = ""
            else:
                found[name] = value.strip()
                findings.places[pointer] = (here, line)
                findings.carried += 1
        if found:
            place.put({**(place.value or {}), **found})
            findings.places.setdefault(place.pointer, (where, node.sourceline))

    def values(self, node: JsonNode, where: str, plan: Plan) -> Iterator[str]:
        """Every value that is not null or blank."""
        del where, plan
        return scalars(node.value, node.pointer)

    def message(self, plan: Plan, ordinal: int) -> str:
        """Through the names around it."""
        names = "".join(below("", element.tag) for element in plan.chain)
        listed = plan.chain[-1].listed if plan.chain else plan.array
        return f"{names}/{ordinal - 1}" if listed else names

    def put_text(self, into: Built, value: Value, text: str) -> None:
        """The value in its kind."""
        into.inner = written(value.type.scalar, text)

    def put_child(self, into: Built, element: Element, built: Built) -> None:
        """A member, or one entry more of an array."""
        self._put(into, element, finished(built.inner))

    def put_pair(self, into: Built, element: Element, name: str, text: str) -> None:
        """A member of the object of pairs."""
        members = into.inner or {}
        members.setdefault(element.tag, {})[name] = written("string", text)
        into.inner = members

    def put_mark(self, into: Built, element: Element) -> None:
        """The messages stand there, in an array when there may be several."""
        self._put(into, element, MARK)

    def _put(self, into: Built, element: Element, text: str) -> None:
        members: dict[str, Any] = into.inner or {}
        if element.listed:
            members.setdefault(element.tag, []).append(text)
        else:
            members[element.tag] = text
        into.inner = members

    def around(self, plan: Plan, built: Built) -> tuple[str, str]:
        """The start of the document and its end."""
        if plan.array:
            return "[\n", "]\n"
        before, _, after = finished(built.inner).partition(MARK)
        return f"{before}\n", f"{after}\n"

    def one(self, plan: Plan, built: Built, ordinal: int) -> str:
        """One message, after a comma when it is not the first."""
        del plan
        comma = "" if ordinal == 1 else ","
        return f"{comma}{finished(built.inner)}\n"

    def only(self, plan: Plan, around: Built, built: Built) -> str:
        """The message is the document."""
        del plan, around
        return f"{finished(built.inner)}\n"


def check_scalar(value: Value, found: Any) -> None:
    """Whether a value is of the kind that a line wants; raises :class:`Wrong`."""
    wanted = value.type.scalar
    if wanted == "string":
        if not isinstance(found, str):
            raise Wrong("value.type", _WORDS[wanted])
        _padding(value, found)
    elif wanted == "boolean":
        if not isinstance(found, bool):
            raise Wrong("value.type", _WORDS[wanted])
    elif isinstance(found, float):
        raise Wrong("value.type", "a number with an exponent")
    elif isinstance(found, bool) or not isinstance(found, _KINDS[wanted]):
        raise Wrong("value.type", _WORDS[wanted])


def _padding(value: Value, text: str) -> None:
    """Space around a text is left out of free text alone, and counts for its length."""
    trimmed = text.strip()
    if trimmed == text or not trimmed:
        return
    plain = value.path is not None and value.choice is None and not value.chosen
    if not plain or value.type.pattern is not None or value.type.codes is not None:
        raise Wrong("value.pattern", "space around it")
    if value.type.maximum is not None and len(text) > value.type.maximum:
        detail = f"{len(text)} characters, at most {value.type.maximum}"
        raise Wrong("value.too-long", detail)


def written(kind: str, text: str) -> str:
    """A value as JSON text; raises :class:`Wrong`."""
    if kind == "string":
        try:
            return msgspec.json.encode(text).decode()
        except UnicodeEncodeError as error:
            raise Wrong("value.character", "a character that JSON cannot carry") from error
    wanted = {"number": _NUMBER, "integer": _INTEGER}.get(kind)
    fits = text in ("true", "false") if wanted is None else wanted.fullmatch(text)
    if not fits:
        raise Wrong("value.type", f"here {_WORDS[kind]}")
    return text


def finished(inner: Any) -> str:
    """JSON text of what was built: a value as it is, members as an object."""
    if isinstance(inner, str):
        return inner or "{}"
    return "{" + ",".join(f"{_name(name)}:{_member(one)}" for name, one in inner.items()) + "}"


def _member(one: Any) -> str:
    if isinstance(one, list):
        return f"[{','.join(one)}]"
    return one if isinstance(one, str) else finished(one)


@lru_cache(maxsize=4096)
def _name(name: str) -> str:
    return msgspec.json.encode(name).decode()
