"""A receiver that says "not so much" is not ready; it refuses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.core.errors import Unavailable
from gateway.egress.registry import open_destination
from gateway.ingress.grpc.server import GrpcIngress
from gateway.ingress.grpc.settings import GrpcSettings
from gateway.ingress.http.server import HttpIngress
from gateway.ingress.http.settings import HttpSettings
from gateway.ingress.limits import Limiter
from gateway.pipeline.settings import PartySettings
from tests.fakes import FakeService, Seen, clock
from tests.gateway.egress.conftest import OURS, outgoing, target_of
from tests.pki import Pki

if TYPE_CHECKING:
    from gateway.egress.registry import Surroundings
    from gateway.ingress.tls import ServerTls

ONE_IN_FOUR_SECONDS = PartySettings(requests_per_second=0.25, burst=1)


def listener(
    transport: str, service: FakeService, tls: ServerTls, limiter: Limiter
) -> HttpIngress | GrpcIngress:
    telemetry = Seen().telemetry
    if transport == "https":
        return HttpIngress(
            service=service,
            telemetry=telemetry,
            clock=clock,
            tls=tls,
            host="127.0.0.1",
            port=0,
            settings=HttpSettings(drain=0.2),
            limiter=limiter,
        )
    return GrpcIngress(
        service=service,
        telemetry=telemetry,
        clock=clock,
        tls=tls,
        host="127.0.0.1",
        port=0,
        settings=GrpcSettings(drain=0.2),
        limiter=limiter,
    )


@pytest.mark.parametrize("transport", ["https", "grpc"])
async def test_a_receiver_at_its_limit_says_when_it_takes_more(
    transport: str,
    service: FakeService,
    server_tls: ServerTls,
    pki: Pki,
    surroundings: Surroundings,
) -> None:
    limiter = Limiter.alone(telemetry=Seen().telemetry, clock=clock, settings=ONE_IN_FOUR_SECONDS)
    receiver = listener(transport, service, server_tls, limiter)
    await receiver.start()
    host = f"127.0.0.1:{receiver.port}"
    address = f"https://{host}/v1/interchanges" if transport == "https" else host
    destination = open_destination(target_of(transport, address, pki), surroundings)
    await limiter.admit(OURS)  # all that it takes for now
    with pytest.raises(Unavailable) as caught:
        await destination.deliver(outgoing("m-1"))
    await destination.close()
    await receiver.stop()

    reasons = {"https": "rate.exceeded", "grpc": "grpc RESOURCE_EXHAUSTED"}
    assert (caught.value.reason, caught.value.reached) == (reasons[transport], False)
    assert caught.value.retry_after == 5.0  # 4 and a bit, in whole seconds
    assert service.contents == []
