"""XML Schema generated from the compiled tree: one file for each namespace.

A group is a named type, a wrapper an anonymous one, elements of one name at one place are one
repeated element with the union of what they hold. Text is ``xs:token``, as published schemas
and padded values want it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lxml import etree

from translators.layout.plan import Content, Element, Plan, Slot, Value
from translators.layout.types import WireType, make
from translators.layout.union import content_of, union
from translators.xml import Node

XS = "{http://www.w3.org/2001/XMLSchema}"


def schema(plans: Sequence[Plan]) -> dict[str, bytes]:
    """Schema files by name; the first is that of the document elements, which are those of the
    plans of one layout."""
    return _Schemas(plans).files()


class _Schemas:
    def __init__(self, plans: Sequence[Plan]) -> None:
        self._plans = plans
        self._plan = plans[0]
        self._roots: dict[str, Node] = {}
        self._prefixes: dict[str, str] = {}
        self._simple: set[tuple[str, str]] = set()
        self._groups: set[tuple[str, str]] = set()
        self._global: dict[str, list[Content]] = {}
        self._done: set[str] = set()
        self._imports: dict[str, set[str]] = {}

    def files(self) -> dict[str, bytes]:
        for plan in self._plans:
            rows = tuple(row.content for row in plan.messages.rows)
            root = plan.document if plan.chain else _joined(plan.document, union(rows))
            self._schema(_uri(plan.root))
            self._reference(plan.root, root)
        while waiting := [tag for tag in self._global if tag not in self._done]:
            for tag in waiting:
                self._done.add(tag)
                self._declare(tag, union(tuple(self._global[tag])))
        return {self._file(uri): self._bytes(uri) for uri in self._roots}

    def _schema(self, uri: str) -> Node:
        """The ``xs:schema`` element of a namespace."""
        if uri not in self._roots:
            prefix = f"n{len(self._prefixes)}"
            for known, found in self._plan.namespaces.items():
                if found == uri:
                    prefix = "t" if known == "default" else known
            self._prefixes[uri] = prefix
            nsmap = {"xs": XS[1:-1]} | ({prefix: uri} if uri else {})
            made = etree.Element(f"{XS}schema", nsmap=nsmap)
            if uri:
                made.set("targetNamespace", uri)
            made.set("elementFormDefault", "qualified")
            note = etree.SubElement(etree.SubElement(made, f"{XS}annotation"), f"{XS}documentation")
            note.text = f"{self._plan.id}: {self._plan.title}. {self._plan.standing}"
            self._roots[uri] = made
        return self._roots[uri]

    def _file(self, uri: str) -> str:
        if uri == _uri(self._plan.root):
            return f"{self._plan.id}.xsd"
        return f"{self._plan.id}.{self._prefixes[uri]}.xsd"

    def _bytes(self, uri: str) -> bytes:
        made = self._roots[uri]
        for other in sorted(self._imports.get(uri, ()), reverse=True):
            imported = etree.Element(f"{XS}import", schemaLocation=self._file(other))
            if other:
                imported.set("namespace", other)
            made.insert(1, imported)
        etree.indent(made)
        return etree.tostring(made, xml_declaration=True, encoding="UTF-8", pretty_print=True)

    def _name(self, uri: str, local: str, *, within: str) -> str:
        """A name of one namespace as a schema of another refers to it."""
        self._schema(uri)
        if uri != within:
            self._imports.setdefault(within, set()).add(uri)
        if not uri:
            return local
        prefix = self._prefixes[uri]
        root = self._roots[within]
        if prefix not in root.nsmap:
            self._roots[within] = _with_prefix(root, prefix, uri)
        return f"{prefix}:{local}"

    def _reference(self, tag: str, content: Content) -> None:
        self._schema(_uri(tag))
        known = self._global.setdefault(tag, [])
        if all(one is not content for one in known):
            known.append(content)

    def _declare(self, tag: str, content: Content) -> None:
        uri = _uri(tag)
        made = etree.SubElement(self._schema(uri), f"{XS}element", name=_local(tag))
        self._typed(made, content, uri)

    def _typed(self, made: Node, content: Content, within: str) -> None:
        """Give an element its type: simple, a group's, or an anonymous one."""
        if content.text is not None and not content.attributes and not content.slots:
            made.set("type", self._value(content.text, within))
        elif content.group is not None:
            uri = self._home(content, within)
            made.set("type", self._name(uri, self._group(content, uri), within=within))
        else:
            self._complex(etree.SubElement(made, f"{XS}complexType"), content, within)

    def _home(self, content: Content, within: str) -> str:
        """The namespace in which a group's type lives: that of its first element."""
        return next((_uri(tag) for tag in content.slots), within)

    def _group(self, content: Content, uri: str) -> str:
        name = content.group
        assert name is not None
        if (uri, name) not in self._groups:
            self._groups.add((uri, name))
            self._schema(uri)
            made = etree.Element(f"{XS}complexType", name=name)
            self._complex(made, content, uri)
            self._schema(uri).append(made)
        return name

    def _complex(self, made: Node, content: Content, within: str) -> None:
        holder = made
        if content.text is not None and not content.slots:
            simple = etree.SubElement(made, f"{XS}simpleContent")
            base = self._value(content.text, within)
            holder = etree.SubElement(simple, f"{XS}extension", base=base)
        elif content.slots:
            if content.text is not None:
                made.set("mixed", "true")
            sequence = etree.SubElement(made, f"{XS}sequence")
            for slot in content.slots.values():
                self._slot(sequence, slot, within)
        for tag, value in content.attributes.items():
            self._attribute(holder, tag, value, within)

    def _slot(self, sequence: Node, slot: Slot, within: str) -> None:
        uri = _uri(slot.tag)
        content = union(tuple(content_of(element) for element in slot.elements))
        made = etree.SubElement(sequence, f"{XS}element")
        if uri == within:
            made.set("name", _local(slot.tag))
            pairs = slot.elements[0].pairs
            if pairs is not None:
                self._pairs(made, slot.elements[0], pairs, within)
            else:
                self._typed(made, content, within)
        else:
            self._reference(slot.tag, content)
            made.set("ref", self._name(uri, _local(slot.tag), within=within))
        if slot.minimum != 1:
            made.set("minOccurs", str(slot.minimum))
        if slot.maximum is None:
            made.set("maxOccurs", "unbounded")
        elif slot.maximum != 1:
            made.set("maxOccurs", str(slot.maximum))

    def _pairs(self, made: Node, element: Element, attribute: str, within: str) -> None:
        assert element.content.text is not None
        complex_ = etree.SubElement(made, f"{XS}complexType")
        simple = etree.SubElement(complex_, f"{XS}simpleContent")
        base = self._value(element.content.text, within)
        extension = etree.SubElement(simple, f"{XS}extension", base=base)
        key = self._simple_type(make("text", ()), within)
        etree.SubElement(extension, f"{XS}attribute", name=attribute, type=key, use="required")

    def _attribute(self, holder: Node, tag: str, value: Value, within: str) -> None:
        uri, type_ = _uri(tag), self._value(value, within, text=False)
        made = etree.SubElement(holder, f"{XS}attribute")
        if uri:
            # An attribute of a namespace is declared where that namespace is.
            self._schema(uri)
            if not self._roots[uri].findall(f"{XS}attribute[@name='{_local(tag)}']"):
                there = self._value(value, uri, text=False)
                etree.SubElement(self._roots[uri], f"{XS}attribute", name=_local(tag), type=there)
            made.set("ref", self._name(uri, _local(tag), within=within))
        else:
            made.set("name", tag)
            made.set("type", type_)
        if value.required and value.default is None:
            made.set("use", "required")

    def _value(self, value: Value, within: str, *, text: bool = True) -> str:
        """The name of the simple type of a value."""
        found = self._simple_type(value.type, within)
        if text and not value.required and not (value.whole and self._plan.refuse):
            # Where unknown things are reported, an empty element is reported too.
            return self._or_empty(found, within)
        return found

    def _or_empty(self, found: str, within: str) -> str:
        name = f"{found.rpartition(':')[2]}.or-empty"
        root = self._schema(within)
        if not any(one.get("name") == name for one in root):
            made = etree.SubElement(root, f"{XS}simpleType", name=name)
            joined = etree.SubElement(made, f"{XS}union", memberTypes=found)
            empty = etree.SubElement(joined, f"{XS}simpleType")
            bound = etree.SubElement(empty, f"{XS}restriction", base="xs:token")
            etree.SubElement(bound, f"{XS}maxLength", value="0")
        return self._name(within, name, within=within)

    def _simple_type(self, type_: WireType, within: str) -> str:
        shown = _type_name(type_)
        if (within, shown) not in self._simple:
            self._simple.add((within, shown))
            made = etree.SubElement(self._schema(within), f"{XS}simpleType", name=shown)
            bound = etree.SubElement(made, f"{XS}restriction", base=f"xs:{type_.base}")
            _facets(bound, type_)
        return self._name(within, shown, within=within)


