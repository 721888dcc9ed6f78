"""Going through a package of evidence, step by step: who said what, and who was told what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from trust import delegation
from trust.certificates import load_certificates
from trust.errors import TrustError
from trust.evidence import (
    CONTENT,
    OUTCOMES,
    RECEIPT,
    REGISTRATION,
    SIGNATURE,
    Package,
    Registration,
    SenderKey,
    Statement,
    sender_key,
)
from trust.findings import Findings
from trust.identity import PartyId
from trust.keys import PublicKey, public_keys
from trust.receipt import ReceiptClaims
from trust.receipt_proof import Content, Trusted, prove_receipt, read_bundle
from trust.signatures.compact import take_apart
from trust.signatures.http.digest import check_content, read_content_digest
from trust.signatures.http.evidence import prove_evidence
from trust.signatures.jws import verify_detached
from trust.signatures.xmldsig.place import Detached
from trust.signatures.xmldsig.verifying import verify_xml
from trust.signing_path import judge_revocation, prove_signer

ReadXml = Callable[[bytes], Any]
"""The hardened parser of whole documents; raises ``ValueError`` for what is none."""
ANY_AGE = timedelta(days=36_500)
"""How long it took from signing to receiving was judged then, and is told."""


def prove_evidence_package(
    package: Package,
    trusted: Trusted,
    found: Findings,
    *,
    read_xml: ReadXml,
    sender: PublicKey | None = None,
) -> None:
    """Make and tell every step. ``sender`` is the sender's key, for who has it from elsewhere."""
    statement = package.statement
    _prove_statement(package, trusted, found)
    claims = _prove_receipt(package, trusted, found)
    if claims is None:
        return
    found.prove(
        "agreement",
        lambda: _compare(statement, claims),
        lambda _: "statement and receipt speak of the same interchange",
    )
    if statement.sender is None:
        found.unchecked("sender", f"{statement.party} did not sign it; the connection was its own")
        return
    signed_by = statement.sender
    found.prove(
        "sender",
        lambda: _prove_sender(package, claims, signed_by, read_xml),
        lambda said: f"{claims.party} said these {claims.size} bytes: {said}",
    )
    _prove_registration(package, claims, signed_by, sender, found)


def _prove_statement(package: Package, trusted: Trusted, found: Findings) -> None:
    """Who it was that put the package together."""
    statement, step = package.statement, "statement"
    names = ", ".join(each.name for each in statement.files)
    found.proved(
        "files", f"nothing was changed since {statement.exported_at:%Y-%m-%d %H:%M %Z}: {names}"
    )
    if trusted.key is not None:
        if trusted.key.key.thumbprint() == package.key.key.thumbprint():
            found.proved(step, f"signed with the key that you have of {statement.gateway}")
        else:
            found.refuted(
                step, TrustError("evidence.invalid", "it is signed with another key than you have")
            )
        return
    if not trusted.authorities:
        found.unchecked(step, f"whether {statement.gateway} signed it: no authority was named")
        return

    def work() -> str:
        if not package.signed.certificates:
            raise TrustError("certificate.untrusted", "no certificate comes with it")
        presented = load_certificates("\n".join(package.signed.certificates).encode())
        path = prove_signer(presented, trusted.authorities, at=statement.exported_at)
        if path.party != statement.gateway:
            raise TrustError("evidence.invalid", f"the certificate is that of {path.party}")
        if trusted.lists:
            judge_revocation(path, trusted.lists, at=statement.exported_at)
        return path.chain[-1].subject.rfc4514_string()[:120]

    found.prove(
        step,
        work,
        lambda root: f"signed by {statement.gateway}, for whom {root} vouched",
    )


def _prove_receipt(package: Package, trusted: Trusted, found: Findings) -> ReceiptClaims | None:
    """What the gateway told the sender at the time."""
    try:
        bundle = read_bundle(_file(package, RECEIPT))
        content = Content.of(_file(package, CONTENT))
        outcomes = _file(package, OUTCOMES)
    except TrustError as error:
        found.refuted("receipt", error)
        return None
    return prove_receipt(bundle, trusted, found, content=content, outcomes=outcomes)


def _compare(statement: Statement, claims: ReceiptClaims) -> None:
    pairs = (
        ("gateway", statement.gateway, claims.gateway),
        ("party", statement.party, claims.party),
        ("record", statement.record, claims.record),
        ("interchange", statement.interchange_id, claims.interchange_id),
        ("format", statement.format, claims.format),
        ("principal", statement.on_behalf_of, claims.on_behalf_of),
    )
    for name, stated, claimed in pairs:
        if stated != claimed:
            detail = f"{name}: the statement has {stated}, the receipt {claimed}"
            raise TrustError("evidence.invalid", detail)


def _prove_sender(
    package: Package, claims: ReceiptClaims, sender: SenderKey, read_xml: ReadXml
) -> str:
    """What the sender's signature shows, in words; raises ``TrustError`` when it does not hold."""
    key = sender_key(sender)
    content = _file(package, CONTENT)
    if sender.method == "jws":
        return _prove_jws(_text(package, SIGNATURE), content, claims, key)
    if sender.method == "http-signature":
        return _prove_request(_file(package, SIGNATURE), content, claims, key)
    return _prove_xml(content, claims, sender, key, read_xml)


