"""Thresholds of the findings (``[quality]``). Severities are in ``[severity]``, as of all codes."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Ratio = Annotated[float, Meta(ge=0, le=1)]
Euro = Annotated[float, Meta(ge=0)]
Words = tuple[Annotated[str, Meta(min_length=1, max_length=140)], ...]


class QualitySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When something is found. Lists of words are compared without case, accents, punctuation."""

    enabled: bool = True
    """False: nothing is looked for, and nothing of it is counted."""
    description_length: Annotated[int, Meta(ge=1, le=100)] = 3
    """Letters and digits of a description; one of a script whose characters are words will do."""
    vague: Words = ()
    """Descriptions, as a whole, that are vague beside those of the packaged vocabulary."""
    accepted: Words = ()
    """Descriptions, as a whole, that are not vague although the vocabulary says so."""
    placeholders: Words = ()
    """Further texts that stand for a missing fact in names and addresses."""
    least_euro_per_kg: Euro = 0.1
    """Value for weight below which one of the two is doubted, at rough rates of exchange."""
    most_euro_per_kg: Euro = 250_000.0
    """The same above."""
    weight_tolerance: Ratio = 0.02
    """By how much of the whole the sum of weights may exceed it."""
    value_tolerance: Ratio = 0.01
    """By how much of the total the sum of its lines may differ from it."""
