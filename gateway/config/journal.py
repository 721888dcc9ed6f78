"""Which journal a configuration names."""

from __future__ import annotations

from gateway.config.document import Config
from gateway.store.opening import JournalPlace


def journal_of(config: Config) -> JournalPlace:
    """The place of the gateway's journal."""
    return JournalPlace(
        gateway=config.gateway.number,
        data=config.path(config.gateway.data),
        settings=config.journal,
        folder=config.path(""),
    )
