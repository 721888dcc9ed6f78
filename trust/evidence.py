"""A package of evidence: what a party sent, that it was that party, and what it was told.

The gateway signs a statement that lists every file by its digest. What the files prove, they prove
by themselves: the sender's signature over the received bytes, and the gateway's receipt for them.
That the sender's key was registered is what the gateway states, and is told so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal

import msgspec

from trust.certificates import load_certificates, pem_of
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import PublicKey, Signer, load_public_key, verifying_key
from trust.members import Instant, Party
from trust.receipt import Sha256
from trust.signatures.attached import sign_attached, verify_attached
from trust.signatures.compact import take_apart

TYPE = "luxor-evidence+jwt"
STATEMENT = "evidence.json"
CONTENT = "content.bin"
RECEIPT = "receipt.json"
OUTCOMES = "outcomes.json"
SIGNATURE = "signature.txt"
REGISTRATION = "registration.json"
MAX_STATEMENT_CHARACTERS = 65_536
MAX_STATEMENT_BYTES = 1024 * 1024

Method = Literal["jws", "http-signature", "xml-signature"]


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the package."""

    name: str
    size: int
    sha256: Sha256


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a signature stands that is beside what it covers, in an envelope around both.

    As ``trust.signatures.xmldsig.place.Detached``, which the format of the content has.
    """

    root: str
    signature: tuple[str, ...]
    covered: tuple[str, ...]


class SenderKey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """With what the sender signed, as the gateway proved it then.

    ``fingerprint`` is the SHA-256 of the client certificate of that connection, if there was one.
    """

    method: Method
    kid: str
    algorithm: str
    public_key: str
    fingerprint: str = ""
    place: Place | None = None


class Statement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the gateway states about a package. ``iss`` states it; ``sub`` is whom it is about.

    ``sender`` is absent when the interchange was not signed. ``certificates`` is the SHA-256 of
    the chain that comes with the statement.
    """

    gateway: str = msgspec.field(name="iss")
    party: PartyId = msgspec.field(name="sub")
    record: int
    interchange_id: str
    format: str
    transport: str
    exported_at: Instant
    certificates: Sha256
    files: tuple[Listed, ...]
    sender: SenderKey | None = None
    on_behalf_of: PartyId | None = None
    version: Literal[1] = 1


class Registration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who a party was to the gateway: its row of the registry, of the version that had the key.

    ``delegations`` are the signed ones of ``principal`` to the party.
    """

    registry_version: int
    party: Party
    principal: Party | None = None
    delegations: tuple[str, ...] = ()


class SignedStatement(msgspec.Struct, frozen=True, kw_only=True):
    """The file ``evidence.json``: the statement as a compact JWS, and whose key it is."""

    statement: str
    certificates: tuple[str, ...] = ()
    public_key: str = ""
    version: Literal[1] = 1


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """A package that was read: its statement, proved by ``key``, and every file by its name."""

    signed: SignedStatement
    statement: Statement
    key: PublicKey
    files: Mapping[str, bytes]


def listed(files: Mapping[str, bytes]) -> tuple[Listed, ...]:
    """The files as a statement lists them."""
    return tuple(
        Listed(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in sorted(files.items())
    )


def chain_digest(certificates: tuple[str, ...], public_key: str) -> str:
    """What a statement says of what comes with it."""
    return hashlib.sha256("\0".join((*certificates, public_key)).encode()).hexdigest()


def write_statement(
    statement: Statement, *, signer: Signer, certificates: tuple[str, ...], public_key: str
) -> bytes:
    """The file ``evidence.json``; ``certificates`` and ``public_key`` are those of the signer."""
    bound = msgspec.structs.replace(statement, certificates=chain_digest(certificates, public_key))
    token = sign_attached(msgspec.json.encode(bound), signer=signer, type=TYPE)
    return _spelled(
        SignedStatement(statement=token, certificates=certificates, public_key=public_key)
    )


def read_package(files: Mapping[str, bytes]) -> Package:
    """The package, its statement proved by the key that comes with it, each file as listed.

    That the key is the gateway's is not proved here. Raises ``evidence.invalid``.
    """
    content = files.get(STATEMENT)
    if content is None:
        raise TrustError("evidence.invalid", f"there is no {STATEMENT}")
    try:
        signed = _signed(content)
        key = _key(signed)
        payload, _ = verify_attached(
            signed.statement,
            keys={key.kid: key},
            type=TYPE,
            max_payload=MAX_STATEMENT_CHARACTERS,
        )
        statement = msgspec.json.decode(payload, type=Statement)
    except TrustError as error:
        raise TrustError("evidence.invalid", f"{STATEMENT}: {error.detail}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TrustError("evidence.invalid", f"{STATEMENT} is no statement") from error
    if statement.certificates != chain_digest(signed.certificates, signed.public_key):
        raise TrustError("evidence.invalid", f"{STATEMENT}: the certificates were changed")
    rest = {name: content for name, content in files.items() if name != STATEMENT}
    _compare(listed(rest), statement.files)
    return Package(signed=signed, statement=statement, key=key, files=rest)


def sender_key(sender: SenderKey) -> PublicKey:
    """The sender's key, ready to verify; raises ``signature.algorithm``."""
    loaded = load_public_key(sender.public_key.encode())
    return verifying_key(loaded.public_key, kid=sender.kid, algorithm=sender.algorithm)


def _signed(content: bytes) -> SignedStatement:
    if len(content) > MAX_STATEMENT_BYTES:
        raise TrustError("evidence.invalid", "too large")
    signed = msgspec.json.decode(content, type=SignedStatement)
    # One spelling, so that not a single byte can be changed without being found.
    if _spelled(signed) != content:
        raise TrustError("evidence.invalid", "it is not spelled as it is written")
    return signed


def _spelled(signed: SignedStatement) -> bytes:
    return msgspec.json.format(msgspec.json.encode(signed), indent=2) + b"\n"


def _key(signed: SignedStatement) -> PublicKey:
    header = take_apart(signed.statement, max_payload=MAX_STATEMENT_CHARACTERS).header
    kid, algorithm = str(header.get("kid", "")), str(header.get("alg", ""))
    if signed.certificates:
        leaf = load_certificates(signed.certificates[0].encode())[0]
        if pem_of(leaf) != signed.certificates[0]:
            raise TrustError("evidence.invalid", "one PEM holds one certificate")
        try:
            public: object = leaf.public_key()
        except Exception as error:  # a key of a kind or curve that the parser does not know
            raise TrustError("certificate.profile", "its key cannot be read") from error
    else:
        public = load_public_key(signed.public_key.encode()).public_key
    return verifying_key(public, kid=kid, algorithm=algorithm)


def _compare(found: tuple[Listed, ...], stated: tuple[Listed, ...]) -> None:
    there = {each.name: each for each in found}
    for each in stated:
        if each.name not in there:
            raise TrustError("evidence.invalid", f"{each.name} is missing")
        if there.pop(each.name) != each:
            raise TrustError("evidence.invalid", f"{each.name} was changed")
    if there:
        raise TrustError("evidence.invalid", f"{min(there)} is not part of the package")
