"""One path against the evidence of its authority: what must be shown, and whether it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

import msgspec
from asn1crypto import x509 as asn1  # type: ignore[import-untyped] # it has no types
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from trust.chain import Link, Path
from trust.errors import TrustError
from trust.lists import RevocationList, latest, speaking_of
from trust.members import Require
from trust.ocsp import Answer, Status
from trust.pkix import SKEW, Examination, Strictness, Unproven

UNKNOWN: Final = "the responder does not know the certificate"
UNPROVED: Final = "the answer of the responder is not proved"


class Issuers(msgspec.Struct, frozen=True):
    """One authority: who may sign lists for it, and what they have signed."""

    require: Require
    policies: tuple[str, ...]
    certificates: tuple[x509.Certificate, ...]
    parsed: tuple[asn1.Certificate, ...]
    lists: tuple[RevocationList, ...]


def parsed(certificate: x509.Certificate) -> asn1.Certificate:
    """The certificate for stage two."""
    return asn1.Certificate.load(certificate.public_bytes(Encoding.DER), strict=True)


class Case:
    """A path, the evidence of the authority that it ends in, and the time at which it is judged."""

    __slots__ = ("_answers", "_chain", "_examination", "_issuers", "_now", "_path", "_serials")

    def __init__(
        self,
        issuers: Issuers,
        answers: Mapping[Link, Answer],
        path: Path,
        now: datetime,
        strictness: Strictness,
    ) -> None:
        """On a hostile certificate this and every method may raise anything, which means no."""
        self._issuers: Final = issuers
        self._answers: Final = answers
        self._path: Final = path
        self._now: Final = now
        known = dict(zip(issuers.certificates, issuers.parsed, strict=True))
        self._chain: Final = tuple(known.get(each) or parsed(each) for each in path.chain)
        self._examination: Final = Examination(
            self._chain, beside=issuers.parsed, now=now, strictness=strictness
        )
        self._serials: Final = frozenset(
            each.serial_number for each in (*path.chain, *issuers.certificates)
        )

    def check_path(self) -> None:
        """The path alone, whatever the evidence; raises ``certificate.untrusted``."""
        self._examination.check_path(self._issuers.policies)

    def judge(self) -> None:
        """The path, then each certificate from the root down; raises what is wrong with it."""
        self.check_path()
        for at in reversed(range(len(self._path.links))):
            reasons = {"crl": self.lists_fail(at), "ocsp": self.answer_fails(at)}
            match self.require(at):
                case "either":
                    needed = reasons if all(reasons.values()) else {}
                case "both":
                    needed = reasons
                case kind:
                    needed = {kind: reasons[kind]}
            reason = next((text for text in needed.values() if text), "")
            if reason:
                self._judge_stale(at)
                raise TrustError("revocation.unavailable", reason)

    def require(self, at: int) -> Require:
        """What must show that certificate ``at`` counts: above the leaf whatever there is."""
        if at and self._issuers.require != "crl":
            return "either"
        return self._issuers.require

    def answer(self, at: int) -> Answer | None:
        """The answer in force about certificate ``at``."""
        found = self._answers.get(self._path.links[at])
        return found if found is not None and found.holds(self._now) else None

    def lists_fail(self, at: int) -> str:
        """Why the lists do not show that certificate ``at`` counts; empty if they do.

        Raises ``certificate.revoked`` if they show the contrary.
        """
        lists = speaking_of(self._chain, at, self._issuers.lists, now=self._now)
        if not lists:
            own = self._chain[at].issuer.hashable
            if any(each.issuer == own for each in self._issuers.lists):
                return "a revocation list is not in force"
            return "an issuer has no revocation list"
        try:
            self._examination.check_lists(at, [each.about(self._serials) for each in lists])
        except Unproven:
            return "the revocation lists do not cover the certificate"
        return ""

    def answer_fails(self, at: int) -> str:
        """Why no answer shows that certificate ``at`` counts; empty if one does.

        Raises ``certificate.revoked`` if it shows the contrary.
        """
        found = self.answer(at)
        if found is None:
            return "no responder has said that the certificate is good"
        # The responder's own certificate is judged with all that stands above it.
        lists = {
            id(each): each
            for above in range(at, len(self._path.links))
            for each in speaking_of(self._chain, above, self._issuers.lists, now=self._now)
        }
        serials = self._serials | found.serials
        try:
            self._examination.check_answer(
                at, found.response, [each.about(serials) for each in lists.values()]
            )
        except Unproven as error:
            proven = not str(error)
            return UNKNOWN if proven and found.status is Status.UNKNOWN else UNPROVED
        return ""

    def edges(self) -> Iterator[datetime]:
        """Every time at which something that the judgement rests on begins or ends."""
        for certificate in (*self._path.chain, *self._issuers.certificates):
            yield certificate.not_valid_before_utc
            yield certificate.not_valid_after_utc
        for found in self._issuers.lists:
            yield found.this_update - SKEW
            yield found.next_update
        for link in self._path.links:
            answer = self._answers.get(link)
            if answer is not None:
                yield answer.this_update - SKEW
                yield answer.until
                yield from answer.edges

    def _judge_stale(self, at: int) -> None:
        """What a list has called revoked stays so when it runs out before the next one came."""
        own, serial = self._chain[at].issuer.hashable, self._path.chain[at].serial_number
        lists = latest(self._issuers.lists, now=self._now)
        if any(each.issuer == own and serial in each.serials for each in lists):
            raise TrustError("certificate.revoked")
