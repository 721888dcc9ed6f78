"""The claim to act for somebody, as a header."""

from __future__ import annotations

import pytest

from tests.fakes import FakeService
from tests.gateway.ingress.http.conftest import Client


@pytest.mark.parametrize("claimed", [None, "post-b", ""])
async def test_the_claim_reaches_the_service_as_it_is(
    client: Client, service: FakeService, claimed: str | None
) -> None:
    headers = {} if claimed is None else {"Luxor_On_Behalf_Of": claimed}

    await client.post(b"good", Luxor_Format="upu.itmatt.1", **headers)

    [envelope] = service.envelopes
    assert envelope.on_behalf_of == claimed  # an empty one is a claim too, and is refused as one


async def test_it_is_judged_before_the_body_is_read(client: Client, service: FakeService) -> None:
    status, _, problem = await client.post(
        b"good", Luxor_Format="upu.itmatt.1", Luxor_On_Behalf_Of="unheard-of"
    )

    assert (status, problem["code"]) == (403, "permission.on-behalf-of")
    assert service.envelopes == []
    assert service.noted == ["permission.on-behalf-of"]


async def test_it_is_made_once(client: Client, service: FakeService) -> None:
    status, _, problem = await client.call(
        "POST",
        "/v1/interchanges",
        data=b"good",
        headers=[
            ("Content-Type", "application/json"),
            ("Luxor-Interchange-Id", "i-1"),
            ("Luxor-On-Behalf-Of", "post-a"),
            ("Luxor-On-Behalf-Of", "post-b"),
        ],
    )

    assert (status, problem["code"]) == (400, "request.invalid")
    assert service.envelopes == []
