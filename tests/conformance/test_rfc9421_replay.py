"""A signature of a request is taken once, whoever shows it again, however often and at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.core.errors import Refused
from gateway.core.ports import Journal
from gateway.pipeline.signed import Signatures
from gateway.store.memory import MemoryJournal
from gateway.store.sqlite import open_sqlite
from tests.signed import NAMES, NOW, parameters_of, posted, sign
from trust.authenticator import Authenticator
from trust.authority import generate_key
from trust.identity import PartyId
from trust.keys import KeySigner, signing_key
from trust.members import Party
from trust.party import Registry
from trust.revocation import Revocations
from trust.signatures.http.signature_base import Message

pytestmark = pytest.mark.conformance("RFC 9421")

Figure = Callable[[str, int, int], None]
KEY = KeySigner(generate_key("Ed25519"), kid="shop-1")
REGISTRY = Registry(
    parties=[
        Party(
            id=PartyId("shop"),
            identified_by=("signature",),
            signing_keys=(signing_key(KEY.public_pem, kid=KEY.kid),),
        )
    ]
)
AUTHENTICATOR = Authenticator(REGISTRY, Revocations.from_files((), {}))


def desk(journal: Journal, *, seconds: float = 0) -> Signatures:
    """One process on a journal."""
    return Signatures(
        authenticator=lambda: AUTHENTICATOR,
        journal=journal,
        clock=lambda: NOW + timedelta(seconds=seconds),
        max_age=lambda: timedelta(seconds=300),
    )


def request() -> Message:
    """A good request with a signature of its own."""
    return sign(posted(), KEY, parameters=parameters_of(KEY))


async def taken(signatures: Signatures, message: Message) -> bool:
    """Whether the signature counted; any other refusal is a failure."""
    try:
        await signatures.prove(message, content=True, names=NAMES)
    except Refused as refused:
        if refused.code != "signature.replayed":
            raise
        return False
    return True


async def test_none_of_ten_thousand_replays_is_accepted(figure: Figure) -> None:
    """Of a hundred requests each is shown a hundred times more, while it would still count."""
    journal = MemoryJournal(gateway=1, clock=lambda: NOW)
    requests = [request() for _ in range(100)]
    assert all([await taken(desk(journal), message) for message in requests])

    accepted = 0
    for times in range(100):
        later = desk(journal, seconds=3 * times)
        accepted += sum([await taken(later, message) for message in requests])

    figure("replays accepted", accepted, 10_000)
    assert 0 == accepted


@pytest.fixture
async def journals(tmp_path: Path) -> AsyncIterator[list[Journal]]:
    """Two openings of one store, as two processes have it."""
    opened = [
        await open_sqlite(tmp_path / "journal.db", gateway=1, clock=lambda: NOW) for _ in range(2)
    ]
    yield list(opened)
    for journal in opened:
        await journal.close()


async def test_of_many_at_once_one_is_accepted(journals: list[Journal], figure: Figure) -> None:
    """Twenty requests, each shown twenty times at once to either of two processes on a store."""
    desks = [desk(journal) for journal in journals]
    requests = [request() for _ in range(20)]

    answers = await asyncio.gather(
        *(taken(desks[number % 2], message) for message in requests for number in range(20))
    )

    each = [answers[at : at + 20] for at in range(0, len(answers), 20)]
    assert [1] * 20 == [sum(shown) for shown in each]
    figure("replays at once accepted", sum(answers) - len(requests), len(answers) - len(requests))


async def test_a_store_that_was_closed_remembers(tmp_path: Path) -> None:
    message = request()
    for fresh in (True, False):
        journal = await open_sqlite(tmp_path / "journal.db", gateway=1, clock=lambda: NOW)
        assert fresh == await taken(desk(journal), message)
        await journal.close()
