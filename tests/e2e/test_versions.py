"""Two versions of one format side by side, told apart by what each party may send and speaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from gateway.client.credentials import development
from gateway.client.https import PartyClient
from tests.e2e import documents
from tests.e2e.callers import Answer, post
from tests.e2e.network import CONFIG, GatewayProcess, running
from tests.samples import s10

NAMESPACE = "urn:acme:items"
VERSION_1 = f"""
layout  = "acme.items.1"
extends = "upu.itmatt.1"
title   = "Items of Acme, first version"
root    = "items"
[namespaces]
default = "{NAMESPACE}"
"""
VERSION_2 = (
    VERSION_1.replace("items.1", "items.2").replace("first", "second")
    + """
[item]
gross-weight = "-"
grams        = "gross_weight ! : mass g 9, after nature-type"
"""
)
PULLER = "customs-risk"
CONFIGURED = (
    CONFIG.replace("registry.toml", "versions.toml").replace(
        'to = ["archive"]', f'to = ["archive", "inbox:{PULLER}"]'
    )
    + """
[[format]]
layout = "acme.items.1.toml"

[[format]]
layout = "acme.items.2.toml"
"""
)
ROLES = {
    "post-a": 'speaks = ["luxor.json.1"]\n',
    "platform-shop": 'speaks = ["acme.items.2"]\n',
    PULLER: 'speaks = ["acme.items.2", "luxor.json.1"]\n',
}
"""The post may send version 1 alone; the platform both, and it speaks the second."""
GRANT = 'formats = ["{}"]\nkinds = ["ItemDeclaration"]\ncountries = ["*"]\n'
GRANTS = {"post-a": ("acme.items.1",), "platform-shop": ("acme.*",), "customs-revenue": ("acme.*",)}


def registry(text: str) -> str:
    """The development registry, where some may send Acme's items and say what they speak."""
    head, *parties = re.split(r"(?m)^(?=\[\[party\]\]$)", text)
    changed = []
    for block in parties:
        found = re.search(r'^id = "(.*)"$', block, re.MULTILINE)
        assert found is not None
        name = found[1]
        block = re.sub(r"(?m)^(speaks|must_sign) = .*\n", "", block)
        block = block.replace(found[0], f"{found[0]}\n{ROLES.get(name, '')}", 1)
        grants = "".join(f"\n[[party.grant]]\n{GRANT.format(f)}" for f in GRANTS.get(name, ()))
        changed.append(f"{block.rstrip()}\n{grants}\n")
    return "".join([head, *changed])


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[GatewayProcess]:
    """A gateway that speaks both versions."""
    folder = tmp_path_factory.mktemp("versions")
    place = certs / "luxor" / "registry.toml"
    place.with_name("versions.toml").write_text(registry(place.read_text("utf-8")), "utf-8")
    (folder / "acme.items.1.toml").write_text(VERSION_1, "utf-8")
    (folder / "acme.items.2.toml").write_text(VERSION_2, "utf-8")
    with running(folder, certs, CONFIGURED) as process:
        yield process


def items(serial: int, *, version: int, identifier: str) -> bytes:
    """One item in Acme's form."""
    text = documents.itmatt(documents.item(s10(serial)), control=identifier, root="items")
    text = text.replace(documents.NAMESPACE.encode(), NAMESPACE.encode())
    if version == 2:
        text = text.replace(b"gross-weight", b"grams").replace(b"0.750<", b"750<")
    return text


async def sent(
    gateway: GatewayProcess, party: str, serial: int, *, version: int, format_id: str = ""
) -> Answer:
    """The answer to an item in that version, whose sender may leave the format unsaid."""
    identifier = f"{party}-{serial}"
    headers = {"Content-Type": "application/xml"} | (
        {"Luxor-Format": format_id} if format_id else {}
    )
    content = items(serial, version=version, identifier=identifier)
    return await post(gateway, party, content, identifier=identifier, headers=headers)


async def test_a_message_in_version_1_comes_out_in_version_2(gateway: GatewayProcess) -> None:
    answer = await sent(gateway, "post-a", 1, version=1)
    credentials, peer = development(gateway.certs, PULLER)
    url = f"https://localhost:{gateway.ports.https}"
    async with PartyClient(url, credentials, gateway=peer) as client:
        page = await client.inbox()
        assert page.cursor is not None
        await client.acknowledge(page.cursor)
    (message,) = page.messages
    root = etree.fromstring(message.content)

    assert (202, "acme.items.1") == (answer.status, answer.body["format"])
    assert "acme.items.2" == message.format
    assert "750" == root.findtext(f"{{{NAMESPACE}}}item/{{{NAMESPACE}}}grams")
    assert root.find(f".//{{{NAMESPACE}}}gross-weight") is None


async def test_of_two_versions_that_a_party_may_send_the_spoken_one_counts(
    gateway: GatewayProcess,
) -> None:
    answer = await sent(gateway, "platform-shop", 2, version=2)

    assert (202, "acme.items.2") == (answer.status, answer.body["format"])


async def test_what_nothing_decides_is_refused_as_ambiguous(gateway: GatewayProcess) -> None:
    unsaid = await sent(gateway, "customs-revenue", 3, version=2)
    said = await sent(gateway, "customs-revenue", 3, version=2, format_id="acme.items.2")

    assert (415, "format.ambiguous") == (unsaid.status, unsaid.code)
    assert "acme.items.1, acme.items.2" in unsaid.body["detail"]
    assert (202, "acme.items.2") == (said.status, said.body["format"])


async def test_the_other_version_is_refused_with_its_own_faults(gateway: GatewayProcess) -> None:
    answer = await sent(gateway, "post-a", 4, version=2)

    assert 422 == answer.status
    assert {"element.unknown", "element.missing"} <= {fault["code"] for fault in answer.faults}
