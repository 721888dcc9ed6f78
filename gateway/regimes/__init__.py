"""Regimes: the admission rules of the trade and of single jurisdictions. Pure and total."""

from gateway.regimes.codes import Codes
from gateway.regimes.jurisdiction import Jurisdiction
from gateway.regimes.quality import DataQuality, QualitySettings
from gateway.regimes.regime import Regime, examine, located, weigh
from gateway.regimes.universal import Universal

__all__ = [
    "Codes",
    "DataQuality",
    "Jurisdiction",
    "QualitySettings",
    "Regime",
    "Universal",
    "examine",
    "located",
    "standard",
    "weigh",
]


def standard(
    *,
    codes: Codes | None = None,
    countries: frozenset[str] = frozenset(),
    quality: QualitySettings | None = None,
) -> tuple[Regime, ...]:
    """The rules that hold everywhere: of the trade's standards, and of data quality."""
    quality = quality or QualitySettings()
    universal = Universal(codes=codes, countries=countries)
    return (universal, DataQuality(quality)) if quality.enabled else (universal,)
