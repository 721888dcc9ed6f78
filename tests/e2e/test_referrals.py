"""Customs asks in ICS2, a post answers in the layout of the posts, customs reads ICS2 again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.callers import Answer, post
from tests.e2e.network import CONFIG, GatewayProcess, running
from translators.canonical import Referral
from translators.layout import packaged
from translators.translator import decode

ITEM = "EE471108151FR"
HEAD = CONFIG.partition("[[destination]]")[0].replace(
    "luxor/registry.toml", "luxor/registry-referrals.toml"
)
NETWORK = """
[[destination]]
id = "customs"
party = "customs-risk"
transport = "folder"
address = "customs"
format = "eu.ics2.referral.2"
answers = true

[[destination]]
id = "post"
party = "post-a"
transport = "folder"
address = "post"
format = "upu.referral.1"

[[agreement]]
name = "requests"
purpose = "tests"
role = "post"
kinds = ["Referral"]
fields = ["**"]

[[agreement]]
name = "answers"
purpose = "tests"
role = "backend"
kinds = ["Referral"]
fields = ["**"]

[[route]]
name = "requests"
kinds = ["Referral"]
from_roles = ["backend"]
to = ["post"]

[[route]]
name = "answers"
kinds = ["Referral"]
from_roles = ["post"]
to = ["@origin"]
"""
REQUEST = """<IE3Q02 xmlns="urn:wco:datamodel:eu:ics2:2"><documentIssueDate>
<DateTime>2026-11-21T10:00:00Z</DateTime></documentIssueDate><MRN>26LUICS2F43000017A</MRN>
<responsibleMemberState><country>LU</country></responsibleMemberState><declarant>
<identificationNumber>LU00000000012</identificationNumber></declarant><referralRequestDetails>
<referralRequestReference>LU-RFI-000000017</referralRequestReference><requestType>RFI</requestType>
<transportDocumentHouse><documentNumber>EE471108151FR</documentNumber><type>N750</type>
</transportDocumentHouse><additionalInformation><text>Parts of what?</text></additionalInformation>
</referralRequestDetails></IE3Q02>"""
ANSWER = """<answer><item-id>EE471108151FR</item-id><answered-at>2026-11-21T12:00:00Z</answered-at>
<text code="DESCR">Of a clock</text></answer></referral></referral>"""


@pytest.fixture
def gateway(tmp_path: Path, certs: Path) -> Iterator[GatewayProcess]:
    """A gateway between customs and a post, whose registry lets customs speak ICS2."""
    registry = (certs / "luxor/registry.toml").read_text("utf-8")
    allowed = registry.replace('["luxor.*"]', '["luxor.*", "eu.ics2.*"]')
    assert allowed != registry
    folder = tmp_path / "gateway"
    for name in ("customs", "post"):
        (folder / name).mkdir(parents=True)
    (certs / "luxor/registry-referrals.toml").write_text(allowed, "utf-8")
    with running(folder, certs, HEAD + NETWORK) as process:
        yield process


def files(folder: Path) -> list[Path]:
    """What was delivered into a folder."""
    return list(folder.glob("[!.]*"))


async def arrived(folder: Path) -> Path:
    """The one file that a folder gets."""
    async with asyncio.timeout(30):
        while not (found := files(folder)):  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.02)
    (file,) = found
    return file


def with_answer(asked: str, regards: str) -> str:
    """The referral as the post got it, with the message id of it and the answer."""
    return asked.replace("</referral>\n</referral>", f"<regards>{regards}</regards>{ANSWER}")


async def answer(gateway: GatewayProcess, content: str) -> Answer:
    """The post submits its answer."""
    return await post(
        gateway,
        "post-a",
        content.encode(),
        identifier="answer-1",
        headers={"Luxor-Format": "upu.referral.1"},
    )


async def test_a_referral_and_its_answer_pass_a_gateway(gateway: GatewayProcess) -> None:
    sent = await post(
        gateway,
        "customs-risk",
        REQUEST.encode(),
        identifier="request-1",
        headers={"Luxor-Format": "eu.ics2.referral.2"},
    )
    assert (202, []) == (sent.status, sent.faults)
    asked = await arrived(gateway.folder / "post")
    message_id = sent.body["outcomes"][0]["message_id"]
    assert asked.name.startswith(message_id)
    (request,) = decode(packaged("upu.referral.1"), asked.read_bytes()).messages
    assert isinstance(request, Referral)
    assert ("LU-RFI-000000017", (ITEM,)) == (request.reference, request.item_ids)

    replied = await answer(gateway, with_answer(asked.read_text("utf-8"), message_id))

    assert (202, []) == (replied.status, replied.faults)
    content = (await arrived(gateway.folder / "customs")).read_bytes()
    (final,) = decode(packaged("eu.ics2.referral.2"), content).messages
    assert b"<IE3R02 " in content
    assert isinstance(final, Referral)
    assert ("LU-RFI-000000017", "26LUICS2F43000017A") == (final.reference, final.mrn)
    assert (ITEM, "Of a clock") == (
        final.answers[0].item_id,
        final.answers[0].information[0].text,
    )


async def test_an_answer_that_customs_could_not_read_is_a_fault_to_the_post(
    gateway: GatewayProcess,
) -> None:
    sent = await post(
        gateway,
        "customs-risk",
        REQUEST.encode(),
        identifier="request-1",
        headers={"Luxor-Format": "eu.ics2.referral.2"},
    )
    asked = await arrived(gateway.folder / "post")
    message_id = sent.body["outcomes"][0]["message_id"]
    content = with_answer(asked.read_text("utf-8"), message_id)

    replied = await answer(gateway, content.replace("<declarant>LU00000000012</declarant>", ""))

    assert (422, [("target.value.missing", "/declarant")]) == (
        replied.status,
        [(fault["code"], fault["path"]) for fault in replied.faults],
    )
