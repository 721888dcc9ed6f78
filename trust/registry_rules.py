"""What the rows of a registry must say about each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from trust.certificates import fingerprint_of, is_authority, load_certificates
from trust.errors import TrustError
from trust.keys import public_key
from trust.members import Authority, Party, SigningKey
from trust.mistakes import Mistake


def find_mistakes(authorities: Sequence[Authority], parties: Sequence[Party]) -> list[Mistake]:
    """Everything that contradicts itself or another row."""
    return [
        *_repeated("authority", [authority.id for authority in authorities]),
        *_repeated("party", [party.id for party in parties]),
        *_authority_mistakes(authorities),
        *_vouching_mistakes(authorities, parties),
        *_thumbprint_mistakes(parties),
        *_key_mistakes(parties),
        *_speech_mistakes(parties),
    ]


def _repeated(kind: str, ids: Iterable[str]) -> Iterator[Mistake]:
    seen: set[str] = set()
    for at, identifier in enumerate(ids):
        if identifier in seen:
            yield Mistake(f"{kind}[{at}].id", f"{identifier!r} is there already")
        seen.add(identifier)


def _authority_mistakes(authorities: Sequence[Authority]) -> Iterator[Mistake]:
    """A CA certificate stands for one authority, so that it is clear for whom it may vouch."""
    owners: dict[str, str] = {}
    for at, authority in enumerate(authorities):
        rooted = False
        for number, pem in enumerate(authority.certificates):
            path = f"authority[{at}].certificates[{number}]"
            try:
                certificate = load_certificates(pem.encode())[0]
            except TrustError as error:
                yield Mistake(path, error.detail)
                continue
            if not is_authority(certificate):
                yield Mistake(path, "this certificate may not issue others")
            owner = owners.setdefault(fingerprint_of(certificate), authority.id)
            if owner != authority.id:
                yield Mistake(path, f"this certificate is that of authority {owner!r}")
            rooted = rooted or certificate.issuer == certificate.subject
        if not rooted:
            yield Mistake(f"authority[{at}].certificates", "the root is missing")


def _vouching_mistakes(
    authorities: Sequence[Authority], parties: Sequence[Party]
) -> Iterator[Mistake]:
    known = {authority.id for authority in authorities}
    for at, party in enumerate(parties):
        for number, name in enumerate(party.authorities):
            if name not in known:
                yield Mistake(f"party[{at}].authorities[{number}]", f"no authority {name!r}")


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


def _speech_mistakes(parties: Sequence[Party]) -> Iterator[Mistake]:
    for at, party in enumerate(parties):
        for number, name in enumerate(party.speaks):
            if name in party.speaks[:number]:
                yield Mistake(f"party[{at}].speaks[{number}]", f"{name!r} is there already")


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
