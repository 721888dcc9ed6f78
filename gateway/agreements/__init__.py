"""Agreements: what one party may get, field by field; default is nothing."""

from gateway.agreements.agreement import Agreement, Agreements, Source
from gateway.agreements.minimise import Minimised, Minimiser

__all__ = ["Agreement", "Agreements", "Minimised", "Minimiser", "Source"]
