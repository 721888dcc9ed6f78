"""What an operator may ask about the configuration in force, and that it is read again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from gateway.app.reloading import Reloading
from gateway.ingress.controls import Answer, Asked, Control

REFUSED = 422


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``check``: say only what is wrong, and change nothing."""

    check: bool = False


def reload_controls(reloading: Callable[[], Reloading]) -> tuple[Control, ...]:
    """``GET /control/configuration`` and ``POST /control/reload``."""

    async def tell(_: Asked) -> Answer:
        return Answer(await reloading().in_force())

    async def reload(asked: Asked) -> Answer:
        wish = msgspec.json.decode(asked.body, type=Wish) if asked.body.strip() else Wish()
        # Begun, it is ended: whoever asked may have gone away meanwhile.
        work = asyncio.ensure_future(reloading().reload(only_judge=wish.check))
        told = await asyncio.shield(work)
        return Answer(told, status=REFUSED if told.mistakes else 200)

    return (
        Control("GET", "/control/configuration", tell),
        Control("POST", "/control/reload", reload),
    )
