"""What a party proves itself with, and by what it knows its gateway.

A development PKI (``luxor certs dev``) has one folder for each network with ``registry.toml``,
``root.pem`` and ``parties/<party>/{tls.pem, tls.key, signing.key}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from gateway.client.errors import CredentialsError
from trust.certificates import load_certificates, party_of
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import KeySigner, PublicKey, public_keys, signing_key
from trust.members import SigningKey
from trust.mistakes import RegistryError
from trust.party import Registry

GATEWAY_ROLE = "gateway"


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """PEM files: the party's certificate chain and key, the authority of the gateway's
    certificate, and the key with which the party signs what it sends.

    A party that signs its requests needs no certificate, but has to say its ``name``.
    """

    authority: Path
    certificate: Path | None = None
    key: Path | None = None
    signing_key: Path | None = None
    name: PartyId | None = None

    def party(self) -> PartyId | None:
        """The name, or whom the certificate names; ``None`` for a foreign one without a name.

        Raises ``CredentialsError`` when there is no certificate in the file.
        """
        if self.name is not None or self.certificate is None:
            return self.name
        try:
            return party_of(load_certificates(_read(self.certificate))[0])
        except TrustError as error:
            raise CredentialsError(f"{self.certificate}: {error.detail}") from error

    def signer(self) -> KeySigner | None:
        """The signing key, ready; ``None`` when there is none. Raises ``CredentialsError``."""
        if self.signing_key is None:
            return None
        try:
            return KeySigner.from_pem(_read(self.signing_key))
        except TrustError as error:
            raise CredentialsError(f"{self.signing_key}: {error.detail}") from error


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway that one speaks to: its party id and its registered keys by name.

    Signatures are addressed to ``id``; receipts and deliveries are verified with ``keys``.
    """

    id: PartyId
    keys: Mapping[str, PublicKey]


def development(certs: Path, party: str, *, gateway: str | None = None) -> tuple[Credentials, Peer]:
    """Credentials of a party of a development PKI, and the gateway of its network.

    ``gateway`` names another one, of any network. Raises ``CredentialsError``.
    """
    home = _network_of(certs, party)
    network = home if gateway is None else _network_of(certs, gateway)
    folder = home / "parties" / party
    signing = folder / "signing.key"
    credentials = Credentials(
        certificate=folder / "tls.pem",
        key=folder / "tls.key",
        authority=network / "root.pem",
        signing_key=signing if signing.is_file() else None,
    )
    return credentials, _peer(network, gateway)


def peer(identifier: str, *files: Path) -> Peer:
    """A gateway by its id and the PEM files of its public keys; raises ``CredentialsError``."""
    return Peer(id=PartyId(identifier), keys=public_keys([_public(file) for file in files]))


def _public(file: Path) -> SigningKey:
    try:
        return signing_key(_read(file))
    except TrustError as error:
        raise CredentialsError(f"{file}: {error.detail}") from error


def _network_of(certs: Path, party: str) -> Path:
    if not certs.is_dir():
        raise CredentialsError(f"there is no folder {certs}; `luxor certs dev` makes it")
    found = sorted(path.parents[2] for path in certs.glob(f"*/parties/{party}/tls.pem"))
    if not found:
        known = sorted({path.parent.name for path in certs.glob("*/parties/*/tls.pem")})
        raise CredentialsError(
            f"{certs} has no certificate of {party}; it has those of {', '.join(known) or 'nobody'}"
        )
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise CredentialsError(f"{party} is in several networks of {certs}: {names}")
    return found[0]


def _peer(network: Path, name: str | None) -> Peer:
    path = network / "registry.toml"
    try:
        registry = Registry.from_toml(
            _read(path).decode("utf-8"), lambda file: _read(network / file)
        )
        candidates = [
            member
            for member in registry.parties.values()
            if (GATEWAY_ROLE in member.roles if name is None else member.id == name)
        ]
        if len(candidates) != 1:
            wanted = "one gateway" if name is None else name
            raise CredentialsError(f"{path} does not have {wanted}; name it with --gateway")
        return Peer(id=candidates[0].id, keys=public_keys(candidates[0].signing_keys))
    except (RegistryError, UnicodeDecodeError) as error:
        raise CredentialsError(f"{path}: {error}") from error
    except TrustError as error:
        raise CredentialsError(f"{path}: {error.detail}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CredentialsError(f"{path}: {error.strerror or type(error).__name__}") from error
