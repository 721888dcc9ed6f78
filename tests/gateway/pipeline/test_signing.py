"""A key in a device: the event loop goes on, and a device that fails makes nothing durable."""

from __future__ import annotations

import asyncio
import threading

import pytest

from gateway.core.errors import Unavailable
from gateway.core.records import State
from gateway.pipeline.signing import SigningDesk
from tests import samples
from tests.gateway.pipeline.conftest import Middle
from trust.authority import generate_key
from trust.keys import KeySigner, Signer
from trust.receipt import verify

SIGNER = KeySigner(generate_key("P-256"))


class SlowSigner:
    """A key in a device that signs when it is let."""

    waits = True
    kid = SIGNER.kid
    alg = SIGNER.alg

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let = threading.Event()
        self.fails: Exception | None = None
        self.threads: set[str] = set()

    def chosen(self) -> Signer:
        return self

    def sign(self, message: bytes) -> bytes:
        self.begun.set()
        self.threads.add(threading.current_thread().name)
        assert self.let.wait(10)
        if self.fails is not None:
            raise self.fails
        return SIGNER.sign(message)

    def sign_digest(self, digest: bytes) -> bytes:
        return SIGNER.sign_digest(digest)


@pytest.fixture
def slow() -> SlowSigner:
    return SlowSigner()


async def test_the_event_loop_goes_on_while_a_device_signs(slow: SlowSigner) -> None:
    desk = SigningDesk(slow)

    signing = asyncio.create_task(desk.sign(lambda signer: signer.sign(b"message")))
    await asyncio.to_thread(slow.begun.wait, 10)
    went_on = not signing.done()  # this very coroutine runs while the device signs
    slow.let.set()

    assert went_on
    assert len(await signing) == 64
    desk.close()
    desk.close()


async def test_one_thread_signs_one_after_the_other(slow: SlowSigner) -> None:
    desk = SigningDesk(slow)
    slow.let.set()

    await asyncio.gather(*(desk.sign(lambda signer: signer.sign(b"m")) for _ in range(20)))

    assert len(slow.threads) == 1
    desk.close()


async def test_a_device_that_hangs_is_unavailable(slow: SlowSigner) -> None:
    desk = SigningDesk(slow, seconds=0.01)

    with pytest.raises(Unavailable, match=r"longer than 0\.01 seconds"):
        await desk.sign(lambda signer: signer.sign(b"message"))

    slow.let.set()
    desk.close()


async def test_a_key_in_memory_signs_at_once() -> None:
    signing = SigningDesk(SIGNER).sign(lambda signer: signer.sign(b"message"))

    with pytest.raises(StopIteration) as done:  # it never gives way
        signing.send(None)

    assert len(done.value.value) == 64


async def test_without_a_signature_nothing_is_kept_and_the_repeat_is_the_first(
    slow: SlowSigner,
) -> None:
    middle = Middle()
    slow.let.set()
    slow.fails = Unavailable("the token of the signing key: DeviceRemoved")
    middle.inbound._desk = SigningDesk(slow)

    with pytest.raises(Unavailable):
        await middle.send("post-a", samples.ITEM, identifier="first")
    before = await middle.journal.find(middle.sender("post-a").identity.party, "first")  # type: ignore[arg-type] # an id is a text
    slow.fails = None
    stored = await middle.send("post-a", samples.ITEM, identifier="first")

    assert before is None
    assert (stored.state, stored.attempt, stored.repeated) == (State.ACCEPTED, 1, False)
    assert verify(stored.receipt, {SIGNER.kid: SIGNER.public_key}).interchange_id == "first"