def _facets(bound: Node, type_: WireType) -> None:
    values = type_.values
    if type_.codes is not None and type_.codes.closed:
        values = tuple(type_.codes.wire)
    for value in values:
        etree.SubElement(bound, f"{XS}enumeration", value=value)
    if values:
        return
    if type_.base == "token":
        if type_.minimum is not None:
            etree.SubElement(bound, f"{XS}minLength", value=str(type_.minimum))
        if type_.maximum is not None:
            etree.SubElement(bound, f"{XS}maxLength", value=str(type_.maximum))
    if type_.pattern is not None:
        pattern = type_.pattern.replace("\\ ", " ")
        etree.SubElement(bound, f"{XS}pattern", value=pattern)


def _type_name(type_: WireType) -> str:
    """A name for a simple type that says what it is; unlike any group's, by its ending."""
    closed = ".closed" if type_.codes is not None and type_.codes.closed else ""
    name = re.sub(r"[^\w.\-]+", ".", type_.name)
    if type_.maximum is not None and not name.endswith(f"{type_.maximum}"):
        name += f".{type_.maximum}"
    return f"{name}{closed}.type"


def _joined(document: Content, message: Content) -> Content:
    """The root's own attributes with the content of the message that it is."""
    return Content({**document.attributes, **message.attributes}, message.text, message.slots, None)


def _uri(tag: str) -> str:
    return tag[1:].partition("}")[0] if tag.startswith("{") else ""


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _with_prefix(root: Node, prefix: str, uri: str) -> Node:
    """The same schema element with one more prefix declared."""
    nsmap: Any = {**root.nsmap, prefix: uri}
    made = etree.Element(root.tag, nsmap=nsmap)
    for name, value in root.attrib.items():
        made.set(name, value)
    made.extend(list(root))
    return made
