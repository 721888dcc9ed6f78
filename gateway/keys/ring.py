"""The keys of one gateway as one signer: the one that signs now, those to come, those before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from gateway.core.ports import Clock
from gateway.core.published import PublishedKey, PublishedKeys, Use
from trust.keys import PublicKey, Signer


class OwnSigner(Signer, Protocol):
    """A signer that shows its public half."""

    @property
    def public_key(self) -> PublicKey:
        """What verifies its signatures."""


class HeldKey(msgspec.Struct, frozen=True, kw_only=True):
    """A private key that is at hand. It signs from ``since`` until the next one does."""

    signer: OwnSigner
    certificates: tuple[str, ...] = ()
    since: datetime | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None


class Keyring:
    """Signs with whichever of its keys has its turn; every process of a gateway changes at once.

    ``held`` are in the order of their turns. It is a ``trust.keys.Signer``.
    """

    def __init__(
        self,
        gateway: str,
        held: Sequence[HeldKey],
        *,
        previous: Sequence[PublishedKey] = (),
        clock: Clock,
    ) -> None:
        if not held:
            raise ValueError("a gateway has a key that signs")
        self._gateway = gateway
        self._held = tuple(held)
        self._previous = tuple(previous)
        self._clock = clock

    def chosen(self) -> Signer:
        """The key whose turn it is."""
        return self._held[self._turn()].signer

    @property
    def waits(self) -> bool:
        """Whether the key whose turn it is waits for a device."""
        return self.chosen().waits

    @property
    def kid(self) -> str:
        """The name of the key whose turn it is."""
        return self.chosen().kid

    @property
    def alg(self) -> str:
        """The algorithm of the key whose turn it is."""
        return self.chosen().alg

    def sign(self, message: bytes) -> bytes:
        """The signature of the message by the key whose turn it is."""
        return self.chosen().sign(message)

    def sign_digest(self, digest: bytes) -> bytes:
        """The signature of a message with this digest by the key whose turn it is."""
        return self.chosen().sign_digest(digest)

    def published(self) -> PublishedKeys:
        """The public halves: the one that signs now, those to come, those before."""
        turn = self._turn()
        now = [_published(self._held[turn], "current")]
        later = [_published(key, "next") for key in self._held[turn + 1 :]]
        before = [_published(key, "previous") for key in reversed(self._held[:turn])]
        return PublishedKeys(gateway=self._gateway, keys=(*now, *later, *before, *self._previous))

    def _turn(self) -> int:
        """The last key whose time has come; the first one needs none."""
        if len(self._held) == 1:
            return 0
        now = self._clock()
        turns = [at for at, key in enumerate(self._held) if key.since is None or key.since <= now]
        return turns[-1] if turns else 0


def _published(held: HeldKey, use: Use) -> PublishedKey:
    return published_key(
        held.signer.public_key,
        use=use,
        certificates=held.certificates,
        not_before=held.since or held.not_before,
        not_after=held.not_after,
    )


def published_key(
    key: PublicKey,
    *,
    use: Use,
    certificates: tuple[str, ...] = (),
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> PublishedKey:
    """What is told of a key."""
    return PublishedKey(
        kid=key.kid,
        algorithm=key.algorithm.name,
        use=use,
        public_key=key.pem,
        certificates=certificates,
        not_before=not_before,
        not_after=not_after,
    )
