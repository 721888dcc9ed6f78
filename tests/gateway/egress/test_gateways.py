"""Delivery to another gateway, over HTTPS and gRPC: proof, refusals, and broken links."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from gateway.core.errors import Refused, Unavailable
from gateway.core.ports import Destination
from gateway.egress.registry import Surroundings, open_destination
from gateway.egress.tls import OwnPair
from gateway.ingress.grpc.server import GrpcIngress
from gateway.ingress.http.server import HttpIngress
from gateway.ingress.tls import ServerTls
from tests.fakes import FakeService, until
from tests.gateway.egress.conftest import LISTENERS, OURS, PARTNER, outgoing, target_of
from tests.pki import Pki
from trust import receipt
from trust.authority import generate_key
from trust.keys import KeySigner, PublicKey
from trust.signatures.jws import verify_detached


@pytest.fixture(params=["https", "grpc"])
def destination(request: pytest.FixtureRequest) -> Destination:
    found: Destination = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["https", "grpc"])
def transport(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def address(transport: str, request: pytest.FixtureRequest) -> str:
    port = request.getfixturevalue(f"{transport}_receiver").port
    return (
        f"https://127.0.0.1:{port}/v1/interchanges" if transport == "https" else f"127.0.0.1:{port}"
    )


async def refused(call: Awaitable[object]) -> Refused:
    with pytest.raises(Refused) as caught:
        await call
    return caught.value


async def unavailable(call: Awaitable[object]) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        await call
    return caught.value


async def test_evidence_is_the_proved_receipt(
    destination: Destination, registered: dict[str, PublicKey]
) -> None:
    token = await destination.deliver(outgoing())

    claims = receipt.verify(token or "", registered)
    assert (claims.gateway, claims.party, claims.interchange_id) == (PARTNER, OURS, "m-1")


async def test_content_is_signed_for_this_receiver(
    destination: Destination, service: FakeService, our_signer: KeySigner
) -> None:
    await destination.deliver(outgoing())

    [envelope] = service.envelopes
    kid = verify_detached(
        envelope.signature or "",
        b"good",
        keys={our_signer.kid: our_signer.public_key},
        interchange_id="m-1",
        format="luxor.json.1",
        audience=PARTNER,
        now=datetime.now(UTC),
    )
    assert kid == our_signer.kid


async def test_refused_message_is_refused_with_its_faults(destination: Destination) -> None:
    error = await refused(destination.deliver(outgoing(content=b"refuse")))

    assert error.code == "interchange.refused"
    assert [(f.code, f.path, f.line) for f in error.faults] == [("value.too-long", "/item_id", 3)]


async def test_same_id_with_other_content_is_refused(destination: Destination) -> None:
    await destination.deliver(outgoing())

    error = await refused(destination.deliver(outgoing(content=b"other")))

    assert error.code == "interchange.conflict"


async def test_format_that_the_receiver_does_not_speak_is_refused(
    destination: Destination, service: FakeService
) -> None:
    service.raises = Refused("format.unknown")

    assert (await refused(destination.deliver(outgoing()))).code == "format.unknown"


@pytest.mark.parametrize(
    "code", ["certificate.revoked", "party.suspended", "permission.format", "signature.stale"]
)
async def test_refusal_of_who_we_are_loses_no_message(
    destination: Destination, service: FakeService, code: str
) -> None:
    service.raises = Refused(code)

    error = await unavailable(destination.deliver(outgoing()))

    assert error.reason.startswith(code)
    assert not error.reached


async def test_bug_of_the_receiver_counts_as_an_attempt(
    destination: Destination, service: FakeService
) -> None:
    error = await unavailable(destination.deliver(outgoing(content=b"explode")))

    assert (error.reason, error.reached) == ("internal", True)


async def test_receipt_of_an_unregistered_key_proves_nothing(
    destination: Destination, registered: dict[str, PublicKey]
) -> None:
    registered.clear()

    error = await unavailable(destination.deliver(outgoing()))

    assert error.reason.startswith("the receipt is no proof")


async def test_receipt_of_another_key_under_a_registered_name_proves_nothing(
    destination: Destination, registered: dict[str, PublicKey], partner_signer: KeySigner
) -> None:
    registered[partner_signer.kid] = KeySigner(generate_key("P-256")).public_key

    error = await unavailable(destination.deliver(outgoing()))

    assert error.reason.startswith("the receipt is no proof")


async def test_receipt_of_another_gateway_proves_nothing(
    destination: Destination, service: FakeService
) -> None:
    service.gateway_id = "somebody-else"

    error = await unavailable(destination.deliver(outgoing()))

    assert error.reason == "the receipt is no proof: it speaks of something else"


async def test_server_of_another_authority_gets_nothing(
    transport: str,
    address: str,
    pki: Pki,
    surroundings: Surroundings,
    service: FakeService,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    foreign = Pki(tmp_path_factory.mktemp("foreign"))
    target = replace(target_of(transport, address, pki), authority=foreign.authority_file)
    destination = open_destination(target, surroundings)

    await unavailable(destination.deliver(outgoing()))
    await destination.close()

    assert service.envelopes == []


async def test_receiver_that_does_not_know_us_is_unavailable(
    transport: str,
    address: str,
    pki: Pki,
    surroundings: Surroundings,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    certificate, key = Pki(tmp_path_factory.mktemp("foreign")).issue(OURS)
    pair = OwnPair(certificate=certificate, key=key)
    stranger = replace(surroundings, own=lambda: pair)
    destination = open_destination(target_of(transport, address, pki), stranger)

    error = await unavailable(destination.deliver(outgoing()))
    await destination.close()

    assert not error.reached


async def test_missing_key_file_is_told_and_nothing_is_lost(
    transport: str, address: str, pki: Pki, surroundings: Surroundings
) -> None:
    pair = replace(surroundings.own(), key=pki.authority_file.with_name("none.key"))
    broken = replace(surroundings, own=lambda: pair)
    destination = open_destination(target_of(transport, address, pki), broken)

    error = await unavailable(destination.deliver(outgoing()))
    await destination.close()

    assert error.reason == "our own certificate: No such file or directory"


async def test_receiver_that_hangs_is_unavailable_after_the_timeout(
    transport: str, address: str, pki: Pki, surroundings: Surroundings, service: FakeService
) -> None:
    target = replace(target_of(transport, address, pki), timeout=0.3)
    destination = open_destination(target, surroundings)
    service.gate.clear()

    error = await unavailable(destination.deliver(outgoing()))
    await destination.close()
    service.gate.set()

    assert error.reason == "no answer within 0.3 s"
    # With time enough: how quick the machine is decides nothing.
    patient = open_destination(target_of(transport, address, pki), surroundings)
    assert await patient.deliver(outgoing())
    await patient.close()


async def test_many_deliveries_at_once_each_get_their_own_receipt(
    destination: Destination, registered: dict[str, PublicKey]
) -> None:
    tokens = await asyncio.gather(
        *(destination.deliver(outgoing(f"m-{n}", b"%d" % n)) for n in range(100))
    )

    ids = [receipt.verify(token or "", registered).interchange_id for token in tokens]
    assert ids == [f"m-{n}" for n in range(100)]


async def test_same_message_twice_at_once_is_one_delivery(
    destination: Destination, service: FakeService
) -> None:
    tokens = await asyncio.gather(*(destination.deliver(outgoing()) for _ in range(2)))

    assert tokens[0] == tokens[1]
    assert len(service.stored) == 1


async def test_delivery_that_is_cancelled_disturbs_no_other(
    destination: Destination, service: FakeService
) -> None:
    service.gate.clear()
    first = asyncio.create_task(destination.deliver(outgoing("m-1")))
    second = asyncio.create_task(destination.deliver(outgoing("m-2")))
    await until(lambda: service.held == 2)
    first.cancel()
    service.gate.set()

    assert await second
    assert await destination.deliver(outgoing("m-1"))


async def test_deliveries_cut_by_a_stop_are_unavailable_and_arrive_after_the_restart(
    transport: str,
    address: str,
    pki: Pki,
    surroundings: Surroundings,
    service: FakeService,
    server_tls: ServerTls,
    request: pytest.FixtureRequest,
) -> None:
    receiver: HttpIngress | GrpcIngress = request.getfixturevalue(f"{transport}_receiver")
    destination = open_destination(target_of(transport, address, pki), surroundings)
    service.gate.clear()
    cut = asyncio.create_task(destination.deliver(outgoing()))
    await until(lambda: service.held)
    await receiver.stop()
    with pytest.raises(Unavailable):
        await cut
    service.gate.set()

    again = LISTENERS[transport](service, server_tls, port=receiver.port)
    await again.start()
    await until_delivered(destination)
    await destination.close()
    await again.stop()


async def until_delivered(destination: Destination) -> None:
    """A channel that was refused waits a moment before it connects again."""
    async with asyncio.timeout(10):
        while True:
            try:
                assert await destination.deliver(outgoing())
            except Unavailable:
                await asyncio.sleep(0.05)
            else:
                return
