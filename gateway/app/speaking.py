"""The gateway as a party: what it signs, and what it sends itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from gateway.app.clock import utc_now
from gateway.config.assemble import NOTICE_KIND
from gateway.config.directory import Directory
from gateway.core.envelope import Envelope
from gateway.core.records import State, Stored
from gateway.pipeline.inbound import Inbound
from gateway.pipeline.judge import Sender
from gateway.pipeline.notices import NOTICE_FORMAT
from gateway.pipeline.signing import SigningDesk
from gateway.telemetry import Telemetry
from translators.translator import FormatId
from trust.identity import PartyId
from trust.keys import Signer
from trust.members import Grant
from trust.signatures.jws import sign_detached

NOTICE_GRANT = Grant(formats=(NOTICE_FORMAT,), kinds=(NOTICE_KIND,), countries=("*",))

Signs = Callable[[bytes, str, FormatId, PartyId], Awaitable[str]]
"""From content, its id, its format and for whom it is to a detached JWS of ours."""


def signs_with(desk: SigningDesk) -> Signs:
    """Our signature, made wherever the key is."""

    async def sign(content: bytes, jti: str, format_id: FormatId, audience: PartyId) -> str:
        def made(signer: Signer) -> str:
            return sign_detached(
                content,
                signer=signer,
                interchange_id=jti,
                format=format_id,
                audience=audience,
                now=utc_now(),
            )

        return await desk.sign(made)

    return sign


def submits_as(
    own: PartyId, inbound: Inbound, directory: Directory, *, telemetry: Telemetry
) -> Callable[[Envelope], Awaitable[Stored]]:
    """The gateway as a sender: granted its notices and nothing else."""

    async def submit(envelope: Envelope) -> Stored:
        party = msgspec.structs.replace(
            directory.parties.party(own), grants=(NOTICE_GRANT,), must_sign=False
        )
        identity = directory.authenticator.configured(own)
        stored = await inbound.accept(Sender(identity, party, own=True), envelope)
        if stored.state is State.REFUSED:  # somebody waits for it who will never hear
            telemetry.of("notices").error(
                "notice.refused", interchange_id=stored.interchange_id, record=stored.record
            )
        return stored

    return submit
