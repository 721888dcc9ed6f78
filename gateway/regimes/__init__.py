"""Regimes: the admission rules of the trade and of single jurisdictions. Pure and total."""

from gateway.regimes.jurisdiction import Jurisdiction
from gateway.regimes.regime import Regime, weigh
from gateway.regimes.universal import Universal

__all__ = ["Jurisdiction", "Regime", "Universal", "weigh"]
