"""A ping says who the caller is, is proved both ways, and is made out to nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from gateway.core.errors import Refused
from gateway.core.identifiers import MessageId
from gateway.pipeline.echo import Echo
from gateway.pipeline.ping import PING_FORMAT, Pinging, Pong
from translators.translator import FormatId
from trust.authenticator import Authenticator
from trust.authority import generate_key
from trust.errors import TrustError
from trust.identity import Identity, PartyId
from trust.keys import KeySigner, public_keys, signing_key
from trust.party import Grant, Party, Registry
from trust.revocation import Revocations
from trust.signatures.jws import sign_detached, verify_detached

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
GATEWAY, POST = PartyId("gateway-lx"), PartyId("post-a")
OWN, THEIRS, STRANGER = (KeySigner(generate_key("P-256")) for _ in range(3))
NONCE = "abcdefghijklmnop"
QUESTION = b'{"nonce":"abcdefghijklmnop"}'
GRANT = Grant(formats=("upu.itmatt.1",), kinds=("ItemDeclaration",), countries=("LU",))


def pinging(**fields: object) -> Pinging:
    post = Party(
        id=POST,
        roles=frozenset({"post"}),
        grants=(GRANT,),
        signing_keys=(signing_key(THEIRS.public_pem),),
    )
    registry = Registry(parties=[Party(id=GATEWAY), msgspec.structs.replace(post, **fields)])
    authenticator = Authenticator(registry, Revocations())

    async def sign(content: bytes, jti: MessageId, format_id: FormatId, audience: PartyId) -> str:
        return sign_detached(
            content, signer=OWN, interchange_id=jti, format=format_id, audience=audience, now=NOW
        )

    return Pinging(
        gateway_id=GATEWAY,
        authenticator=lambda: authenticator,
        sign=sign,
        clock=lambda: NOW,
        max_age=lambda: timedelta(seconds=300),
    )


def signed(
    signer: KeySigner = THEIRS,
    *,
    nonce: str = NONCE,
    audience: str = GATEWAY,
    format_id: str = PING_FORMAT,
    now: datetime = NOW,
) -> str:
    return sign_detached(
        QUESTION, signer=signer, interchange_id=nonce, format=format_id, audience=audience, now=now
    )


async def asked(
    service: Pinging, signature: str | None, *, content: bytes = QUESTION, proved: str | None = None
) -> Echo:
    identity = Identity(party=POST, roles=frozenset({"post"}))
    return await service.answer(identity, content, signature=signature, proved=proved)


async def test_the_answer_names_the_caller_its_rights_and_the_nonce() -> None:
    echo = await asked(pinging(), signed())
    told = msgspec.json.decode(echo.content, type=Pong)

    assert (GATEWAY, POST, ("post",), NONCE, NOW) == (
        *(told.gateway, told.party, told.roles, told.nonce, told.at),
    )
    assert [("send", ("upu.itmatt.1",), ("ItemDeclaration",), ("LU",))] == [
        (right.direction, right.formats, right.kinds, right.countries) for right in told.rights
    ]
    assert signing_key(THEIRS.public_pem).kid == told.signed_by


async def test_the_answer_is_signed_for_the_caller_and_for_this_question_alone() -> None:
    echo = await asked(pinging(), None)
    keys = public_keys([signing_key(OWN.public_pem)])

    def verified(*, nonce: str = NONCE, format_id: str = PING_FORMAT, audience: str = POST) -> str:
        return verify_detached(
            echo.signature,
            echo.content,
            keys=keys,
            interchange_id=nonce,
            format=format_id,
            audience=audience,
            now=NOW,
        )

    assert signing_key(OWN.public_pem).kid == verified()
    others = ({"nonce": "x" * 16}, {"format_id": "luxor.json.1"}, {"audience": "post-b"})
    for other in others:
        with pytest.raises(TrustError):
            verified(**other)


@pytest.mark.parametrize(
    ("signature", "code"),
    [
        (signed(STRANGER), "signature.key-unknown"),
        (signed(nonce="another-nonce-16"), "signature.interchange"),
        (signed(audience="gateway-fr"), "signature.audience"),
        (signed(format_id="luxor.json.1"), "signature.format"),
        (signed(now=NOW - timedelta(seconds=301)), "signature.stale"),
    ],
)
async def test_a_signature_that_does_not_hold_is_refused_with_its_reason(
    signature: str, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        await asked(pinging(), signature)

    assert code == refused.value.code


async def test_who_must_sign_is_told_so_unless_the_request_is_signed() -> None:
    with pytest.raises(Refused) as refused:
        await asked(pinging(must_sign=True), None)
    echo = await asked(pinging(must_sign=True), None, proved="its-key")

    assert "signature.missing" == refused.value.code
    assert "its-key" == msgspec.json.decode(echo.content, type=Pong).signed_by


async def test_a_party_that_was_suspended_meanwhile_gets_no_answer() -> None:
    with pytest.raises(Refused) as refused:
        await asked(pinging(suspended=True), signed())

    assert "party.suspended" == refused.value.code


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"nonce":"short"}', b'{"nonce":"abcdefghijklmnop","x":1}', b"\xff"]
)
async def test_what_is_no_ping_is_refused(content: bytes) -> None:
    with pytest.raises(Refused) as refused:
        await asked(pinging(), None, content=content)

    assert "request.invalid" == refused.value.code
