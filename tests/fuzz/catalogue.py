"""Every target, in the order in which a round takes them."""

from __future__ import annotations

from tests.fuzz.target import Target
from tests.fuzz.targets import (
    authority,
    certificates,
    edges,
    formats,
    proofs,
    registry,
    signatures,
)

TARGETS: tuple[Target, ...] = (
    *signatures.TARGETS,
    *proofs.TARGETS,
    *certificates.TARGETS,
    *authority.TARGETS,
    *registry.TARGETS,
    *edges.TARGETS,
    *formats.TARGETS,
)


def target(name: str) -> Target:
    """The target of that name; raises ``KeyError``."""
    return {each.name: each for each in TARGETS}[name]
