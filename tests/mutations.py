"""Documents with one thing changed in them, by name of the change: what a sender may get wrong.

``mutants`` changes what a document says and leaves its syntax whole; ``garbled`` does not care.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from lxml import etree

from translators.xml import Node

Change = Callable[[Random, Node], bool]
"""Changes something at a node; false when there is nothing of the kind to change."""


def mutants(content: bytes, random: Random, number: int) -> Iterator[tuple[str, bytes]]:
    """So many documents, each changed in one place, with the name of the change."""
    syntax = _xml if content.lstrip().startswith(b"<") else _json
    made = 0
    while made < number:
        found = syntax(content, random)
        if found is not None:
            made += 1
            yield found


# XML


def _xml(content: bytes, random: Random) -> tuple[str, bytes] | None:
    root = etree.fromstring(content, etree.XMLParser(remove_blank_text=True))
    node = random.choice(list(root.iter("*")))
    name = random.choice(sorted(_XML))
    if not _XML[name](random, node):
        return None
    return name, etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _remove(_: Random, node: Node) -> bool:
    parent = node.getparent()
    if parent is not None:
        parent.remove(node)
    return parent is not None


def _repeat(_: Random, node: Node) -> bool:
    parent = node.getparent()
    if parent is not None:
        parent.insert(parent.index(node), etree.fromstring(etree.tostring(node)))
    return parent is not None


def _swap(_: Random, node: Node) -> bool:
    after = node.getnext()
    if after is None or after.tag == node.tag:
        return False
    after.addnext(node)
    return True


def _rename(_: Random, node: Node) -> bool:
    node.tag = f"{node.tag}x"
    return True


def _namespace(_: Random, node: Node) -> bool:
    node.tag = f"{{urn:other}}{etree.QName(node).localname}"
    return True


def _child(_: Random, node: Node) -> bool:
    etree.SubElement(node, node.tag).text = "7"
    return True


VALUES = ("", "null", "NaN", "-1", "1e5", "0.00000001", "x" * 6000, "+5", "2026-02-30", "EURO")


def _value(random: Random, node: Node) -> bool:
    if len(node):
        return False
    node.text = random.choice(VALUES)
    return True


def _attribute(random: Random, node: Node) -> bool:
    node.set(random.choice(["unheard-of", *map(str, node.attrib)]), random.choice(VALUES))
    return True


def _no_attribute(random: Random, node: Node) -> bool:
    if not node.attrib:
        return False
    del node.attrib[random.choice(sorted(map(str, node.attrib)))]
    return True


def _stray(_: Random, node: Node) -> bool:
    node.tail = "stray"
    return node.getparent() is not None


_XML: dict[str, Change] = {
    "removed": _remove,
    "repeated": _repeat,
    "changed places": _swap,
    "renamed": _rename,
    "in another namespace": _namespace,
    "with a child": _child,
    "with another value": _value,
    "with another attribute": _attribute,
    "without an attribute": _no_attribute,
    "with text behind it": _stray,
}


# JSON

JSON_VALUES: tuple[Any, ...] = (None, True, -1, 10**30, "", "x" * 6000, [], {}, [[]], {"x": 1}, "é")


def _json(content: bytes, random: Random) -> tuple[str, bytes] | None:
    root = json.loads(content)
    holders = [one for one in _below(root) if one]
    holder = random.choice(holders)
    name = random.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    change = random.choice(["removed", "renamed", "with another value", "with one more"])
    match change:
        case "removed":
            del holder[name]
        case "renamed" if isinstance(holder, dict):
            holder[f"{name}x"] = holder.pop(name)
        case "with one more" if isinstance(holder, dict):
            holder["unheard_of"] = random.choice(JSON_VALUES)
        case "with one more":
            holder.insert(name, random.choice(JSON_VALUES))
        case _:
            change = "with another value"
            holder[name] = random.choice(JSON_VALUES)
    return change, json.dumps(root).encode()


def _below(value: Any) -> Iterator[Any]:
    """Every object and list in a value."""
    if isinstance(value, dict | list):
        yield value
        for below in value.values() if isinstance(value, dict) else value:
            yield from _below(below)


# Protobuf


def record_mutants(content: bytes, random: Random, number: int) -> Iterator[tuple[str, bytes]]:
    """Bytes in which protobuf may find no message, or a field that it does not have."""
    for _ in range(number):
        changed = bytearray(content)
        name = random.choice(["cut", "flipped", "with another field"])
        at = random.randrange(len(changed))
        match name:
            case "cut":
                del changed[at:]
            case "flipped":
                changed[at] ^= 1 << random.randrange(8)
            case _:
                changed += b"\xfa\x7f\x01x"  # field 2047 of the document
        yield name, bytes(changed)


# Anything


def garbled(content: bytes, random: Random) -> bytes:
    """The document with up to three pieces of it spoilt, syntax and all."""
    changed = content
    for _ in range(random.randint(1, 3)):
        changed = random.choice(_GARBLERS)(changed, random)
    return changed


def _flip(content: bytes, random: Random) -> bytes:
    made = bytearray(content or b"\0")
    for _ in range(random.randint(1, 8)):
        made[random.randrange(len(made))] = random.randrange(256)
    return bytes(made)


def _cut(content: bytes, random: Random) -> bytes:
    start, end = sorted(random.randrange(len(content) + 1) for _ in range(2))
    return content[:start] + content[end:] if random.random() < 0.5 else content[:start]


def _double(content: bytes, random: Random) -> bytes:
    start, end = sorted(random.randrange(len(content) + 1) for _ in range(2))
    return content[:end] + content[start:end] + content[end:]


def _encode(content: bytes, random: Random) -> bytes:
    text = content.decode("latin-1" if random.random() < 0.3 else "utf-8", "replace")
    encoding = random.choice(["utf-16", "utf-16-le", "utf-32", "utf-7", "cp037", "utf-8-sig"])
    return text.encode(encoding, "replace")


def _insert(content: bytes, random: Random) -> bytes:
    at = random.randrange(len(content) + 1)
    return content[:at] + random.choice(POISON) + content[at:]


def _replace_value(content: bytes, random: Random) -> bytes:
    """One text or number between marks gives way to poison."""
    marks = [at for at, byte in enumerate(content) if byte in b'><":,']
    if len(marks) < 2:
        return content
    at = random.randrange(len(marks) - 1)
    return content[: marks[at] + 1] + random.choice(POISON) + content[marks[at + 1] :]


_GARBLERS = (_flip, _cut, _double, _encode, _insert, _insert, _replace_value, _replace_value)
POISON: tuple[bytes, ...] = (
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\\u0000",
    b"&#0;",
    b"&#xD800;",
    b"&lol;",
    b"&amp;" * 500,
    b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]>',
    b'<!DOCTYPE a SYSTEM "file:///etc/passwd">',
    b"<?xml version='1.1'?>",
    b"<![CDATA[]]]]><![CDATA[>]]>",
    b"<a>" * 3000,
    b"[" * 3000,
    b'{"a":' * 3000,
    b"9" * 5000,
    b"-0",
    b"1e999999999",
    b"0." + b"3" * 3000,
    b"Infinity",
    b"NaN",
    b"null",
    b'"\xe2\x80\xae"',
    b'"a":1,"a":2,',
    b"x" * 70_000,
    b" " * 5000,
    b" a='1' a='2'",
    b" xmlns:x='urn:y'",
    "\u0661\u0662\uff11".encode(),
    b"9999-12-31T23:59:60-99:99",
    b"0000-00-00",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
)
"""Pieces that broke readers before: entities, depth, digits, halves of characters, bare NULs."""
