"""Real listeners over a fake service, and parties that call them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import msgspec
import pytest

from gateway.client.credentials import Credentials, Peer
from gateway.core.identifiers import InterchangeId, MessageId, RecordNumber
from gateway.core.records import Outcome, State, Stored
from gateway.ingress.grpc.server import GrpcIngress
from gateway.ingress.grpc.settings import GrpcSettings
from gateway.ingress.http.server import HttpIngress
from gateway.ingress.http.settings import HttpSettings
from gateway.ingress.tls import ServerTls
from gateway.pipeline.service import InboxMessage
from tests.fakes import NOW, FakeService, Seen, clock
from tests.pki import Pki
from translators.faults import Fault
from translators.registry import standard
from translators.translator import FormatId
from trust import receipt
from trust.authority import generate_key, private_key_pem
from trust.identity import PartyId
from trust.keys import KeySigner
from trust.signatures.jws import sign_detached

PARTY = PartyId("post-a")
GATEWAY = PartyId("gateway")
JSON = FormatId("luxor.json.1")


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session")
def foreign_pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"), name="foreign")


@pytest.fixture(scope="session")
def signer() -> KeySigner:
    return KeySigner(generate_key("P-256"), kid="gateway-1")


@pytest.fixture(scope="session")
def peer(signer: KeySigner) -> Peer:
    return Peer(id=GATEWAY, keys={signer.kid: signer.public_key})


@pytest.fixture(scope="session")
def credentials(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    certificate, key = pki.issue(PARTY)
    signing_key = tmp_path_factory.mktemp("keys") / "signing.key"
    signing_key.write_bytes(private_key_pem(generate_key("Ed25519")))
    return Credentials(
        certificate=certificate,
        key=key,
        authority=pki.authority_file,
        signing_key=signing_key,
    )


@pytest.fixture
async def service(signer: KeySigner) -> FakeService:
    return FakeService(formats=standard(), signer=signer, gateway_id=GATEWAY)


@pytest.fixture
async def https(pki: Pki, service: FakeService) -> AsyncIterator[HttpIngress]:
    certificate, key = pki.issue(GATEWAY)
    listener = HttpIngress(
        service=service,
        telemetry=Seen().telemetry,
        clock=clock,
        tls=ServerTls(certificate=certificate, key=key, authorities=pki.authority),
        host="127.0.0.1",
        port=0,
        settings=HttpSettings(drain=2.0, lingering=0.5),
    )
    await listener.start()
    yield listener
    await listener.stop()


@pytest.fixture
async def grpc(pki: Pki, service: FakeService) -> AsyncIterator[GrpcIngress]:
    certificate, key = pki.issue(GATEWAY)
    listener = GrpcIngress(
        service=service,
        telemetry=Seen().telemetry,
        clock=clock,
        tls=ServerTls(certificate=certificate, key=key, authorities=pki.authority),
        host="127.0.0.1",
        port=0,
        settings=GrpcSettings(message_bytes=200_000, window=4, drain=2.0),
    )
    await listener.start()
    yield listener
    await listener.stop()


Remember = Callable[[str, int], tuple[Outcome, ...]]


@pytest.fixture
def remember(service: FakeService, signer: KeySigner) -> Remember:
    """Put an interchange with many outcomes into the service, every tenth refused."""

    def put(interchange_id: str, count: int) -> tuple[Outcome, ...]:
        outcomes = tuple(_outcome(ordinal) for ordinal in range(1, count + 1))
        document = msgspec.json.encode(outcomes)
        refused = sum(outcome.status is State.REFUSED for outcome in outcomes)
        claims = receipt.ReceiptClaims(
            gateway=GATEWAY,
            party=PARTY,
            record=7,
            interchange_id=interchange_id,
            attempt=1,
            format=JSON,
            digest=hashlib.sha256(b"content").hexdigest(),
            size=7,
            received_at=NOW,
            status="accepted",
            accepted=count - refused,
            refused=refused,
            outcomes=hashlib.sha256(document).hexdigest(),
        )
        service.stored[PARTY, interchange_id] = Stored(
            record=RecordNumber(7),
            party=PARTY,
            interchange_id=InterchangeId(interchange_id),
            attempt=1,
            state=State.ACCEPTED,
            format=JSON,
            transport="https",
            digest=claims.digest,
            size=7,
            received_at=NOW,
            accepted=claims.accepted,
            refused=refused,
            receipt=receipt.sign(claims, signer),
            outcomes=document,
        )
        return outcomes

    return put


def _outcome(ordinal: int) -> Outcome:
    if ordinal % 10:
        return Outcome(
            ordinal=ordinal,
            status=State.ACCEPTED,
            kind="ItemDeclaration",
            key=f"K{ordinal}",
            message_id=MessageId(f"m-{ordinal}"),
        )
    fault = Fault(code="decimal.invalid", path="/gross_weight", detail="é", line=ordinal)
    return Outcome(ordinal=ordinal, status=State.REFUSED, key=f"K{ordinal}", faults=(fault,))


def waiting(
    contents: Sequence[bytes], signer: KeySigner, *, party: str = PARTY
) -> Iterator[InboxMessage]:
    """Messages for a party's inbox, signed for ``party``."""
    for number, content in enumerate(contents):
        yield InboxMessage(
            message_id=MessageId(f"m-{number}"),
            kind="RiskAssessment",
            format=JSON,
            content=content,
            accepted_at=NOW,
            signature=sign_detached(
                content,
                signer=signer,
                interchange_id=f"m-{number}",
                format=JSON,
                audience=party,
                now=NOW,
            ),
        )
