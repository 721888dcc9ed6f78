"""The decision table: every situation of a case has exactly one row, the first that fits.

A decision is the conjunction of what the competent ones say: release needs risk, revenue and
every agency. Whoever objects wins over whoever does not, and the graver objection over the other.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Risk(StrEnum):
    """What the risk back ends say together: the most severe, or missing until all have spoken."""

    MISSING = "missing"
    CLEAR = "clear"
    REFER = "refer"
    HOLD = "hold"
    DO_NOT_LOAD = "do-not-load"
    OTHER = "other"
    """An outcome that this table does not know: nobody is released by a spelling."""


class Revenue(StrEnum):
    """What is to be paid."""

    MISSING = "missing"
    NOT_ASSESSED = "not-assessed"
    """The back end could not tell: an officer has to."""
    NOTHING = "nothing"
    SETTLED = "settled"
    """Something is due, from somebody who is not asked at release: prepaid, platform, account."""
    DUE = "due"
    """The addressee pays before delivery."""


class Inspection(StrEnum):
    """The latest control of the goods, if any; ``conform`` only if nothing new came since."""

    NONE = "none"
    CONFORM = "conform"
    INCONCLUSIVE = "inconclusive"
    NOT_CONFORM = "not-conform"
    PROHIBITED = "prohibited"


class Agency(StrEnum):
    """What other border agencies say together."""

    NONE = "none"
    HELD = "held"
    REFUSED = "refused"


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """All that a decision depends on. ``overdue``: the configured time has passed."""

    withdrawn: bool = False
    overdue: bool = False
    risk: Risk = Risk.MISSING
    revenue: Revenue = Revenue.MISSING
    inspection: Inspection = Inspection.NONE
    agency: Agency = Agency.NONE


class Row(msgspec.Struct, frozen=True):
    """Conditions (``None``: any) and what they lead to; without a decision: wait, say nothing.

    ``reason`` names a text of wording.toml. ``taxes``: the response tells what is due.
    """

    decision: str | None
    reason: str
    withdrawn: bool | None = None
    overdue: bool | None = None
    risk: tuple[Risk, ...] | None = None
    revenue: tuple[Revenue, ...] | None = None
    inspection: tuple[Inspection, ...] | None = None
    agency: tuple[Agency, ...] | None = None
    taxes: bool = False


_STOPPED = (Risk.HOLD,)
_DOUBTED = (Risk.REFER, Risk.OTHER)
_ABSENT = (Risk.MISSING,)

TABLE: tuple[Row, ...] = (
    Row("data-received", "withdrawn", withdrawn=True),
    # What was found in the goods themselves.
    Row("seized", "prohibited", inspection=(Inspection.PROHIBITED,)),
    Row("detained", "not-conform", inspection=(Inspection.NOT_CONFORM,)),
    # Objections, the graver first; an inspection lifts a hold or doubt, never a do-not-load.
    Row("refused", "refused-by-agency", agency=(Agency.REFUSED,)),
    Row("held", "not-to-be-loaded", risk=(Risk.DO_NOT_LOAD,)),
    Row("held-other-agency", "held-by-agency", agency=(Agency.HELD,)),
    Row("held", "inspection", inspection=(Inspection.INCONCLUSIVE,)),
    Row("held", "inspection", risk=_STOPPED, inspection=(Inspection.NONE,)),
    Row("pending", "examination", risk=_DOUBTED, inspection=(Inspection.NONE,)),
    # Nobody objects: is everything there?
    Row(None, "waiting", risk=_ABSENT, overdue=False),
    Row("pending", "outstanding", risk=_ABSENT, overdue=True),
    Row(None, "waiting", revenue=(Revenue.MISSING,), overdue=False),
    Row("pending", "outstanding", revenue=(Revenue.MISSING,), overdue=True),
    Row("pending", "charges", revenue=(Revenue.NOT_ASSESSED,)),
    # What remains: cleared by risk, or stopped and then found conform.
    Row("released", "released", revenue=(Revenue.NOTHING, Revenue.SETTLED), taxes=True),
    Row("released-on-payment", "payment", revenue=(Revenue.DUE,), taxes=True),
)


def decide(situation: Situation) -> Row:
    """The row that fits. There always is one: see the test that tries every situation."""
    return next(row for row in TABLE if _fits(row, situation))


def _fits(row: Row, situation: Situation) -> bool:
    return (
        row.withdrawn in (None, situation.withdrawn)
        and row.overdue in (None, situation.overdue)
        and (row.risk is None or situation.risk in row.risk)
        and (row.revenue is None or situation.revenue in row.revenue)
        and (row.inspection is None or situation.inspection in row.inspection)
        and (row.agency is None or situation.agency in row.agency)
    )
