"""JSON Schema (2020-12) generated from the compiled tree.

Groups are definitions. An array of several forms allows any of them, each with the value that
tells it from the others. What may be absent may be ``null``.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from translators.layout.plan import Content, Element, Plan, Slot, Value
from translators.layout.types import WireType

_DIGITS: Final = re.compile(r"(?P<sign>-\?)?\[0-9\]\{1,(?P<before>\d+)\}(?P<fraction>\(.*)?")
_NULL: Final[dict[str, Any]] = {"type": "null"}

Described = dict[str, Any]


def json_schema(plan: Plan) -> dict[str, bytes]:
    """The schema file by its name."""
    made = _Definitions(plan)
    described: Described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:luxor:schema:{plan.id}",
        "title": plan.title,
        **({"description": plan.standing} if plan.standing else {}),
        **made.document(),
        "$defs": dict(sorted(made.found.items())),
    }
    text = msgspec.json.format(msgspec.json.encode(described), indent=2)
    return {f"{plan.id}.schema.json": text + b"\n"}


class _Definitions:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.found: dict[str, Described] = {}

    def document(self) -> Described:
        """What a document is: an object, a message, or an array of messages."""
        if self._plan.array is not None:
            minimum, maximum = self._plan.array
            return _array(self._messages(), minimum, maximum)
        if not self._plan.chain:
            return self._messages()
        return self._object(self._plan.document)

    def _messages(self) -> Described:
        forms = [self._content(row.content) for row in self._plan.messages.rows]
        return forms[0] if len(forms) == 1 else {"anyOf": forms}

    def _content(self, content: Content) -> Described:
        """What stands at an element: its group's definition, or described there."""
        if content.group is None:
            return self._described(content)
        if content.group not in self.found:
            self.found[content.group] = {}  # holds the place
            self.found[content.group] = self._described(content)
        return {"$ref": f"#/$defs/{content.group}"}

    def _described(self, content: Content) -> Described:
        if content.text is not None:
            return _value(content.text)
        return self._object(content)

    def _object(self, content: Content, fixed: dict[str, str] | None = None) -> Described:
        """An object with its members; ``fixed`` are those that have one value."""
        members = {tag: self._slot(slot) for tag, slot in content.slots.items()}
        needed = [slot.tag for slot in content.slots.values() if _needed(slot)]
        for tag, value in (fixed or {}).items():
            members[tag] = {"const": value}
            needed += [] if tag in needed else [tag]
        described: Described = {"type": "object", "properties": members}
        if needed:
            described["required"] = needed
        if self._plan.refuse:
            described["additionalProperties"] = False
        return described

    def _slot(self, slot: Slot) -> Described:
        described = self._member(slot)
        return described if _needed(slot) else {"anyOf": [described, _NULL]}

    def _member(self, slot: Slot) -> Described:
        forms = [self._element(element) for element in slot.elements]
        described = forms[0] if len(forms) == 1 else {"anyOf": forms}
        if not slot.elements[0].listed:
            return described
        maxima = [element.maximum for element in slot.elements]
        known = [one for one in maxima if one is not None]
        minimum = sum(element.minimum for element in slot.elements)
        return _array(described, minimum, sum(known) if len(known) == len(maxima) else None)

    def _element(self, element: Element) -> Described:
        if element.messages is not None:
            return self._messages()
        if element.pairs is not None:
            assert element.content.text is not None
            text = _value(element.content.text)
            return {"type": "object", "additionalProperties": {"anyOf": [text, _NULL]}}
        if element.predicate is not None:
            return self._object(element.content, {element.predicate.name: element.predicate.value})
        return self._content(element.content)


def _needed(slot: Slot) -> bool:
    """True when a member must stand there."""
    return any(element.minimum and not _filled(element) for element in slot.elements)


def _filled(element: Element) -> bool:
    """True when a default stands for a value that is absent."""
    text = element.content.text
    if element.record is not None or text is None:
        return False
    verb = text.otherwise.verb if text.otherwise is not None else ""
    return text.default is not None or verb in ("position", "count", "sum")


def _array(entry: Described, minimum: int, maximum: int | None) -> Described:
    described: Described = {"type": "array", "items": entry}
    if minimum:
        described["minItems"] = minimum
    if maximum is not None:
        described["maxItems"] = maximum
    return described


def _value(value: Value) -> Described:
    kind, type_ = value.type.scalar, value.type
    described: Described = {"type": kind}
    if value.constant is not None:
        described["description"] = f"always {value.constant}"
        if value.firm:
            return described | {"const": _spelled(kind, value.constant)}
        if kind == "string" and value.whole:
            described["minLength"] = 1
        return described
    if kind == "boolean":
        return described | _codes(type_, lambda code: code == "true")
    if kind == "string":
        return described | _text(value)
    return described | _number(type_)


def _spelled(kind: str, text: str) -> object:
    return text if kind == "string" else msgspec.json.decode(text)


def _text(value: Value) -> Described:
    type_ = value.type
    if type_.values:
        return {"enum": list(type_.values)}
    closed = _codes(type_, str)
    if closed:
        return closed
    found: Described = {}
    must = value.required or value.whole
    if type_.base == "token" and must:
        found["minLength"] = type_.minimum or 1
    if type_.base == "token" and type_.maximum is not None:
        found["maxLength"] = type_.maximum
    if type_.pattern is not None:
        pattern = type_.pattern.replace("\\ ", " ")
        found["pattern"] = f"^(?:{pattern})$" if must else f"^(?:{pattern})?$"
    if type_.base == "base64Binary":
        found["contentEncoding"] = "base64"
    return found


def _number(type_: WireType) -> Described:
    """Bounds of a number; digits behind the point cannot be said exactly of binary numbers."""
    if type_.codes is not None:
        return _codes(type_, int)
    match = _DIGITS.fullmatch(type_.pattern or "")
    if match is None:
        return {}
    beyond = 10 ** int(match["before"])
    whole = {} if match["fraction"] else {"type": "integer"}
    low = {"exclusiveMinimum": -beyond} if match["sign"] else {"minimum": 0}
    return {**whole, **low, "exclusiveMaximum": beyond}


def _codes(type_: WireType, spelled: Any) -> Described:
    """The codes there are, when the table is closed."""
    if type_.codes is None or not type_.codes.closed:
        return {}
    return {"enum": [spelled(code) for code in type_.codes.wire]}
