"""What a layout says differently when its syntax is JSON: names, kinds of values, its head."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from translators.layout.grammar import NAME, Spec, unquote
from translators.layout.mistakes import Mistakes
from translators.layout.plan import Content, Element
from translators.layout.source import Source
from translators.layout.types import TypeMistake, WireType

KINDS: Final = ("string", "number")
"""What may stand last in a type: the kind of value that the document has for it."""
_QUOTED: Final = re.compile(r"[^\s/~{}\x00-\x1f](?:[^/~{}\x00-\x1f]{0,68}[^\s/~{}\x00-\x1f])?")
"""A quoted name of a member: all that a pointer shows unchanged, and no space around it."""
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]*)")
_WORDS: Final = frozenset({"true", "false"})
_NUMERIC: Final = frozenset({"int", "decimal", "mass"})


def member(written: str, *, attribute: bool = False) -> str:
    """The name of a member as a layout writes it; raises :class:`ValueError`."""
    if attribute:
        raise ValueError("JSON has no attributes")
    if len(written) > 1 and written[0] == written[-1] == "'":
        name = unquote(written)
        if _QUOTED.fullmatch(name):
            return name
    elif ":" in written:
        raise ValueError(f"JSON has no namespaces: {written!r} is written in single quotes")
    elif NAME.fullmatch(written):
        return written
    raise ValueError(f"{written!r} is no name of a member; others than plain ones stand in quotes")


def judge_head(source: Source, mistakes: Mistakes) -> None:
    """The head of a layout of JSON has neither a document element nor namespaces."""
    if "root" in source.header:
        mistakes.add(source.header_line("root"), "JSON has no document element")
    for line in source.roots:
        mistakes.add(line, "JSON has no document element")
    if source.namespaces:
        mistakes.add(source.header_line("namespaces"), "JSON has no namespaces")
    if source.header.get("numbers", "number") not in KINDS:
        mistakes.add(source.header_line("numbers"), "is one of number, string")


def split_kind(spec: Spec) -> tuple[Spec, str | None]:
    """A line without the kind that stands last in its type, and that kind."""
    if spec.arguments and spec.arguments[-1] in KINDS:
        return replace(spec, arguments=spec.arguments[:-1]), spec.arguments[-1]
    return spec, None


def with_scalar(type_: WireType, spec: Spec, kind: str | None, *, strings: bool) -> WireType:
    """The type with the kind of value that JSON has for it; raises :class:`TypeMistake`.

    ``kind`` is what the line says, ``strings`` whether numbers are texts when it says nothing.
    """
    if spec.constant is not None:
        return replace(type_, scalar=_constant(spec))
    if spec.derived is not None:
        verb = {"join": "string", "sum": "string" if strings else "number"}
        return replace(type_, scalar=verb.get(spec.derived.verb, "integer"))
    if spec.type in _NUMERIC:
        number = "integer" if spec.type == "int" else "number"
        texts = kind == "string" or (kind is None and strings and spec.type != "int")
        return replace(type_, scalar="string" if texts else number)
    if spec.type == "code":
        return replace(type_, scalar=_code(type_, kind))
    if spec.type == "flag":
        words = not spec.arguments and kind is None
        return replace(type_, scalar="boolean" if words else "string")
    if kind == "number":
        raise TypeMistake(f"{spec.type!r} is no number")
    return type_


def _constant(spec: Spec) -> str:
    text = spec.line.text.strip().lstrip("=").strip()
    if text in _WORDS:
        return "boolean"
    return "number" if _NUMBER.fullmatch(text) else "string"


def _code(type_: WireType, kind: str | None) -> str:
    assert type_.codes is not None
    codes = frozenset(type_.codes.wire)
    if kind is None and codes and codes <= _WORDS:
        return "boolean"
    if kind == "number":
        if not all(_INTEGER.fullmatch(code) for code in codes):
            raise TypeMistake(f"codes of {type_.codes.name} that are no whole numbers")
        return "integer"
    return "string"


def judge_contents(contents: Iterable[Content], mistakes: Mistakes) -> None:
    """A value of JSON is an object or a single value, never both."""
    for content in contents:
        if content.text is not None and content.slots:
            line = content.text.line
            mistakes.add(line, "a value of JSON has members or is a value of its own, not both")
        judge_contents((_inner(one) for one in content.elements()), mistakes)


def _inner(element: Element) -> Content:
    """What lines of the same group say below an element; groups are judged for themselves."""
    return Content({}, None, {}) if element.group is not None else element.content


def single(specs: Mapping[str, tuple[Spec, ...]], group: str) -> Spec | None:
    """The line ``"." = "messages …"`` of a document that is its message, or a list of them."""
    for spec in specs[group]:
        if spec.key.text and spec.path is not None and spec.path.messages:
            return spec
    return None
