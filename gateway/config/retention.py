"""``[retention]``: how long what is kept, and how it is removed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.core.retention import Budget, Rule, Rules
from translators.canonical import KINDS

Days = Annotated[int, Meta(ge=1, le=36_500)]
OTHER = "other"
CLASSES = {
    "orders": ("Order",),
    "items": ("ItemDeclaration",),
    "transport": ("Despatch", "TransportEvent"),
    "declarations": ("GoodsDeclaration",),
    "decisions": ("CustomsResponse", "Referral", "RevenueAssessment", "RiskAssessment"),
    "indicators": ("AeoStatus", "InspectionResult", "RiskIndicator"),
    "attachments": ("Attachment",),
    "notices": ("DeliveryFailed",),
}
"""Kinds of messages whose content is kept equally long; all others are ``other``."""


class RetentionDays(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[retention.days]``: by class of messages, for how many days their content is kept.

    The law of the country decides; these are not advice.
    """

    orders: Days = 180
    items: Days = 180
    transport: Days = 180
    # Regulation (EU) No 952/2013, Article 51: documents for customs control, at least three years.
    declarations: Days = 1_096
    decisions: Days = 1_096
    indicators: Days = 365
    attachments: Days = 90
    notices: Days = 90
    other: Days = 180
    refused: Days = 30
    """Received bytes of interchanges of which nothing was accepted."""


class RetentionSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[retention]``. ``trace``, ``seen`` and ``quality`` are days."""

    days: RetentionDays = RetentionDays()
    kinds: dict[str, Days] = {}
    """Kinds of messages that are kept longer or shorter than their class."""
    trace: Days = 1_827
    """Messages without their content: references, attempts, reports."""
    seen: Annotated[int, Meta(ge=400, le=36_500)] = 400
    """Ids of interchanges and control references that may not be used again."""
    quality: Days = 1_827
    """Daily counts of data quality."""
    registries: Annotated[int, Meta(ge=1, le=1_000_000)] = 1_000
    """Versions of the registry of parties."""
    enabled: bool = True
    every: Annotated[float, Meta(ge=1, le=86_400)] = 3_600.0
    """Seconds from the end of one run to the next, and what one run may take."""
    rows: Annotated[int, Meta(ge=100, le=10_000)] = 2_000
    """Messages in one transaction."""
    pause: Annotated[float, Meta(ge=0, le=1_000)] = 9.0
    """The pause after each transaction, as a multiple of the time that it took."""
    capacity: Annotated[int, Meta(ge=1)] | None = None
    """Bytes that the store may take, where its disk is elsewhere; for the forecast."""

    @property
    def longest(self) -> int:
        """Days that content is kept at most."""
        days: list[int] = list(msgspec.structs.astuple(self.days))
        return max([*days, *self.kinds.values()])

    @property
    def unknown_kinds(self) -> tuple[str, ...]:
        """Kinds that the model does not have."""
        return tuple(sorted(self.kinds.keys() - KINDS.keys()))

    @property
    def rules(self) -> Rules:
        """What follows for a journal. ``trace`` is at least as long as content is kept."""
        return Rules(
            classes=tuple(self._classes()),
            refused=self.days.refused,
            trace=max(self.trace, self.longest),
            seen=self.seen,
            quality=self.quality,
            registries=self.registries,
        )

    def _classes(self) -> Iterator[Rule]:
        for name, kinds in CLASSES.items():
            usual = tuple(kind for kind in kinds if kind not in self.kinds)
            if usual:
                yield Rule(name=name, days=getattr(self.days, name), kinds=usual)
        for kind, days in sorted(self.kinds.items()):
            yield Rule(name=kind, days=days, kinds=(kind,))
        named = {kind for kinds in CLASSES.values() for kind in kinds} | self.kinds.keys()
        yield Rule(name=OTHER, days=self.days.other, kinds=tuple(sorted(named)), others=True)

    @property
    def budget(self) -> Budget:
        """How a run goes about it."""
        return Budget(rows=self.rows, rest=self.pause, seconds=self.every)
