"""Destinations on the operations listener: what ``luxor destinations`` does, asked over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from gateway.core.ports import Clock, Journal
from gateway.ingress.controls import Answer, Asked, Control
from gateway.pipeline.overview import overviews, switch


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a call that switches."""

    by: str
    reason: str


def destination_controls(
    journal: Journal, configured: Callable[[], Collection[str]], clock: Clock
) -> tuple[Control, ...]:
    """``GET /control/destinations`` and ``POST /control/destinations/{id}/on`` or ``off``."""

    async def tell(_: Asked) -> Answer:
        return Answer(await overviews(journal.destinations, configured=configured()))

    async def change(asked: Asked, *, on: bool) -> Answer:
        order = msgspec.json.decode(asked.body, type=Order)
        standing = await switch(
            journal.destinations,
            asked.path["id"],
            on=on,
            by=order.by,
            reason=order.reason,
            configured=configured(),
            now=clock(),
        )
        return Answer(standing)

    async def switch_on(asked: Asked) -> Answer:
        return await change(asked, on=True)

    async def switch_off(asked: Asked) -> Answer:
        return await change(asked, on=False)

    return (
        Control("GET", "/control/destinations", tell),
        Control("POST", "/control/destinations/{id}/on", switch_on),
        Control("POST", "/control/destinations/{id}/off", switch_off),
    )
