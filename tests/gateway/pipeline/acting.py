"""A whole gateway in this process whose parties act for each other: real proofs, memory journal."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.core.envelope import Bytes, Envelope, Transport
from gateway.core.errors import Refused
from gateway.core.identifiers import InterchangeId
from gateway.core.records import Stored
from gateway.pipeline.gateway import Gateway
from gateway.pipeline.settings import Limits
from tests.gateway.pipeline.conftest import ALL, FORMATS, JSON, Middle
from translators.canonical import Interchange, Message
from translators.translator import encode
from trust.authenticator import Authenticator
from trust.authority import generate_key
from trust.delegation import Delegation, sign
from trust.identity import Identity, PartyId
from trust.keys import KeySigner, signing_key
from trust.members import Party
from trust.party import Registry
from trust.revocation import Revocations
from trust.signatures.jws import sign_detached

BROKER, POST_B = PartyId("broker"), PartyId("post-b")
KEYS = {name: KeySigner(generate_key("P-256")) for name in ("broker", "post-a", "post-b")}
GATEWAY = "gateway-lx"


class Unused:
    """Stands where a test needs nothing."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"nobody asks for {name} here")


def member(name: str, **fields: Any) -> Party:
    """A party that may send everything and sign it."""
    key = signing_key(KEYS[name].public_pem)
    usual: dict[str, Any] = {
        "roles": frozenset({"post" if name.startswith("post") else "broker"}),
        "grants": (ALL,),
        "signing_keys": (key,),
    }
    return Party(id=PartyId(name), **{**usual, **fields})


class Acting:
    """The middle of a gateway, and the gateway around it, with a broker and two posts."""

    def __init__(self, middle: Middle, **broker: Any) -> None:
        self.middle = middle
        granted = msgspec.structs.replace(ALL, on_behalf_of=("post-*",))
        others = [party for party in middle.parties.parties.values() if party.id not in KEYS]
        self.install(
            *others,
            member("broker", **{"grants": (granted,), **broker}),
            member("post-a"),
            member("post-b"),
            delegations=[self.token("post-a"), self.token("post-b")],
        )
        self.gateway = Gateway(
            gateway_id=GATEWAY,
            authenticator=lambda: self.authenticator,
            bench=middle.bench,
            journal=middle.journal,
            inbound=middle.inbound,
            inboxes=Unused(),  # type: ignore[arg-type] # these tests look into no inbox
            limits=Limits,
            clock=middle.clock,
            signing_keys=Unused(),  # type: ignore[arg-type] # nor at the gateway's own keys
            pinging=Unused(),  # type: ignore[arg-type] # nor ask who they are
        )

    def install(self, *parties: Party, delegations: list[str] | None = None) -> None:
        """Put another registry in force; without ``delegations`` they stay."""
        if delegations is None:
            delegations = [each.token for each in self.middle.parties.delegations]
        self.middle.parties = Registry(parties=parties, delegations=delegations)
        self.authenticator = Authenticator(self.middle.parties, Revocations.from_files((), {}))

    def change(self, name: str, **fields: Any) -> None:
        """Change one party's registration."""
        found = self.middle.parties.party(PartyId(name))
        changed = msgspec.structs.replace(found, **fields)
        parties = {**self.middle.parties.parties, found.id: changed}
        self.install(*parties.values())

    def token(self, delegator: str, **limits: Any) -> str:
        """A delegation to the broker, for all and a year."""
        now = int(self.middle.now.timestamp())
        claims: dict[str, Any] = {
            "id": "d-1",
            "gateways": (PartyId(GATEWAY),),
            "kinds": ("*",),
            "not_before": now,
            "not_after": now + 365 * 86_400,
            **limits,
        }
        return sign(
            Delegation(delegator=PartyId(delegator), delegate=BROKER, issued_at=now, **claims),
            KEYS[delegator],
        )

    async def send(
        self,
        *messages: Message,
        sender: str = "broker",
        on_behalf_of: str | None = None,
        identifier: str = "i-1",
        content: bytes | None = None,
        format_id: Any = JSON,
        signer: KeySigner | None = None,
        signed_for: str | None = None,
    ) -> Stored:
        """Submit as that party, signed in the name of ``signed_for`` when there is a signer."""
        if content is None:
            content = encode(FORMATS.get(JSON), Interchange(messages=messages))
        signature = None
        if signer is not None:
            signature = sign_detached(
                content,
                signer=signer,
                interchange_id=identifier,
                format=format_id,
                audience=GATEWAY,
                now=self.middle.now,
                on_behalf_of=signed_for,
            )
        party = self.middle.parties.party(PartyId(sender))
        return await self.gateway.accept(
            Identity(party=party.id, roles=party.roles),
            Envelope(
                interchange_id=InterchangeId(identifier),
                format=format_id,
                content=Bytes(content),
                transport=Transport.HTTPS,
                received_at=self.middle.now,
                signature=signature,
                on_behalf_of=on_behalf_of,
            ),
        )

    async def refused(self, *messages: Message, **given: Any) -> str:
        """The code by which a submission is refused as a whole."""
        try:
            await self.send(*messages, **given)
        except Refused as refused:
            return refused.code
        return ""
