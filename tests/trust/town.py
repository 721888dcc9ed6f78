"""A town: one authority with a root and an issuing CA, for tests that need certificates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from trust.authenticator import Authenticator
from trust.authority import (
    TlsKey,
    Validity,
    generate_tls_key,
    issue_crl,
    issue_intermediate,
    issue_root,
    issue_tls,
)
from trust.certificates import Purpose, pem_of
from trust.identity import PartyId
from trust.members import Authority, Party
from trust.party import Registry
from trust.revocation import Revocations

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LONG = Validity(NOW - 400 * DAY, NOW + 400 * DAY)
USUAL = Validity(NOW - DAY, NOW + 30 * DAY)
POST = PartyId("post-a")


class Town:
    """An authority ``name``: a root, an issuing CA below it, perhaps a renewed root beside it."""

    def __init__(
        self, name: str, *, root: Validity = LONG, renewed: Validity | None = None
    ) -> None:
        self.name = name
        self.key = generate_tls_key("P-256")
        root_key = generate_tls_key("P-256")
        self.root = issue_root(root_key, name=f"{name} root", validity=root)
        self.renewed = renewed and issue_root(root_key, name=f"{name} root", validity=renewed)
        self.issuing = issue_intermediate(
            generate_tls_key("P-256"), issuer=self.root, name=f"{name} issuing", validity=LONG
        )

    @property
    def authority(self) -> Authority:
        """What a registry says about the town."""
        issuers = [self.root, self.issuing, *([self.renewed] if self.renewed else [])]
        return Authority(
            id=self.name,
            certificates=tuple(pem_of(issuer.certificate) for issuer in issuers),
            crls=("root.crl", "issuing.crl"),
        )

    def certificate(
        self,
        party: str | None = POST,
        *,
        validity: Validity = USUAL,
        purposes: Iterable[Purpose] = (Purpose.CLIENT, Purpose.SERVER),
        uris: Iterable[str] = (),
        hosts: tuple[str, ...] = ("localhost",),
        key: TlsKey | None = None,
    ) -> x509.Certificate:
        """A TLS certificate for a party."""
        return issue_tls(
            key or self.key,
            issuer=self.issuing,
            name="an ignored common name",
            party=None if party is None else PartyId(party),
            validity=validity,
            purposes=purposes,
            uris=uris,
            hosts=hosts,
        )

    def crls(
        self,
        *revoked: x509.Certificate,
        this_update: datetime = NOW - DAY,
        next_update: datetime = NOW + DAY,
    ) -> dict[str, bytes]:
        """The files of both CAs' lists."""
        serials = {certificate.serial_number: NOW - DAY for certificate in revoked}
        return {
            f"{self.name}-{role}.crl": issue_crl(
                issuer,
                number=1,
                revoked=serials,
                this_update=this_update,
                next_update=next_update,
            ).public_bytes(Encoding.PEM)
            for role, issuer in (("root", self.root), ("issuing", self.issuing))
        }


def der(certificate: x509.Certificate) -> bytes:
    """The bytes that TLS hands over."""
    return certificate.public_bytes(Encoding.DER)


def party(identifier: str = POST, *authorities: str, **more: object) -> Party:
    """A party for which the named authorities, or ``luxor``, may vouch."""
    return Party(id=PartyId(identifier), authorities=authorities or ("luxor",), **more)  # type: ignore[arg-type] # fields of Party


def authenticator(
    towns: Iterable[Town], *parties: Party, crls: Mapping[str, bytes] | None = None
) -> Authenticator:
    """An authenticator over these towns and parties, with fresh empty lists unless given."""
    held = tuple(towns)
    registry = Registry(authorities=[town.authority for town in held], parties=parties)
    files = crls if crls is not None else {n: c for t in held for n, c in t.crls().items()}
    return Authenticator(registry, Revocations.from_files(registry.authorities.values(), files))
