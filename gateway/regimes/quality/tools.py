"""What the rules of every kind share: vocabularies and thresholds, lines of goods, parties."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gateway.regimes.quality import vocabulary
from gateway.regimes.quality.addresses import LOCALITY, Addresses, Finding, same
from gateway.regimes.quality.descriptions import Descriptions
from gateway.regimes.quality.figures import VALUE_ZERO, Figures
from gateway.regimes.quality.settings import QualitySettings

HS_MISSING = "quality.hs-missing"
HS_DESCRIPTION = "quality.hs-description"
SAME = "quality.same-parties"


class Tools:
    """Made once from the settings; every method adds what it finds to a list."""

    def __init__(self, settings: QualitySettings) -> None:
        self._descriptions = Descriptions(settings, vocabulary.vague(), vocabulary.goods())
        self._addresses = Addresses(settings, vocabulary.placeholders())
        self.figures = Figures(settings, vocabulary.rates().per_euro)

    def goods(self, line: Any, path: str, found: list[Finding], *, sold: bool) -> None:
        """What a line says of its goods: description and HS code."""
        description, hs = line.description, line.hs
        if description is not None:
            code, contradicted = self._descriptions.judge(description, hs)
            if code is not None:
                found.append((code, f"{path}/description"))
            elif contradicted:
                found.append((HS_DESCRIPTION, f"{path}/hs"))
        if sold and hs is None:
            found.append((HS_MISSING, f"{path}/hs"))

    def parties(
        self, message: Any, names: Iterable[str], found: list[Finding], *, required: bool
    ) -> None:
        """Names and addresses of trade parties; ``required``: each needs an address."""
        for name in names:
            party = getattr(message, name)
            if party is None:
                continue
            self._addresses.placeholders(party, f"/{name}", found)
            if self._addresses.lacks_locality(party, required=required):
                field = "address" if party.address is None else "address/city"
                found.append((LOCALITY, f"/{name}/{field}"))

    def same(self, message: Any, sender: str, addressee: str, found: list[Finding]) -> None:
        """Whether somebody writes to himself."""
        one, other = getattr(message, sender), getattr(message, addressee)
        if one is not None and other is not None and same(one, other):
            found.append((SAME, f"/{addressee}"))

    @staticmethod
    def worthless(amounts: Iterable[Any], path: str, found: list[Finding]) -> None:
        """Amounts of zero; ``path`` has a place for the index."""
        for index, money in enumerate(amounts):
            if money is not None and money.amount is not None and not money.amount:
                found.append((VALUE_ZERO, path.format(index)))
