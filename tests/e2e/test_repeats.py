"""What is wrong with a request under an accepted id is told as it is, not as a conflict."""

from __future__ import annotations

import pytest

from tests.e2e import documents
from tests.e2e.callers import post, signed
from tests.e2e.network import GatewayProcess

PLATFORM, JSON = "platform-shop", "luxor.json.1"


@pytest.fixture(scope="module")
def order() -> bytes:
    return documents.order("o-repeats")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Luxor-Signature": ""}, "signature.missing"),
        ({"Luxor-Format": "luxor.proto.1"}, "signature.format"),
        ({"Luxor-Format": "no.such.1"}, "format.unknown"),
        ({"Content-Encoding": "gzip"}, "body.encoding"),
    ],
)
async def test_a_bad_request_under_an_accepted_id_has_its_own_code(
    gateway: GatewayProcess, order: bytes, headers: dict[str, str], code: str
) -> None:
    signature = signed(gateway, PLATFORM, order, identifier="rep-1", format_id=JSON)
    good = {"Luxor-Format": JSON, "Luxor-Signature": signature}
    first = await post(gateway, PLATFORM, order, identifier="rep-1", headers=good)
    assert 202 == first.status

    bad = await post(gateway, PLATFORM, order, identifier="rep-1", headers={**good, **headers})

    assert code == bad.code
