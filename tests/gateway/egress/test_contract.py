"""What every destination does, whatever the transport."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from gateway.core.errors import Unavailable
from gateway.core.ports import Destination
from gateway.egress.registry import TRANSPORTS
from tests.fakes import FakeService
from tests.gateway.egress.conftest import outgoing


class Rig(msgspec.Struct, frozen=True):
    """A destination, what has arrived behind it (by message id), and a way to break it."""

    destination: Destination
    arrived: Callable[[], dict[str, bytes]]
    break_: Callable[[], None]
    mend: Callable[[], None]


def _of_service(destination: Destination, service: FakeService) -> Rig:
    def set_error(error: Exception | None) -> None:
        service.raises = error

    return Rig(
        destination,
        lambda: {envelope.interchange_id: content for envelope, content in service.taken},
        lambda: set_error(Unavailable("busy", retry_after=3)),
        lambda: set_error(None),
    )


def _of_folder(destination: Destination, folder: Path) -> Rig:
    return Rig(
        destination,
        lambda: {path.stem: path.read_bytes() for path in folder.iterdir()},
        lambda: shutil.rmtree(folder),
        folder.mkdir,
    )


@pytest.fixture(params=sorted(TRANSPORTS))
def rig(request: pytest.FixtureRequest, service: FakeService, target_folder: Path) -> Rig:
    destination = request.getfixturevalue(request.param)
    if request.param == "folder":
        return _of_folder(destination, target_folder)
    return _of_service(destination, service)


async def unavailable(call: Awaitable[object]) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        await call
    return caught.value


async def test_delivered_message_has_arrived_whole(rig: Rig) -> None:
    await rig.destination.deliver(outgoing("m-1", b"first"))
    await rig.destination.deliver(outgoing("m-2", bytes(range(256)) * 1000))

    assert rig.arrived() == {"m-1": b"first", "m-2": bytes(range(256)) * 1000}


async def test_repeat_is_harmless_and_gives_the_same_evidence(rig: Rig) -> None:
    first = await rig.destination.deliver(outgoing())
    again = await rig.destination.deliver(outgoing())

    assert first == again
    assert rig.arrived() == {"m-1": b"good"}


async def test_unavailable_receiver_may_take_it_later(rig: Rig) -> None:
    rig.break_()
    await unavailable(rig.destination.deliver(outgoing()))
    rig.mend()

    await rig.destination.deliver(outgoing())

    assert rig.arrived() == {"m-1": b"good"}


async def test_closed_destination_delivers_nothing_and_closes_again(rig: Rig) -> None:
    await rig.destination.deliver(outgoing())
    await rig.destination.close()
    await rig.destination.close()

    error = await unavailable(rig.destination.deliver(outgoing("m-2")))

    assert error.reason == "the destination is closed"
    assert rig.arrived() == {"m-1": b"good"}


async def test_destination_that_was_never_used_closes(rig: Rig) -> None:
    await rig.destination.close()

    assert rig.arrived() == {}


async def test_name_in_routes_is_its_id(rig: Rig) -> None:
    assert rig.destination.id.startswith("to-")
