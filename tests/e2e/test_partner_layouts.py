"""Two partner dialects in a running gateway: sent by format id and media type, and delivered."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from tests.e2e.callers import post
from tests.e2e.network import CONFIG, GatewayProcess, running

EXAMPLES = Path(__file__).parents[2] / "examples"
ITEMS = (EXAMPLES / "messages/flat-items.xml").read_bytes()
ORDER = (EXAMPLES / "messages/platform-order.json").read_bytes()
FORMATS = """
[[format]]
layout = "{folder}/example.flat-items.1.toml"

[[format]]
layout = "{folder}/example.platform-order.1.toml"

[[destination]]
id = "flat"
party = "customs-risk"
transport = "folder"
address = "flat"
format = "example.flat-items.1"

[[destination]]
id = "orders"
party = "customs-risk"
transport = "folder"
address = "orders"
format = "example.platform-order.1"

[[route]]
name = "flat"
kinds = ["ItemDeclaration"]
destination_countries = ["LU"]
to = ["flat"]

[[route]]
name = "orders"
kinds = ["Order"]
destination_countries = ["LU"]
to = ["orders"]
"""
GRANTS = {
    "post-a": ("example.flat-items.1", "ItemDeclaration"),
    "platform-shop": ("example.platform-order.1", "Order"),
}
WAIT_SECONDS = 30.0


def registry(text: str) -> str:
    """The development registry with a grant more for who sends a dialect."""
    head, *parties = re.split(r"(?m)^(?=\[\[party\]\]$)", text)
    changed = [head]
    for block in parties:
        found = re.search(r'^id = "(.*)"$', block, re.MULTILINE)
        assert found is not None
        if found[1] in GRANTS:
            name, kind = GRANTS[found[1]]
            block = re.sub(r"(?m)^must_sign = .*\n", "", block).rstrip()
            block += f'\n\n[[party.grant]]\nformats = ["{name}"]\nkinds = ["{kind}"]\n'
            block += 'countries = ["*"]\n\n'
        changed.append(block)
    return "".join(changed)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[GatewayProcess]:
    """A gateway that knows both dialects and delivers in them."""
    folder = tmp_path_factory.mktemp("partners")
    place = certs / "luxor" / "registry.toml"
    place.with_name("partners.toml").write_text(registry(place.read_text("utf-8")), "utf-8")
    for name in ("flat", "orders"):
        (folder / name).mkdir()
    config = CONFIG.replace("registry.toml", "partners.toml")
    config += FORMATS.replace("{folder}", str(EXAMPLES / "layouts"))
    with running(folder, certs, config) as process:
        yield process


def delivered(folder: Path) -> bytes:
    """The content of the first file that arrives in a folder."""
    until = time.monotonic() + WAIT_SECONDS
    while not (found := sorted(one for one in folder.iterdir() if not one.name.startswith("."))):
        assert time.monotonic() < until, "nothing was delivered"
        time.sleep(0.02)
    return found[0].read_bytes()


async def test_a_flat_document_is_sent_by_its_format_and_delivered_in_it(
    gateway: GatewayProcess,
) -> None:
    headers = {"Luxor-Format": "example.flat-items.1", "Content-Type": "application/xml"}
    answer = await post(gateway, "post-a", ITEMS, identifier="flat-1", headers=headers)
    root = etree.fromstring(delivered(gateway.folder / "flat"))

    assert (202, "example.flat-items.1") == (answer.status, answer.body["format"])
    assert root.findtext("Item/TotalWeight") in {"750", "90"}
    assert root.findtext("Item/Barcode") in {"EE471108151FR", "RR473124829GB"}


async def test_an_order_is_sent_by_its_media_type_and_delivered_in_it(
    gateway: GatewayProcess,
) -> None:
    headers = {"Content-Type": "application/vnd.example.order+json"}
    answer = await post(gateway, "platform-shop", ORDER, identifier="order-1", headers=headers)
    found = json.loads(delivered(gateway.folder / "orders"))

    assert (202, "example.platform-order.1") == (answer.status, answer.body["format"])
    sent = json.loads(ORDER)
    assert (sent["orderNo"], sent["items"][0]["price"]) == (
        found["orderNo"],
        found["items"][0]["price"],
    )


async def test_faults_come_back_with_the_dialects_own_paths(gateway: GatewayProcess) -> None:
    content = ORDER.replace(b'"grams": 12', b'"grams": "12"').replace(
        b'"count": 1', b'"count": 0.5'
    )
    headers = {"Luxor-Format": "example.platform-order.1"}
    answer = await post(gateway, "platform-shop", content, identifier="order-2", headers=headers)

    assert 422 == answer.status
    assert {("/lines/1/net_weight", "/items/1/grams"), ("/lines/1/quantity", "/items/1/count")} == {
        (fault["path"], fault["source_path"]) for fault in answer.faults
    }
