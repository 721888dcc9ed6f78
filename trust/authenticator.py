"""The authenticator: from a certificate or a signature to a party, or a ``TrustError``.

Whose certificate it is was proved once (``trust.binding``). Whether it holds now (validity,
revocation, suspension) is judged on every call, so that it bites connections that stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from trust.binding import Binding, Bindings
from trust.chain import Path
from trust.errors import TrustError
from trust.identity import Identity, Method, PartyId
from trust.keys import PublicKey, public_keys
from trust.members import Identification, Party
from trust.party import Registry
from trust.revocation import Question, Revocations
from trust.signatures.http.offer import Offer, prove_offer
from trust.signatures.jws import MAX_AGE, Verifier

_BY: Mapping[Method, Identification | None] = MappingProxyType(
    {"mtls": "certificate", "http-signature": "signature", "folder": None}
)
"""What a registration calls the ways to come."""


class Authenticator:
    """Proves who sends, by one registry and one set of revocation lists. Change makes another."""

    __slots__ = ("_bindings", "_keys", "registry", "revocations")

    def __init__(
        self,
        registry: Registry,
        revocations: Revocations,
        *,
        bindings: Bindings | None = None,
        keys: Mapping[PartyId, Mapping[str, PublicKey]] | None = None,
    ) -> None:
        """Reads every key of the registry once; ``bindings`` and ``keys`` must be those of it."""
        self.registry: Final = registry
        self.revocations: Final = revocations
        self._bindings = bindings or Bindings(registry)
        self._keys: Mapping[PartyId, Mapping[str, PublicKey]] = keys or {
            party.id: public_keys(party.signing_keys) for party in registry.parties.values()
        }

    def with_revocations(self, revocations: Revocations) -> Authenticator:
        """The same registry under newer evidence; what was proved about certificates is kept."""
        return Authenticator(self.registry, revocations, bindings=self._bindings, keys=self._keys)

    def missing(self, der: bytes, *, now: datetime) -> tuple[Question, ...]:
        """What responders have to be asked before the certificate can count.

        Nothing for a certificate that does not count for other reasons, so that nobody but a
        registered party makes a gateway ask.
        """
        try:
            binding = self._bindings.find(der, now=now)
            paths = [path for path in binding.paths if _in_time(path, now)]
            asked = [self.revocations.missing(path, now=now) for path in paths]
        except TrustError:
            return ()
        return tuple(question for questions in asked for question in questions)

    def seen(self) -> tuple[Binding, ...]:
        """Whose client certificates were shown lately, for whoever watches when they end."""
        return self._bindings.seen()

    def identify(self, der: bytes, *, now: datetime) -> Identity:
        """The party whose client certificate this is.

        ``der`` is what TLS gave for this connection. Raises ``TrustError`` with a code
        ``certificate.*``, ``revocation.unavailable`` or ``party.*``.
        """
        binding = self._bindings.find(der, now=now)
        self._judge(binding, now)
        _judge_standing(binding.party, by="certificate")
        return binding.identity

    def signed(self, offer: Offer, *, now: datetime) -> Identity:
        """The party that signed a request, identified by that alone.

        The signature must not count twice: the caller remembers its nonce. Raises ``signature.*``
        or ``party.*``; a party that is not known and a key that is not known look the same.
        """
        self.signer(offer, now=now)
        party = self.registry.party(offer.party)
        _judge_standing(party, by="signature")
        return Identity(party=party.id, roles=party.roles, method="http-signature")

    def signer(self, offer: Offer, *, now: datetime) -> PublicKey:
        """The key, in force now, with which ``offer.party`` signed a request."""
        key = prove_offer(offer, self.keys(offer.party))
        key.judge_time(now)  # told to the key's holder alone
        return key

    def still(self, identity: Identity) -> None:
        """Raise ``party.*`` when somebody who was identified some time ago may not go on.

        Content can be long in coming, and the registry changes meanwhile. What a certificate or
        a signature shows has to be judged again by whoever has it.
        """
        _judge_standing(self.registry.party(identity.party), by=_BY[identity.method])

    def configured(self, party: PartyId, *, method: Method = "folder") -> Identity:
        """The party to which the operator gave a channel of its own, such as a watched folder."""
        found = self.registry.party(party)
        _judge_standing(found, by=None)
        return Identity(party=found.id, roles=found.roles, method=method)

    def keys(self, party: PartyId) -> Mapping[str, PublicKey]:
        """The registered signing keys of a party by name; empty for a party without."""
        return self._keys.get(party, {})

    def verifier(
        self,
        identity: Identity,
        *,
        signature: str | None,
        interchange_id: str,
        format: str,  # noqa: A002 - the word that the whole project uses
        audience: str,
        now: datetime,
        max_age: timedelta = MAX_AGE,
    ) -> Verifier | None:
        """What proves the signature once it was fed the content; ``None`` without a signature.

        A signature that came is always proved, with the keys of this party and no others, and
        for the principal of the identity. Raises ``signature.missing`` when the party must sign,
        or that in whose name it sends, and whatever ``Verifier`` raises.
        """
        if not signature:
            senders = (identity.party, identity.on_behalf_of)
            if any(self.registry.party(one).must_sign for one in senders if one is not None):
                raise TrustError("signature.missing")
            return None
        return Verifier(
            signature,
            keys=self.keys(identity.party),
            interchange_id=interchange_id,
            format=format,
            audience=audience,
            now=now,
            max_age=max_age,
            on_behalf_of=identity.on_behalf_of,
        )

    def verify(
        self,
        identity: Identity,
        content: bytes,
        *,
        signature: str | None,
        interchange_id: str,
        format: str,  # noqa: A002 - the word that the whole project uses
        audience: str,
        now: datetime,
        max_age: timedelta = MAX_AGE,
    ) -> str | None:
        """The name of the key that signed the content; ``None`` if nothing did, nor had to."""
        verifier = self.verifier(
            identity,
            signature=signature,
            interchange_id=interchange_id,
            format=format,
            audience=audience,
            now=now,
            max_age=max_age,
        )
        if verifier is None:
            return None
        verifier.update(content)
        return verifier.finish()

    def _judge(self, binding: Binding, now: datetime) -> None:
        """One path that holds is enough; otherwise the first one's reason counts."""
        reasons: list[TrustError] = []
        for path in binding.paths:
            try:
                path.judge_time(now)
                self.revocations.judge(path, now=now)
            except TrustError as reason:
                reasons.append(reason)
            else:
                return
        raise reasons[0]


def _in_time(path: Path, now: datetime) -> bool:
    return path.not_before <= now <= path.not_after


def _judge_standing(party: Party, *, by: Identification | None) -> None:
    """``by``: how it came; ``None`` for a channel that is its own whatever it shows."""
    if party.suspended:
        raise TrustError("party.suspended")
    if by is not None and by not in party.identified_by:
        raise TrustError("party.identification")
