"""What the rows of a registry must say about each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from cryptography import x509

from trust.certificates import is_authority, key_fingerprint, load_certificates, signs_lists
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import public_key
from trust.members import Authority, Party, SigningKey
from trust.mistakes import Mistake
from trust.signatures.http.names import HTTP_NAMES


def find_mistakes(authorities: Sequence[Authority], parties: Sequence[Party]) -> list[Mistake]:
    """Everything that contradicts itself or another row."""
    places = _places(authorities, parties)
    return [
        *_repeated(places, [authority.id for authority in authorities]),
        *_repeated([f"party[{at}]" for at in range(len(parties))], [party.id for party in parties]),
        *_authority_mistakes(authorities, places),
        *_vouching_mistakes(authorities, parties),
        *_thumbprint_mistakes(parties),
        *_key_mistakes(parties),
        *_grant_mistakes(parties),
        *_speech_mistakes(parties),
        *_identification_mistakes(parties),
    ]


def _places(authorities: Sequence[Authority], parties: Sequence[Party]) -> list[str]:
    """Where each authority stands in a text: at the top, or below the party that it is for."""
    rows = {party.id: at for at, party in enumerate(parties)}
    seen: Counter[PartyId | None] = Counter()
    places = []
    for authority in authorities:
        owner = authority.private_to
        above = f"party[{rows[owner]}]." if owner in rows else ""
        places.append(f"{above}authority[{seen[owner]}]")
        seen[owner] += 1
    return places


def _repeated(places: Iterable[str], ids: Iterable[str]) -> Iterator[Mistake]:
    seen: set[str] = set()
    for place, identifier in zip(places, ids, strict=True):
        if identifier in seen:
            yield Mistake(f"{place}.id", f"{identifier!r} is there already")
        seen.add(identifier)


def _authority_mistakes(
    authorities: Sequence[Authority], places: Sequence[str]
) -> Iterator[Mistake]:
    """A CA, which is its key, stands for one authority: it is clear for whom it may vouch.

    One whose key were in two authorities could vouch for the parties of either, whatever name
    the certificate has: cross-signed CAs are registered once.
    """
    owners: dict[str, str] = {}
    for place, authority in zip(places, authorities, strict=True):
        rooted = False
        for number, pem in enumerate(authority.certificates):
            path = f"{place}.certificates[{number}]"
            try:
                certificate = load_certificates(pem.encode())[0]
            except TrustError as error:
                yield Mistake(path, error.detail)
                continue
            if not (is_authority(certificate) or signs_lists(certificate)):
                yield Mistake(path, "this certificate may not issue others, nor sign lists")
            try:
                owner = owners.setdefault(key_fingerprint(certificate), authority.id)
            except TrustError as error:
                yield Mistake(path, error.detail)
                continue
            if owner != authority.id:
                yield Mistake(path, f"the key of this certificate is that of authority {owner!r}")
            rooted = rooted or _is_root(certificate)
        if authority.require != "crl" and not authority.ocsp:
            yield Mistake(f"{place}.require", "no responder is named in ocsp")
        if authority.require == "crl" and authority.ocsp:
            yield Mistake(f"{place}.ocsp", "require says that only lists count")
        if not rooted:
            yield Mistake(f"{place}.certificates", "the root is missing")


def _is_root(certificate: x509.Certificate) -> bool:
    try:
        return certificate.issuer == certificate.subject
    except Exception:  # names that cannot be read are nobody's root
        return False


def _vouching_mistakes(
    authorities: Sequence[Authority], parties: Sequence[Party]
) -> Iterator[Mistake]:
    known = {authority.id: authority.private_to for authority in authorities}
    for at, party in enumerate(parties):
        for number, name in enumerate(party.authorities):
            path = f"party[{at}].authorities[{number}]"
            if name not in known:
                yield Mistake(path, f"no authority {name!r}")
            elif known[name] not in (None, party.id):
                yield Mistake(path, f"authority {name!r} is that of {known[name]!r} alone")


def _thumbprint_mistakes(parties: Sequence[Party]) -> Iterator[Mistake]:
    owners: dict[str, str] = {}
    for at, party in enumerate(parties):
        for number, thumbprint in enumerate(party.thumbprints):
            owner = owners.setdefault(thumbprint, party.id)
            if owner != party.id:
                path = f"party[{at}].thumbprints[{number}]"
                yield Mistake(path, f"this certificate is pinned to {owner!r}")


def _key_mistakes(parties: Sequence[Party]) -> Iterator[Mistake]:
    owners: dict[str, str] = {}
    for at, party in enumerate(parties):
        if party.must_sign and not party.signing_keys:
            yield Mistake(f"party[{at}].must_sign", "it must sign and has no key")
        names: set[str] = set()
        for number, key in enumerate(party.signing_keys):
            path = f"party[{at}].key[{number}]"
            if key.kid in names:
                yield Mistake(f"{path}.kid", f"{key.kid!r} is there already")
            names.add(key.kid)
            if _backwards(key.not_before, key.not_after):
                yield Mistake(f"{path}.not_after", "it ends before it begins")
            yield from _owned(key, path, party, owners)


def _grant_mistakes(parties: Sequence[Party]) -> Iterator[Mistake]:
    for at, party in enumerate(parties):
        for number, grant in enumerate(party.grants):
            if grant.direction == "receive" and grant.on_behalf_of:
                path = f"party[{at}].grant[{number}].on_behalf_of"
                yield Mistake(path, "is about what a party sends; what it receives is its own")


def _speech_mistakes(parties: Sequence[Party]) -> Iterator[Mistake]:
    for at, party in enumerate(parties):
        for number, name in enumerate(party.speaks):
            if name in party.speaks[:number]:
                yield Mistake(f"party[{at}].speaks[{number}]", f"{name!r} is there already")


def _identification_mistakes(parties: Sequence[Party]) -> Iterator[Mistake]:
    for at, party in enumerate(parties):
        path = f"party[{at}].identified_by"
        if not party.identified_by:
            yield Mistake(path, "it must be identified by something")
        if len(set(party.identified_by)) != len(party.identified_by):
            yield Mistake(path, "it names one thing twice")
        if "signature" in party.identified_by and not any(
            key.algorithm in HTTP_NAMES for key in party.signing_keys
        ):
            yield Mistake(path, f"it has no key for one of {', '.join(HTTP_NAMES)}")
        if not party.signatures or len(set(party.signatures)) != len(party.signatures):
            yield Mistake(f"party[{at}].signatures", "name what counts as a signature, each once")


def _owned(key: SigningKey, path: str, party: Party, owners: dict[str, str]) -> Iterator[Mistake]:
    """A key belongs to one party, or either could sign for the other."""
    try:
        material = public_key(key).key.thumbprint()
    except TrustError as error:
        yield Mistake(f"{path}.public_key", error.detail)
        return
    owner = owners.setdefault(material, party.id)
    if owner != party.id:
        yield Mistake(f"{path}.public_key", f"this key is that of {owner!r}")


def _backwards(start: datetime | None, end: datetime | None) -> bool:
    return start is not None and end is not None and end < start
