"""Documents drawn from the tables of published elements: their order, occurrence and facets.

Nothing here knows our layouts, so that what they cannot carry would be seen.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from lxml import etree

from tests.conformance.ics2 import NAMESPACE
from tests.data import data_file
from translators.xml import Node

_TEXTS = ("Müller & Söhne", "東京都千代田区", "a < b > c", 'he said "no"', "Plain text", "x")
_COUNTRIES = ("FR", "BE", "JP", "EG", "BR")
_MOMENT = r"\d{4}-\d\d-\d\dT"
_CODES = MappingProxyType({"typeOfPerson": ("1", "2", "3")})
"""Elements whose published facet is wider than the public code list that we hold them to."""
_MANY = 3
"""Most repetitions that are drawn."""


@dataclass
class Part:
    """One published element: how often it stands, and what stands in it."""

    name: str
    least: int
    most: int
    base: str
    facets: dict[str, str]
    parts: list[Part] = field(default_factory=list)
    amount: bool = False


def tree(table: str) -> Part:
    """The published elements of one message or type, the outermost first."""
    lines = data_file("element-trees", f"ics2-{table}.tsv").read_text("utf-8").splitlines()
    found: dict[str, Part] = {}
    for line in lines[1:]:
        path, occurs, type_name, base, facets = line.split("\t")[:5]
        least, most = occurs.split("..")
        part = Part(
            path.rpartition("/")[2],
            int(least),
            int(most),
            base or type_name,
            dict(one.split("=", 1) for one in _split(facets)),
            amount=type_name in ("PostalValueType", "PostalChargesType"),
        )
        found[path] = part
        above = path.rpartition("/")[0]
        if above:
            found[above].parts.append(part)
    return next(iter(found.values()))


def _split(facets: str) -> list[str]:
    return re.findall(r"(?:pattern|\w+)=\S+", facets)


def leaves(part: Part, above: str = "") -> set[str]:
    """Paths, below the outermost, of the elements that hold a value."""
    found = set()
    for one in part.parts:
        path = f"{above}{one.name}"
        found |= leaves(one, f"{path}/") if one.parts else {path}
    return found


class Drawer:
    """Draws documents by a seed; what elements hold of which we take less than is published."""

    def __init__(self, seed: int, narrower: Mapping[str, tuple[str, ...]] = _CODES) -> None:
        self._random = random.Random(seed)
        self._narrower = narrower

    def document(self, part: Part) -> Node:
        """One element with all that must and some of what may stand in it."""
        nsmap: Any = {None: NAMESPACE}
        node = etree.Element(f"{{{NAMESPACE}}}{part.name}", nsmap=nsmap)
        self._fill(node, part)
        return node

    def _fill(self, node: Node, part: Part) -> None:
        if part.amount:
            cents = self._random.choice(("", ".5", ".99"))
            node.set("value", f"{self._random.randint(0, 9999)}{cents}")
            node.set("currency", self._random.choice(("EUR", "JPY")))
        for one in part.parts:
            most = min(one.most, max(one.least, _MANY))
            times = (
                self._random.randint(one.least, most) if self._random.random() < 0.7 else one.least
            )
            for _ in range(times):
                self._fill(etree.SubElement(node, f"{{{NAMESPACE}}}{one.name}"), one)
        if not part.parts and not part.amount:
            node.text = self._text(part)

    def _text(self, part: Part) -> str:
        pattern, chance = part.facets.get("pattern", ""), self._random
        if part.name in self._narrower:
            return chance.choice(self._narrower[part.name])
        if part.base == "xs:dateTime":
            day = f"2026-11-{chance.randint(1, 28):02}T{chance.randint(0, 23):02}:15:07"
            zone = "Z" if pattern.endswith("Z") else chance.choice(("Z", "+02:00", "-03:30"))
            return f"{day}{zone}"
        if part.base == "xs:base64Binary":
            return "aGVsbG8="
        if part.base == "xs:decimal" and not pattern:
            return f"{chance.randint(0, 10**6)}{chance.choice(('', '.5', '.000125'))}"
        if pattern.startswith("[a-zA-Z]{2}") or pattern == "[A-Z]{2}":
            return chance.choice(_COUNTRIES)
        if pattern == "[A-Z]{2}.{0,298}":
            return "FR campaign 1"
        if pattern.startswith("[0-9]"):
            length = self._length(part)
            return str(chance.randint(10 ** (length - 1), 10**length - 1))
        if pattern.startswith("[a-zA-Z"):
            return "".join(chance.choice("ABCXYZ") for _ in range(self._length(part)))
        return self._words(part)

    def _length(self, part: Part) -> int:
        """A length that the pattern allows."""
        low, _, high = re.findall(r"\{([0-9,]+)\}", part.facets["pattern"])[-1].partition(",")
        return self._random.randint(int(low), min(int(high or low), 9))

    def _words(self, part: Part) -> str:
        exact = re.fullmatch(r"\.\{(\d+)\}", part.facets.get("pattern", ""))
        if exact:
            return "26FR0000000000000000"[-int(exact[1]) :]
        most = int(part.facets.get("maxLength", "40"))
        text = self._random.choice(_TEXTS)[:most].strip()
        if self._random.random() < 0.1:
            # As long as it may be.
            text = "äb" * (most // 2) + "c" * (most % 2)
        return text
