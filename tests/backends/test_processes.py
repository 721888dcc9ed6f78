"""Real processes, real TLS, real receipts: what is delivered is answered once."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.backends.network import GATEWAY, JSON, Backend, Gateway, deliver
from tests.samples import ITEM, ORDER, item, s10
from translators.canonical import (
    CustomsResponse,
    Money,
    RevenueAssessment,
    RiskAssessment,
    RiskIndicator,
    RiskSubject,
)
from translators.wire.exchange.v1 import exchange_pb2 as wire
from trust import receipt
from trust.keys import public_key, signing_key

Start = Callable[..., Awaitable[Backend]]
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def assessment(message_id: str, outcome: str, **changes: Any) -> RiskAssessment:
    return RiskAssessment(
        outcome=outcome, assessed_at=NOW, regards=message_id, version=1, **changes
    )


def assessed(message_id: str, total: str) -> RevenueAssessment:
    return RevenueAssessment(
        assessed_at=NOW,
        total=Money(amount=Decimal(total), currency="EUR"),
        regards=message_id,
        payable_by="addressee",
        version=1,
    )


async def test_risk_answers_every_item_once_with_a_receipt_that_verifies(
    gateway: Gateway, start: Start
) -> None:
    risk = await start("risk")
    sent = [gateway.submission(item(item_id=s10(n)), f"m-{n}") for n in range(1, 31)]
    async with gateway.calling(risk.address) as stub:
        replies = await deliver(stub, sent)
        again = await deliver(stub, sent)
    assert replies.keys() == {submission.interchange_id for submission in sent}
    for submission in sent:
        reply = replies[submission.interchange_id]
        claims = receipt.verify(reply.receipt, gateway.keys("customs-risk"))
        assert (claims.gateway, claims.party, claims.status) == (
            "customs-risk",
            GATEWAY,
            "accepted",
        )
        assert claims.digest == hashlib.sha256(submission.content).hexdigest()
        assert reply.outcomes[0].message_id == submission.interchange_id
        assert again[submission.interchange_id].receipt == reply.receipt
    answers = await gateway.until_answers(30)
    assert sorted(answer.regards for answer in answers) == sorted(s.interchange_id for s in sent)
    summary = await risk.until(lambda counts: counts["answers"]["acknowledged"] == 30)
    assert (summary["received"], summary["repeats"], summary["applied"]) == (30, 30, 30)
    assert summary["risk"]["assessed"] == 30


async def test_an_indicator_over_json_holds_an_item_that_came_before(
    gateway: Gateway, start: Start
) -> None:
    risk = await start("risk")
    indicator = RiskIndicator(
        issuer="XB",
        indicator_id="i-1",
        kind="entity",
        area="narcotics",
        level="high",
        statement="Seen before.",
        subjects=(RiskSubject(names=("EXEMPLE atelier",)),),
    )
    async with gateway.calling(risk.address) as stub:
        await stub.Submit(gateway.submission(ITEM, "m-1", format_id=JSON))
        await gateway.until_answers(1)
        await stub.Submit(gateway.submission(indicator, "i-1", party="gateway-pn", format_id=JSON))
        first, second = await gateway.until_answers(2)
    assert (first.outcome, second.outcome) == ("clear", "hold")
    assert (second.regards, second.version, second.indicators) == ("m-1", 2, ("XB/i-1",))
    assert gateway.ids == ["risk.m-1.1", "risk.m-1.2"]


async def test_revenue_answers_items_and_orders(gateway: Gateway, start: Start) -> None:
    revenue = await start("revenue")
    sent = [
        gateway.submission(ITEM, "m-1", audience="customs-revenue"),
        gateway.submission(ORDER, "o-1", audience="customs-revenue", party="platform-shop"),
    ]
    async with gateway.calling(revenue.address) as stub:
        await deliver(stub, sent)
    found = {answer.regards: answer for answer in await gateway.until_answers(2)}
    assert (found["m-1"].regime, found["m-1"].jurisdiction) == ("low-value", "LU")
    assert found["m-1"].total == Money(amount=Decimal("7.68"), currency="EUR")
    assert found["o-1"].order_id == ORDER.order_id


async def test_clearance_joins_and_says_pending_when_something_is_missing(
    gateway: Gateway, start: Start
) -> None:
    clearance = await start("clearance")

    def to_clearance(message: Any, message_id: str, party: str = "post-a") -> wire.Submission:
        return gateway.submission(
            message, message_id, party=party, audience="customs-clearance", version=None
        )

    other = item(item_id=s10(2))
    async with gateway.calling(clearance.address) as stub:
        await deliver(
            stub,
            [
                to_clearance(assessment("m-1", "clear"), "a-1", "customs-risk"),
                to_clearance(ITEM, "m-1"),
                to_clearance(assessed("m-1", "7.10"), "a-2", "customs-revenue"),
                to_clearance(other, "m-2"),
                to_clearance(assessment("m-2", "clear"), "a-3", "customs-risk"),
            ],
        )
        await gateway.until_answers(2)
        await stub.Submit(to_clearance(assessed("m-2", "0"), "a-4", "customs-revenue"))
        answers = await gateway.until_answers(3)
    assert all(isinstance(answer, CustomsResponse) for answer in answers)
    assert [(answer.regards, answer.decision, answer.version) for answer in answers] == [
        ("m-1", "released-on-payment", 1),
        ("m-2", "pending", 1),
        ("m-2", "released", 2),
    ]


async def test_answers_wait_for_a_gateway_that_is_away(gateway: Gateway, start: Start) -> None:
    risk = await start("risk")
    async with gateway.calling(risk.address) as stub:
        await gateway.stop()
        await deliver(stub, [gateway.submission(item(item_id=s10(n)), f"m-{n}") for n in range(9)])
        await gateway.start()
    answers = await gateway.until_answers(9)
    assert len({answer.regards for answer in answers}) == len(answers) == 9


async def test_troubles_of_the_gateway_only_delay(gateway: Gateway, start: Start) -> None:
    def trouble(count: int, interchange_id: str) -> None:
        if count in (2, 9):
            raise ConnectionError
        if count % 5 == 0:
            raise LookupError("overload")

    gateway.trouble = trouble
    risk = await start("risk")
    async with gateway.calling(risk.address) as stub:
        await deliver(stub, [gateway.submission(item(item_id=s10(n)), f"m-{n}") for n in range(20)])
    await gateway.until_answers(20)
    await risk.until(lambda counts: counts["answers"]["acknowledged"] == 20)
    assert len(gateway.ids) == len(set(gateway.ids)) == 20


async def test_large_answers_go_by_calls_of_their_own(gateway: Gateway, start: Start) -> None:
    risk = await start("risk", limits="stream_bytes = 1")
    gateway.trouble = _once("overload")
    async with gateway.calling(risk.address) as stub:
        await deliver(stub, [gateway.submission(item(item_id=s10(n)), f"m-{n}") for n in range(5)])
    await gateway.until_answers(5)
    counts = await risk.until(lambda found: found["answers"]["acknowledged"] == 5)
    assert counts["answers"]["waiting"] == 0
    assert gateway.streams == 0


def _once(code: str) -> Callable[[int, str], None]:
    def trouble(count: int, _interchange_id: str) -> None:
        if count == 1:
            raise LookupError(code)

    return trouble


async def test_an_answer_that_is_refused_is_kept_and_can_be_sent_again(
    gateway: Gateway, start: Start
) -> None:
    gateway.refuse = lambda message: isinstance(message, RiskAssessment)
    risk = await start("risk")
    async with gateway.calling(risk.address) as stub:
        await stub.Submit(gateway.submission(ITEM, "m-1"))
    await risk.until(lambda counts: counts["answers"]["refused"] == 1)
    gateway.refuse = lambda message: False
    assert risk.command("--retry-refused").stdout == "1 answers wait again\n"
    (answer,) = await gateway.until_answers(1)
    assert answer.regards == "m-1"


async def test_a_refused_delivery_names_its_faults(gateway: Gateway, start: Start) -> None:
    risk = await start("risk")
    content = b'{"type":"ItemDeclaration","item_id":"X"}'
    broken = gateway.signed(content, "m-1", format_id=JSON, audience="customs-risk")
    async with gateway.calling(risk.address) as stub:
        reply = await stub.Submit(broken)
        good = await stub.Submit(gateway.submission(ITEM, "m-1"))
    assert reply.status == wire.STATUS_REFUSED
    paths = {fault.path for outcome in reply.outcomes for fault in outcome.faults}
    assert {"/mail_class", "/sender", "/pieces"} <= paths
    claims = receipt.verify(reply.receipt, gateway.keys("customs-risk"))
    assert (claims.status, claims.refused) == ("refused", 1)
    assert good.status == wire.STATUS_ACCEPTED


CASES: dict[str, tuple[Callable[[Gateway], wire.Submission], str]] = {
    "another audience": (
        lambda g: g.submission(ITEM, "m-1", audience="customs-revenue"),
        "signature.audience",
    ),
    "no signature": (
        lambda g: wire.Submission(interchange_id="m-1", format=JSON, content=b"{}"),
        "signature.missing",
    ),
    "changed content": (
        lambda g: wire.Submission(
            interchange_id="m-1",
            format=JSON,
            content=b"{}",
            signature=g.signed(b"[]", "m-1", format_id=JSON, audience="customs-risk").signature,
        ),
        "signature.invalid",
    ),
    "no id": (lambda g: wire.Submission(format=JSON, content=b"{}"), "interchange.id-missing"),
    "an odd id": (
        lambda g: wire.Submission(interchange_id="../x y", format=JSON, content=b"{}"),
        "interchange.id-invalid",
    ),
    "no content": (lambda g: wire.Submission(interchange_id="m-1", format=JSON), "body.empty"),
    "a format of others": (
        lambda g: g.signed(b"<x/>", "m-1", format_id="upu.itmatt.1", audience="customs-risk"),
        "format.unknown",
    ),
}


async def test_what_cannot_be_taken_at_all_has_its_problem(gateway: Gateway, start: Start) -> None:
    risk = await start("risk")
    async with gateway.calling(risk.address) as stub:
        for name, (make, code) in CASES.items():
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.Submit(make(gateway))
            metadata = dict(caught.value.trailing_metadata() or ())
            problem = wire.Problem.FromString(bytes(metadata["luxor-problem-bin"]))
            assert (name, problem.code) == (name, code)
        streamed = await deliver(stub, [CASES["no signature"][0](gateway)])
        assert streamed["m-1"].problem.code == "signature.missing"
        await stub.Submit(gateway.submission(ITEM, "m-1"))
        other = msgspec.structs.replace(ITEM, remark="other bytes")
        conflict = (await deliver(stub, [gateway.submission(other, "m-1")]))["m-1"]
        assert conflict.problem.code == "interchange.conflict"
    async with gateway.calling(risk.address, party="post-a") as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Submit(gateway.submission(ITEM, "m-2"))
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert risk.summary()["received"] == 1


async def test_a_receipt_can_be_asked_for_again(gateway: Gateway, start: Start) -> None:
    risk = await start("risk")
    async with gateway.calling(risk.address) as stub:
        reply = await stub.Submit(gateway.submission(ITEM, "m-1"))
        tracked = await stub.Track(wire.TrackRequest(interchange_id="m-1"))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Track(wire.TrackRequest(interchange_id="m-2"))
        keys = await stub.Keys(wire.KeysRequest())
    assert tracked.receipt == reply.receipt
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    shown = public_key(signing_key(keys.keys[0].public_key, kid=keys.keys[0].kid))
    assert receipt.verify(tracked.receipt, {shown.kid: shown}).gateway == keys.gateway


async def test_a_process_is_healthy_until_sigterm_and_ends_well(
    gateway: Gateway, start: Start, certs: Path
) -> None:
    risk = await start("risk")
    folder = certs / "parties" / GATEWAY
    credentials = grpc.ssl_channel_credentials(
        root_certificates=(certs / "root.pem").read_bytes(),
        private_key=(folder / "tls.key").read_bytes(),
        certificate_chain=(folder / "tls.pem").read_bytes(),
    )
    async with grpc.aio.secure_channel(risk.address, credentials) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        asked = health_pb2.HealthCheckRequest(service="exchange.v1.Exchange")
        answer = await health.Check(asked)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert (risk.folder / "ready").read_text() == f"{risk.address}\n"
    assert await risk.stop() == 0
    events = [line for line in risk.log().splitlines() if line]
    assert events
    assert all(line.startswith("{") for line in events)


async def test_the_configuration_is_checked_before_anything_starts(
    gateway: Gateway, start: Start
) -> None:
    risk = await start("risk")
    assert risk.command("--check").returncode == 0
    text = risk.config.read_text()
    risk.config.write_text(text.replace('party = "gateway-lx"', 'party = "nobody"'))
    wrong = risk.command("--check")
    assert wrong.returncode == 2
    assert "gateway.party: the registry has no party 'nobody'" in wrong.stderr
    risk.config.write_text(text.replace("administration", "adminstration"))
    assert "risk.adminstration: unknown key" in risk.command().stderr
    risk.config.write_text(text)
    busy = risk.command()
    assert busy.returncode == 2
    assert "another process has this ledger open" in busy.stderr
