"""Bounds of a watched folder, each with a name in the configuration."""

from __future__ import annotations

import msgspec

from gateway.core.bounds import Count, Pause
from gateway.ingress.spool import SpoolSettings


class FolderSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sizes are bytes, times seconds."""

    spool: SpoolSettings = SpoolSettings()
    """Bounds of files; larger ones are refused."""
    batch: Count = 256
    """Files taken in one round."""
    parallel: Count = 8
    """Files that are judged at once."""
    listing: Count = 10_000
    """Files looked at in one round; the others wait for their turn."""
    signature_bytes: Count = 16_384
    longest_pause: Pause = 60.0
    """Between two tries of a file while the gateway is not ready for it."""
    drain: Pause = 30.0
    """How long a stop waits for files that are being judged."""


DEFAULTS = FolderSettings()
