"""One more story: customs asks about an item, the post answers, and meanwhile the item waits."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from gateway.client.credentials import development
from gateway.client.https import PartyClient
from gateway.demo.ledger import Ledger
from gateway.demo.patience import until
from gateway.demo.plan import JSON, document
from gateway.demo.topology import Topology
from translators.canonical import (
    AttachedFile,
    Information,
    Message,
    Office,
    Question,
    Referral,
    ReferralAnswer,
)
from translators.registry import standard
from translators.translator import decode

PICTURE = b"\x89PNG\r\n\x1a\n not much of a picture"
ASKED, ANSWERED, GOES = "wait referral.open", "wait referral.answered", "yes"
AUTHORITY = Office(code="LU")


class ReferralStory:
    """Plays it over HTTPS, as the software of customs and of the post would."""

    def __init__(
        self, topology: Topology, ledger: Ledger, *, item: str, at: datetime, seed: str
    ) -> None:
        """``item`` is one that customs lets go in the end."""
        self._topology = topology
        self._ledger = ledger
        self._item = item
        self._at = at
        self._seed = seed
        self._formats = standard()
        self._reference = f"RFI-{at:%Y%m%d%H%M%S}"

    async def play(self) -> None:
        """Ask, answer, end; after each step the item's clearance must be what follows from it."""
        self._ledger.expect("post-a", "Referral", 2)
        self._ledger.expect("customs-risk", "Referral", 1)
        async with self._client("post-a") as post, self._client("customs-risk") as customs:
            await self._until(post, GOES)
            await self._send(customs, "customs-risk", "ask", self._question())
            asked = await self._got(post, "post-a")
            await self._until(post, ASKED)
            await self._send(post, "post-a", "answer", self._answer())
            (answer,) = await self._got(customs, "customs-risk")
            await self._until(post, ANSWERED)
            if not isinstance(answer, Referral) or answer.answers != self._answer().answers:
                self._ledger.surprise("customs got another answer than the post gave")
            await self._send(customs, "customs-risk", "end", self._end())
            ended = await self._got(post, "post-a")
            await self._until(post, GOES)
        self._ledger.got("post-a", "Referral", len(asked) + len(ended))
        self._ledger.got("customs-risk", "Referral", 1)

    def _client(self, party: str) -> PartyClient:
        credentials, gateway = development(self._topology.certs, party)
        return PartyClient(self._topology.url("gateway-lx"), credentials, gateway=gateway)

    async def _send(self, client: PartyClient, party: str, step: str, message: Referral) -> None:
        reference = f"{self._seed}-{step}-{self._reference}"
        answer = await client.submit(
            document(message, JSON, reference=reference, at=self._at),
            interchange_id=reference,
            format=JSON,
        )
        if answer.claims.refused:
            self._ledger.surprise(f"the referral of {party} was refused ({step})")
        self._ledger.sent(party, "Referral", answer.claims.accepted)

    async def _got(self, client: PartyClient, party: str) -> list[Message]:
        """What comes into the party's inbox next, acknowledged."""

        async def look() -> list[Message] | None:
            page = await client.inbox(wait=5, format=JSON)
            if page.cursor is None:
                return None
            await client.acknowledge(page.cursor)
            return [
                message
                for entry in page.messages
                for message in decode(self._formats.get(entry.format), entry.content).messages
            ]

        return await until(look, what=f"{party} gets a referral")

    async def _until(self, client: PartyClient, expected: str) -> None:
        """The clearance of the item becomes what is expected: yes, or an answer and its reason."""

        async def look() -> str | None:
            (answer,) = await client.clearance([self._item])
            said = f"{answer.answer} {answer.reason}"
            return said if said.startswith(expected) else None

        said = await until(look, what=f"{self._item} is answered {expected}")
        self._ledger.step(f"may {self._item} go? {said}")

    def _question(self) -> Referral:
        return Referral(
            reference=self._reference,
            kind="RFI",
            issued_at=self._at,
            reply_before=self._at + timedelta(hours=4),
            authority=AUTHORITY,
            item_ids=(self._item,),
            questions=(Question(code="DESCR", text="What is it made of?"),),
        )

    def _answer(self) -> Referral:
        given = ReferralAnswer(
            item_id=self._item,
            answered_at=self._at,
            information=(Information(code="DESCR", text="Of wool"),),
            attachments=(
                AttachedFile(
                    media_type="image/png",
                    name="item.png",
                    digest=hashlib.sha256(PICTURE).hexdigest(),
                    size=len(PICTURE),
                    content=PICTURE,
                ),
            ),
        )
        return Referral(
            reference=self._reference,
            kind="RFI",
            issued_at=self._at,
            authority=AUTHORITY,
            answers=(given,),
        )

    def _end(self) -> Referral:
        return Referral(
            reference=self._reference,
            kind="AC",
            issued_at=self._at,
            completed_at=self._at,
            authority=AUTHORITY,
            item_ids=(self._item,),
        )
