"""What the gateway says about a message that it passes on."""

from __future__ import annotations

from msgspec import Struct

from translators.canonical.scalars import Identifier, Instant, InterchangeName, Quantity


class Provenance(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Set by a gateway on every message that it delivers; never accepted from a sender as truth.

    ``message_id`` is stable over redeliveries and is what an answer's ``regards`` names.
    ``version`` counts the messages of one sender about one key, from 1. ``upstream_id`` is the
    message id that the sending gateway had given, when the sender was itself a gateway.
    """

    message_id: Identifier
    party: Identifier
    interchange_id: InterchangeName
    accepted_at: Instant
    version: Quantity | None = None
    on_behalf_of: Identifier | None = None
    upstream_id: Identifier | None = None
