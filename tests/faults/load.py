"""The load: posts that declare items and amend them, and send again what nobody answered."""

from __future__ import annotations

import asyncio
import itertools
import random
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
import msgspec

from tests.faults.ledger import Sent
from tests.samples import s10

KEYS = 60
SENDERS = 6
LARGEST = 5
"""Messages in one interchange."""
PAUSE = 0.05
"""Seconds between the interchanges of a sender: the machine is shared with what is tested."""
AGAIN = 0.05
"""How often a receipt is asked for again, as a share of the interchanges."""
ANSWER_SECONDS = 10.0


class ReceiptChanged(AssertionError):
    """A repeat was answered with another receipt than the first."""


class Load:
    """Keeps sending until stopped. One sender has its own items, so that their order is known."""

    def __init__(self, *, ports: Callable[[], list[int]], tls: ssl.SSLContext, seed: int) -> None:
        """``ports`` are those of the nodes that a sender may choose from."""
        self._ports = ports
        self._tls = tls
        self._random = random.Random(seed)
        self._stopping = False
        self.receipted: dict[Sent, int] = {}
        self.resent = 0
        self.repeated = 0

    def stop(self) -> None:
        """Begin nothing new; what has no receipt yet is still sent until it has."""
        self._stopping = True

    async def run(self) -> None:
        """Send; returns when all that was begun has its receipt."""
        connector = aiohttp.TCPConnector(limit=SENDERS * 2)
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            asyncio.TaskGroup() as group,
        ):
            for number in range(SENDERS):
                group.create_task(self._sender(session, number))

    async def _sender(self, session: aiohttp.ClientSession, number: int) -> None:
        items = [s10(serial) for serial in range(number + 1, KEYS + 1, SENDERS)]
        places: dict[str, Iterator[int]] = {item: itertools.count(1) for item in items}
        for count in itertools.count(1):
            if self._stopping:
                return
            chosen = self._random.sample(items, self._random.randint(1, LARGEST))
            identifier = f"s{number}-{count}"
            content = _document(chosen, identifier)
            receipt = await self._until_receipted(session, identifier, content)
            for item in chosen:
                self.receipted[identifier, item] = next(places[item])
            if self._random.random() < AGAIN:
                self.repeated += 1
                if receipt != await self._until_receipted(session, identifier, content):
                    raise ReceiptChanged(identifier)
            await asyncio.sleep(PAUSE)

    async def _until_receipted(
        self, session: aiohttp.ClientSession, identifier: str, content: bytes
    ) -> str:
        while True:
            try:
                receipt = await self._send(session, identifier, content)
            except (aiohttp.ClientError, TimeoutError, OSError):
                receipt = None
            if receipt is not None:
                return receipt
            self.resent += 1
            await asyncio.sleep(PAUSE * 2)

    async def _send(
        self, session: aiohttp.ClientSession, identifier: str, content: bytes
    ) -> str | None:
        port = self._random.choice(self._ports())
        async with session.post(
            f"https://localhost:{port}/v1/interchanges",
            data=content,
            headers={
                "Content-Type": "application/json",
                "Luxor-Interchange-Id": identifier,
                "Luxor-Format": "luxor.json.1",
            },
            ssl=self._tls,
        ) as answer:
            text = await answer.read()
            if answer.status in (429, 502, 503):
                return None
            assert answer.status == 202, f"{answer.status}: {text[:500]!r}"
            body: dict[str, Any] = msgspec.json.decode(text)
            assert body["refused"] == 0, body
            return str(body["receipt"])


def _document(items: list[str], identifier: str) -> bytes:
    return msgspec.json.encode(
        {
            "interchange": {"control_reference": identifier},
            "messages": [_declaration(item) for item in items],
        }
    )


def _declaration(item: str) -> dict[str, Any]:
    return {
        "type": "ItemDeclaration",
        "item_id": item,
        "mail_class": "parcels",
        "nature": "sale",
        "gross_weight": "0.750",
        "sender": {
            "name": "Atelier Exemple",
            "address": {"lines": ["12 rue des Essais"], "city": "Lyon", "country": "FR"},
        },
        "addressee": {
            "name": "Muster Beispiel",
            "address": {"lines": ["3 um Beispill"], "city": "Luxembourg", "country": "LU"},
        },
        "pieces": [
            {
                "number": 1,
                "pieces": 2,
                "description": "woollen socks, knitted",
                "hs": "611594",
                "net_weight": "0.6",
                "amount": {"amount": "24.50", "currency": "EUR"},
            }
        ],
    }
