"""What trust costs beside its bare arithmetic: `python -m bench.signatures`.

Microseconds of CPU for one signature, beside nothing but the call that proves or makes it.
The gate is all that stands between a submission and its content being read: whether this party may
send this, judged when the headers are there and again when the content is; the detached JWS over
the content; and what is kept of it as proof.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any, Final, cast

import msgspec
from lxml import etree

from bench import http_signatures, xml_signatures
from bench.results import Goal, goal_of
from bench.timing import least, verdict
from gateway.agreements import Agreements
from gateway.core.envelope import Bytes, Envelope, Transport
from gateway.core.identifiers import InterchangeId
from gateway.core.records import Proof
from gateway.pipeline.gateway import Gateway
from gateway.pipeline.inbound import Inbound
from gateway.pipeline.inbox import Inboxes
from gateway.pipeline.judge import Bench, Sender
from gateway.pipeline.ping import Pinging
from gateway.pipeline.plan import Network
from gateway.pipeline.settings import Limits
from gateway.routing import Endpoints, Routes
from gateway.store.memory import MemoryJournal
from gateway.telemetry.stages import Stages
from tests.trust.town import NOW, Town, authenticator, der, party
from translators.registry import standard
from translators.translator import FormatId
from trust.authority import KeyKind, generate_key
from trust.identity import Identity, PartyId
from trust.keys import KeySigner, signing_key
from trust.members import Grant
from trust.receipt import ReceiptClaims, sign
from trust.signatures.http.offer import prove_offer, read_offer
from trust.signatures.jws import sign_detached

CONTENT: Final = b'{"order":"' + b"x" * 1_480 + b'"}'
JSON: Final = FormatId("luxor.json.1")
SHOP, GATEWAY = PartyId("platform-shop"), PartyId("gateway-lx")
KINDS: Final[dict[str, KeyKind]] = {"Ed25519": "Ed25519", "ES256": "P-256"}
GRANTS: Final = (
    Grant(formats=("upu.*",), kinds=("ItemDeclaration",), countries=("*",)),
    Grant(formats=("luxor.json.1",), kinds=("Order", "Attachment"), countries=("*",)),
)
OF_VERIFYING: Final = {"Ed25519": 0.73, "ES256": 0.62}
"""At most 40 µs on top of the arithmetic, where that takes 106 and 64."""
OF_SIGNING: Final = 0.52
"""At most 20 µs on top of the 22 of ES256."""
OF_IDENTIFYING: Final = 0.075
"""At most 8 µs, said in verifications of Ed25519."""

OF_REQUEST: Final = 0.5
OF_XML: Final = 0.5
"""Reading and judging cost at most as much as the steps that none can do without."""


class Kept:
    """Takes the place of what judges content: it keeps the proof."""

    def __init__(self) -> None:
        self.proof: Proof | None = None
        self.stages = Stages()

    async def accept(self, sender: Sender, envelope: Envelope, **given: Any) -> object:
        """What the service would go on with."""
        self.proof = given["proof"]
        return sender


def done(work: Coroutine[Any, Any, object]) -> object:
    """The result of a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits for something")


class Gate:
    """A gateway that knows one party, which must sign."""

    def __init__(self, signer: KeySigner) -> None:
        town = Town("luxor")
        self.certificate = der(town.certificate(SHOP))
        key = signing_key(signer.public_pem, kid=signer.kid)
        self.known = authenticator(
            [town], party(SHOP, must_sign=True, signing_keys=(key,), grants=GRANTS)
        )
        self.kept = Kept()
        network = Network(
            routes=Routes(()),
            agreements=Agreements(()),
            minimisers={},
            endpoints=Endpoints.of(()),
            formats=standard(),
        )
        bench = Bench(gateway_number=1, network=network, regimes=(), severities={})
        limits = Limits()
        unused: Any = self
        self.gateway = Gateway(
            gateway_id=GATEWAY,
            authenticator=lambda: self.known,
            bench=lambda: bench,
            journal=MemoryJournal(gateway=1, clock=lambda: NOW),
            inbound=cast("Inbound", self.kept),
            inboxes=cast("Inboxes", unused),
            limits=lambda: limits,
            clock=lambda: NOW,
            signing_keys=unused,
            pinging=cast("Pinging", unused),
        )
        self.identity = self.known.identify(self.certificate, now=NOW)
        signature = sign_detached(
            CONTENT,
            signer=signer,
            interchange_id="bench-2026-11-22-0001",
            format=JSON,
            audience=GATEWAY,
            now=NOW,
        )
        self.envelope = Envelope(
            interchange_id=InterchangeId("bench-2026-11-22-0001"),
            format=JSON,
            content=Bytes(CONTENT),
            transport=Transport.HTTPS,
            received_at=NOW,
            signature=signature,
        )

    def passed(self) -> None:
        """One submission, from its headers to its content."""
        self.gateway.permit(
            self.identity,
            interchange_id=self.envelope.interchange_id,
            format_id=self.envelope.format,
        )
        done(self.gateway.accept(self.identity, self.envelope))

    def identified(self) -> Identity:
        """Who shows the certificate."""
        return self.known.identify(self.certificate, now=NOW)