def _prove_jws(token: str, content: bytes, claims: ReceiptClaims, key: PublicKey) -> str:
    verify_detached(
        token,
        content,
        keys={key.kid: key},
        interchange_id=claims.interchange_id,
        format=claims.format,
        audience=claims.gateway,
        now=claims.received_at,
        max_age=ANY_AGE,
        on_behalf_of=claims.on_behalf_of,
    )
    age = int(claims.received_at.timestamp()) - take_apart(token, max_payload=0).header["iat"]
    return (
        f"a JWS of the key {key.kid} ({key.algorithm.name}) for {claims.gateway} and "
        f"{claims.interchange_id}, made {age} seconds before they were received"
    )


def _prove_request(evidence: bytes, content: bytes, claims: ReceiptClaims, key: PublicKey) -> str:
    """RFC 9421: the request was signed, and with it the digest of its content (RFC 9530)."""
    covered = prove_evidence(evidence, key, party=claims.party)
    if covered.get("@method") != "POST":
        raise TrustError("signature.component", "it is no request that brings content")
    digests = read_content_digest(covered.get("content-digest", ""))
    if not digests:
        raise TrustError("signature.digest", "the signature says nothing of the content")
    check_content(digests, lambda: (content,))
    if covered.get("luxor-interchange-id") != claims.interchange_id:
        raise TrustError("signature.interchange")
    if covered.get("luxor-format", claims.format) != claims.format:
        raise TrustError("signature.format")
    if covered.get("luxor-on-behalf-of") != claims.on_behalf_of:
        raise TrustError("signature.principal")
    request = f"{covered['@method']} {covered.get('@target-uri', '?')}"
    return f"an HTTP message signature of the key {key.kid} ({key.algorithm.name}) over {request}"


def _prove_xml(
    content: bytes, claims: ReceiptClaims, sender: SenderKey, key: PublicKey, read_xml: ReadXml
) -> str:
    place = sender.place
    try:
        document = read_xml(content)
    except ValueError as error:
        raise TrustError("signature.malformed", "the document cannot be read") from error
    where = None
    if place is not None and place.root == document.tag:
        where = Detached(root=place.root, signature=place.signature, covered=place.covered)
    proved = verify_xml(document, keys={key.kid: key}, now=claims.received_at, place=where)
    when = (
        "" if proved.signing_time is None else f", made at {proved.signing_time:%Y-%m-%d %H:%M %Z}"
    )
    return (
        f"a signature inside the document, of the key {key.kid} ({key.algorithm.name}), "
        f"over {len(proved.content)} bytes of its canonical form{when}"
    )


def _prove_registration(
    package: Package,
    claims: ReceiptClaims,
    sender: SenderKey,
    known: PublicKey | None,
    found: Findings,
) -> None:
    """Whose key the sender's was: as the gateway states it, or as one knows from elsewhere."""
    key = sender_key(sender)
    if known is not None:
        if known.key.thumbprint() != key.key.thumbprint():
            found.refuted(
                "sender key", TrustError("evidence.invalid", "it is another key than you have")
            )
        else:
            found.proved("sender key", f"it is the key that you have of {claims.party}")

    def work() -> Registration:
        registration = _registration(package)
        rows = {row.kid: row for row in registration.party.signing_keys}
        row = rows.get(sender.kid)
        if registration.party.id != claims.party or row is None:
            raise TrustError("evidence.invalid", "the registration is not of the sender's key")
        registered = public_keys([row])[sender.kid]
        if registered.key.thumbprint() != key.key.thumbprint():
            raise TrustError("evidence.invalid", "another key was registered under that name")
        registered.judge_time(claims.received_at)
        return registration

    registration = found.prove(
        "registration",
        work,
        lambda registration: (
            f"{claims.gateway} states that this was {claims.party}'s key "
            f"(version {registration.registry_version} of its registry)"
        ),
    )
    if registration is not None and claims.on_behalf_of is not None:
        principal = claims.on_behalf_of
        found.prove(
            "delegation",
            lambda: _prove_delegation(registration, claims, principal),
            lambda said: f"{principal} let {claims.party} speak for it, {said}",
        )


def _prove_delegation(registration: Registration, claims: ReceiptClaims, principal: PartyId) -> str:
    if registration.principal is None or registration.principal.id != principal:
        raise TrustError("delegation.invalid", "the registration of the principal is missing")
    keys = public_keys(registration.principal.signing_keys)
    for token in registration.delegations:
        said = delegation.verify(token, keys)
        parties = (said.delegator, said.delegate)
        if parties == (principal, claims.party) and said.holds(
            gateway=claims.gateway, at=claims.received_at
        ):
            return f"by the delegation {said.id} that it signed"
    raise TrustError("delegation.invalid", "no delegation was in force then")


def _registration(package: Package) -> Registration:
    try:
        return msgspec.json.decode(_file(package, REGISTRATION), type=Registration)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TrustError("evidence.invalid", f"{REGISTRATION} is no registration") from error


def _file(package: Package, name: str) -> bytes:
    content = package.files.get(name)
    if content is None:
        raise TrustError("evidence.invalid", f"{name} is missing")
    return content


def _text(package: Package, name: str) -> str:
    try:
        return _file(package, name).decode("ascii")
    except UnicodeDecodeError as error:
        raise TrustError("signature.malformed", f"{name} is no text") from error
