"""The regime of data quality: which rules look at which kind of message, and what is said."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

from gateway.regimes.partial import partial
from gateway.regimes.quality.addresses import Finding
from gateway.regimes.quality.declarations import declaration_findings
from gateway.regimes.quality.items import item_findings
from gateway.regimes.quality.orders import order_findings
from gateway.regimes.quality.settings import QualitySettings
from gateway.regimes.quality.tools import Tools
from translators.canonical import Message, kind_of
from translators.faults import Fault, Severity

DETAILS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "quality.description-vague": "it names no goods; say what the thing is and of what",
        "quality.description-short": "too short to name goods",
        "quality.description-digits": "it has no letter: describe the goods in words",
        "quality.value-zero": "goods have a value, also those that are given away",
        "quality.value-one": "one is what is written for no value; declare the price",
        "quality.value-weight": "so much weight can hardly have this value; look at their units",
        "quality.weight-sum": "the goods weigh more together than the whole",
        "quality.value-sum": "the total is not the sum of its lines",
        "quality.hs-missing": "goods that were sold need an HS code",
        "quality.hs-description": "the description names goods of another chapter of the HS",
        "quality.locality-missing": "an address needs a locality",
        "quality.placeholder": "this fills the field and says nothing",
        "quality.same-parties": "both parties have the same name and address",
    }
)
"""What is said of each finding; it never repeats what was sent."""
_DECLARES_NOTHING = frozenset({"withdrawal", "cancellation", "goods-presented"})


class Rules(Protocol):
    """The rules of one kind. Of a draft (``whole`` is false) nothing is said to be missing."""

    def __call__(self, tools: Tools, message: Any, /, *, whole: bool) -> list[Finding]:
        """Every finding."""


_RULES: Final[Mapping[str, Rules]] = MappingProxyType(
    {
        "ItemDeclaration": item_findings,
        "Order": order_findings,
        "GoodsDeclaration": declaration_findings,
    }
)


class DataQuality:
    """A regime whose faults are warnings: a message is taken although its data is poor."""

    def __init__(self, settings: QualitySettings | None = None) -> None:
        self._tools = Tools(settings or QualitySettings())

    def check(self, message: Message) -> tuple[Fault, ...]:
        """Every finding of a message; never raises."""
        return self._check(kind_of(message), message, whole=True)

    def check_draft(self, kind: str | None, draft: Any) -> tuple[Fault, ...]:
        """Findings about what was read of a message whose form is wrong (plain values)."""
        usable = partial(kind, draft)
        return () if usable is None or kind is None else self._check(kind, usable, whole=False)

    def _check(self, kind: str, message: Any, *, whole: bool) -> tuple[Fault, ...]:
        rules = _RULES.get(kind)
        if rules is None or message.function in _DECLARES_NOTHING:
            return ()
        return tuple(
            Fault(code=code, path=path, detail=DETAILS[code], severity=Severity.WARNING)
            for code, path in rules(self._tools, message, whole=whole)
        )