def many(work: Callable[[], object], times: int) -> Callable[[], None]:
    """The same so often."""

    def repeated() -> None:
        for _ in range(times):
            work()

    return repeated


def bare_verification(signer: KeySigner) -> Callable[[], None]:
    """The arithmetic alone: content, signature and key are there."""
    prove, raw = signer.public_key.algorithm.message.prove, signer.public_key.raw
    return partial(prove, CONTENT, signer.sign(CONTENT), raw)


def verifying(times: int, rounds: int) -> Iterator[Goal]:
    """The gate beside the bare verification."""
    for name, kind in KINDS.items():
        signer = KeySigner(generate_key(kind))
        gate = Gate(signer)
        gate.passed()
        assert gate.kept.proof is not None
        bare, whole, identifying = least(
            times,
            many(bare_verification(signer), times),
            many(gate.passed, times),
            many(gate.identified, times),
            rounds=rounds,
        )
        yield goal_of(
            f"Trust: gate of a submission signed with {name}",
            baseline=bare,
            figure=whole,
            ratio=bare / whole,
            unit="µs",
            what=f"bare {name} verification / permit, detached JWS, proof of {len(CONTENT)} bytes",
            at_least=OF_VERIFYING[name],
        )
        if name == "Ed25519":
            yield goal_of(
                "Trust: certificate to party",
                baseline=bare,
                figure=identifying,
                ratio=identifying / bare,
                unit="µs",
                what="bare Ed25519 verification / identify, revocation and suspension judged anew",
                at_most=OF_IDENTIFYING,
            )


def signing(times: int, rounds: int) -> Iterator[Goal]:
    """A receipt beside the bare signature."""
    signer = KeySigner(generate_key("P-256"))
    claims = ReceiptClaims(
        gateway=GATEWAY,
        party=SHOP,
        record=(1 << 40) + 12_345,
        interchange_id="bench-2026-11-22-0001",
        attempt=1,
        format=JSON,
        digest="ab" * 32,
        size=len(CONTENT),
        received_at=NOW,
        status="accepted",
        accepted=1,
        refused=0,
        outcomes="cd" * 32,
    )
    encoded = msgspec.json.encode(claims)
    bare, whole = least(
        times,
        many(lambda: signer.sign(encoded), times),
        many(lambda: sign(claims, signer), times),
        rounds=rounds,
    )
    yield goal_of(
        "Trust: signed receipt",
        baseline=bare,
        figure=whole,
        ratio=bare / whole,
        unit="µs",
        what="bare ES256 signature / receipt as a compact JWS",
        at_least=OF_SIGNING,
    )


def requests(times: int, rounds: int) -> Iterator[Goal]:
    """A signed request beside the bare verification."""
    signer = KeySigner(generate_key("P-256"))
    keys, message = {signer.kid: signer.public_key}, http_signatures.signed(signer)

    def proved() -> None:
        offer = read_offer(
            message, content=True, names=http_signatures.NAMES, now=http_signatures.NOW
        )
        prove_offer(offer, keys)

    bare, whole = least(
        times, many(bare_verification(signer), times), many(proved, times), rounds=rounds
    )
    yield goal_of(
        "Trust: signed HTTP request",
        baseline=bare,
        figure=whole,
        ratio=bare / whole,
        unit="µs",
        what="bare ES256 verification / a request of RFC 9421 read, judged and proved",
        at_least=OF_REQUEST,
    )


def documents(times: int, rounds: int) -> Iterator[Goal]:
    """A signature inside XML beside the steps that none can do without."""
    content, signer = xml_signatures.signed(generate_key("P-256"), 12)
    bare_signature = bare_verification(signer)

    def steps() -> None:
        document = etree.fromstring(content)
        info = document[-1][0]
        for covered in (document, info):
            hashlib.sha256(etree.tostring(covered, method="c14n", exclusive=True)).digest()
        bare_signature()

    bare, whole = least(
        times,
        many(steps, times),
        many(xml_signatures.by_us(content, signer), times),
        rounds=rounds,
    )
    yield goal_of(
        "Trust: signature inside XML",
        baseline=bare,
        figure=whole,
        ratio=bare / whole,
        unit="µs",
        what=f"parse, two canonical forms and digests, ES256 / the strict verifier, "
        f"{len(content)} bytes",
        at_least=OF_XML,
    )


def measure(*, quick: bool) -> Iterator[Goal]:
    """All of it."""
    times, rounds = (300, 5) if quick else (2_000, 9)
    yield from verifying(times, rounds)
    yield from signing(times, rounds)
    yield from requests(times, rounds)
    yield from documents(times, rounds)


def main() -> None:
    """Print the goals."""
    for goal in measure(quick=False):
        figures = f"{goal.baseline:6.1f} {goal.figure:6.1f} {goal.ratio:7.3f} {goal.bar:8}"
        print(f"{goal.goal:52} {figures} {verdict(met=goal.passed)}")


if __name__ == "__main__":
    main()
