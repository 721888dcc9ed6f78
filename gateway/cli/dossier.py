"""All that a journal has of one interchange, as the files of a package of evidence."""

from __future__ import annotations

import itertools
from datetime import datetime

import msgspec

from gateway.client.bundle import bundle_of
from gateway.config import Config
from gateway.config.assemble import formats_of
from gateway.core.identifiers import InterchangeId
from gateway.core.records import Outcome, Proof, ProofMethod, State, Stored
from gateway.core.retention import REFUSED
from gateway.keys.ring import Keyring
from gateway.store.reader import Reader
from translators.layout import Detached as Enveloping
from translators.translator import FormatId
from trust.errors import TrustError
from trust.evidence import (
    CONTENT,
    OUTCOMES,
    RECEIPT,
    REGISTRATION,
    SIGNATURE,
    STATEMENT,
    Place,
    Registration,
    SenderKey,
    Statement,
    listed,
    write_statement,
)
from trust.identity import PartyId
from trust.members import Party
from trust.mistakes import RegistryError
from trust.party import Registry
from trust.receipt import MAX_CLAIMS_CHARACTERS, ReceiptClaims
from trust.receipt_proof import Content, write_bundle
from trust.signatures.compact import take_apart, unpadded_decode

MAX_CONTENT_BYTES = 256 * 1024 * 1024
_outcomes = msgspec.json.Decoder(tuple[Outcome, ...])


class Missing(Exception):
    """What is asked for is not in the journal, or not any more."""


class _Stored(msgspec.Struct):
    """A version of the registry as the gateway stores it."""

    registry: msgspec.Raw


def dossier(
    reader: Reader,
    config: Config,
    keyring: Keyring,
    *,
    party: str,
    interchange_id: str,
    now: datetime,
) -> dict[str, bytes]:
    """Every file by its name, the signed statement among them; raises ``Missing``."""
    stored = reader.find(PartyId(party), InterchangeId(interchange_id))
    if stored is None or not stored.receipt:
        raise Missing(f"{config.gateway.id} has no interchange {interchange_id} of {party}")
    claims = _claims(stored)
    proof = reader.proof(stored.record)
    files = {
        CONTENT: _content(reader, config, stored),
        RECEIPT: write_bundle(bundle_of(stored.receipt, keyring.published())),
        OUTCOMES: stored.outcomes,
    }
    if proof is not None:
        if proof.signature:
            files[SIGNATURE] = proof.signature
        files[REGISTRATION] = msgspec.json.encode(_registration(reader, claims, proof))
    current = keyring.published().keys[0]
    bare = "" if current.certificates else current.public_key
    statement = Statement(
        gateway=config.gateway.id,
        party=stored.party,
        record=stored.record,
        interchange_id=stored.interchange_id,
        format=stored.format,
        transport=stored.transport,
        exported_at=now,
        certificates="",
        files=listed(files),
        sender=None if proof is None else _sender(config, stored, proof),
        on_behalf_of=claims.on_behalf_of,
    )
    signed = write_statement(
        statement, signer=keyring, certificates=current.certificates, public_key=bare
    )
    return {STATEMENT: signed, **files}


def _content(reader: Reader, config: Config, stored: Stored) -> bytes:
    """The bytes as received, if they are kept and are still those."""
    content = bytearray()
    for at in itertools.count():
        piece = reader.raw(stored.record, at)
        if piece is None:
            break
        content += piece
        if len(content) > MAX_CONTENT_BYTES:
            raise Missing(f"the content has more than {MAX_CONTENT_BYTES} bytes")
    if Content.of(bytes(content)) != Content(digest=stored.digest, size=stored.size):
        raise Missing(why_missing(reader, config, stored))
    return bytes(content)


def why_missing(reader: Reader, config: Config, stored: Stored) -> str:
    """Why the received bytes are not there: they go with the first of their messages."""
    rules = config.retention.rules
    kinds = {one.kind for one in _outcomes.decode(stored.outcomes) if one.status is State.ACCEPTED}
    names = {rules.of(kind).name for kind in kinds if kind is not None} or {REFUSED}
    found = [gone for name in names if (gone := reader.removal(stored.record, name)) is not None]
    told = "the received bytes are not kept any more"
    if not found:
        return told
    first = min(found, key=lambda gone: gone.on)
    return f"{told}: removed on {first.on} by retention ({first.rule}, {first.days} days)"


def _claims(stored: Stored) -> ReceiptClaims:
    """What our own receipt says; it was proved when it was signed."""
    compact = take_apart(stored.receipt, max_payload=MAX_CLAIMS_CHARACTERS)
    return msgspec.json.decode(unpadded_decode(compact.payload_segment), type=ReceiptClaims)


def _sender(config: Config, stored: Stored, proof: Proof) -> SenderKey:
    return SenderKey(
        method=proof.method.value,
        kid=proof.kid,
        algorithm=proof.algorithm,
        public_key=proof.public_key,
        fingerprint=proof.fingerprint,
        place=_place(config, stored) if proof.method is ProofMethod.XML_SIGNATURE else None,
    )


def _place(config: Config, stored: Stored) -> Place | None:
    """Where documents of the format stand in an envelope beside their signature, if they do."""
    translator = formats_of(config).find(FormatId(stored.format))
    found = getattr(translator, "detached", None)
    if not isinstance(found, Enveloping):
        return None
    return Place(root=found.content[0], signature=found.signature[1:-1], covered=found.content[1:])


def _registration(reader: Reader, claims: ReceiptClaims, proof: Proof) -> Registration:
    """As of the newest registry that has the key that proved it, and the delegation if any."""
    fallback: Registration | None = None
    for version, document in reader.registries():
        registry = _registry(document)
        party = None if registry is None else registry.parties.get(claims.party)
        if registry is None or party is None or not _has(party, proof.kid):
            continue
        found = _row(version, registry, party, claims)
        if claims.on_behalf_of is None or found.delegations:
            return found
        fallback = fallback or found
    if fallback is None:
        raise Missing(f"no version of the registry has the key {proof.kid} of {claims.party}")
    return fallback


def _row(version: int, registry: Registry, party: Party, claims: ReceiptClaims) -> Registration:
    principal = claims.on_behalf_of
    return Registration(
        registry_version=version,
        party=party,
        principal=None if principal is None else registry.parties.get(principal),
        delegations=tuple(
            entry.token
            for entry in registry.delegations
            if (entry.claims.delegator, entry.claims.delegate) == (principal, claims.party)
            and entry.claims.holds(gateway=claims.gateway, at=claims.received_at)
        ),
    )


def _registry(document: bytes) -> Registry | None:
    """``None`` for a version that cannot be read any more; the ones before it may."""
    try:
        stored = msgspec.json.decode(document, type=_Stored)
        return Registry.from_json(bytes(stored.registry))
    except (msgspec.DecodeError, RegistryError, TrustError):
        return None


def _has(party: Party, kid: str) -> bool:
    return any(key.kid == kid for key in party.signing_keys)
