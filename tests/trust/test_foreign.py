"""Authorities of other administrations: each vouches for its own parties and for no others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from tests.trust.town import DAY, LONG, NOW, USUAL, Town, der, party
from trust.authenticator import Authenticator
from trust.authority import (
    Issuer,
    generate_tls_key,
    issue_intermediate,
    issue_root,
    issue_tls,
)
from trust.certificates import fingerprint_of, pem_of
from trust.errors import TrustError
from trust.identity import PartyId
from trust.members import Authority, Party
from trust.party import Registry, RegistryError
from trust.revocation import Revocations

SUITE = "Foreign authorities"
LUXOR, PARTNER, OWN, STRANGE = (Town(name) for name in ("luxor", "partner", "own", "strange"))
REGISTERED = (
    LUXOR.authority,
    PARTNER.authority,
    msgspec.structs.replace(OWN.authority, private_to=PartyId("post-b")),
)
LISTS = {name: crl for town in (LUXOR, PARTNER, OWN) for name, crl in town.crls().items()}
NAMES = (None, "post-a", "post-b", "gateway-pn", "nobody")
PINNED = (None, "post-a", "post-b", "gateway-pn")


def gate(*parties: Party, authorities: tuple[Authority, ...] = REGISTERED) -> Authenticator:
    """The gate of a network in which these authorities are registered."""
    registry = Registry(authorities=authorities, parties=parties)
    return Authenticator(registry, Revocations.from_files(authorities, LISTS))


def counts_for(found: Authenticator, certificate: x509.Certificate) -> str | None:
    """The party for which a certificate counts, if it does for one."""
    try:
        return found.identify(der(certificate), now=NOW).party
    except TrustError:
        return None


@pytest.mark.conformance(SUITE)
@pytest.mark.parametrize("both", [False, True], ids=["one each", "one with two"])
@pytest.mark.parametrize("town", [LUXOR, PARTNER, OWN, STRANGE], ids=lambda town: town.name)
def test_a_certificate_counts_for_nobody_but_the_party_whose_authority_made_it(
    town: Town, *, both: bool, figure: Callable[[str, int, int], None]
) -> None:
    listed = {
        "post-a": ("luxor", "partner") if both else ("luxor",),
        "post-b": ("own",),
        "gateway-pn": ("partner",),
    }
    certificates = {name: town.certificate(name) for name in NAMES}
    other = "0" * 64
    total, wrong = 0, []
    for name, pinned, others in product(NAMES, PINNED, (None, *listed)):
        certificate = certificates[name]
        prints = {who: () if who != others else (other,) for who in listed}
        if pinned is not None:
            prints[pinned] = (*prints[pinned], fingerprint_of(certificate))
        found = gate(*(party(who, *ids, thumbprints=prints[who]) for who, ids in listed.items()))
        # Whom it means: the one to which it is pinned, if it names no other; otherwise the one
        # that it names, if no other certificates are pinned to that one.
        meant = pinned if name in (None, pinned) else None
        if pinned is None and name in listed and name != others:
            meant = name
        expected = meant if meant is not None and town.name in listed[meant] else None
        ours = counts_for(found, certificate)
        total += 1
        if ours != expected:
            wrong.append((name, pinned, others, ours, expected))

    figure("certificates judged", total - len(wrong), total)
    assert wrong == []


def test_an_authority_with_the_name_of_another_vouches_for_none_of_its_parties() -> None:
    key = generate_tls_key("P-256")
    root = issue_root(key, name="luxor root", validity=LONG)
    same = issue_intermediate(
        generate_tls_key("P-256"), issuer=root, name="luxor issuing", validity=LONG
    )
    twin = Authority(id="twin", certificates=tuple(pem_of(i.certificate) for i in (root, same)))
    forged = issue_tls(
        generate_tls_key("P-256"),
        issuer=same,
        name="x",
        party=PartyId("post-a"),
        validity=USUAL,
        hosts=("localhost",),
    )

    found = gate(party("post-a", "luxor"), party("guest", "twin"), authorities=(*REGISTERED, twin))

    assert counts_for(found, forged) is None


def mistakes(*authorities: Authority, parties: tuple[Party, ...] = ()) -> list[str]:
    """What is wrong with a registry."""
    with pytest.raises(RegistryError) as caught:
        Registry(authorities=authorities, parties=parties)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_the_key_of_a_ca_stands_for_one_authority_whatever_its_certificate() -> None:
    """As when one administration signs another's CA: it would vouch for the parties of both."""
    crossed = cross_signed(PARTNER.root, LUXOR.issuing)
    partner = msgspec.structs.replace(
        PARTNER.authority,
        certificates=(*PARTNER.authority.certificates, pem_of(crossed)),
    )

    assert mistakes(LUXOR.authority, partner) == [
        "authority[1].certificates[2]: the key of this certificate is that of authority 'luxor'"
    ]


def cross_signed(above: Issuer, below: Issuer) -> x509.Certificate:
    """Another certificate for an existing CA."""
    return issue_intermediate(
        below.key, issuer=above, name="luxor issuing", validity=LONG
    ).certificate


def test_one_ca_may_have_several_certificates_in_its_own_authority() -> None:
    crossed = cross_signed(LUXOR.root, LUXOR.issuing)
    home = msgspec.structs.replace(
        LUXOR.authority, certificates=(*LUXOR.authority.certificates, pem_of(crossed))
    )

    assert Registry(authorities=[home]).authorities["luxor"] == home


def test_the_authority_of_one_party_alone_is_listed_by_no_other() -> None:
    own = REGISTERED[2]

    assert mistakes(own, parties=(party("post-a", "own"), party("post-b", "own"))) == [
        "party[0].authorities[0]: authority 'own' is that of 'post-b' alone"
    ]


TOML = """\
[[authority]]
id = "luxor"
certificates = ["luxor.pem"]

[[party]]
id = "post-a"
authorities = ["luxor"]

[[party]]
id = "post-b"
authorities = ["luxor"]

[[party.authority]]
id = "post-b-own"
certificates = ["own.pem"]
crls = ["own-root.crl", "own-issuing.crl"]

[[party.key]]
public_key = '''KEY'''
"""
FILES = {
    "luxor.pem": "".join(LUXOR.authority.certificates).encode(),
    "own.pem": "".join(OWN.authority.certificates).encode(),
}


def text() -> str:
    """The registry with a key."""
    from trust.authority import generate_key
    from trust.keys import public_key_pem

    return TOML.replace("KEY", public_key_pem(generate_key("Ed25519")).decode())


def test_a_party_may_bring_an_authority_of_its_own() -> None:
    registry = Registry.from_toml(text(), FILES.__getitem__)

    found = Authenticator(registry, Revocations.from_files(registry.authorities.values(), LISTS))

    assert registry.party(PartyId("post-b")).authorities == ("luxor", "post-b-own")
    assert counts_for(found, OWN.certificate("post-b")) == "post-b"
    assert counts_for(found, OWN.certificate("post-a")) is None
    assert set(registry.crls()) == {"own-root.crl", "own-issuing.crl"}


def test_it_is_written_below_its_party_and_read_back() -> None:
    registry = Registry.from_toml(text(), FILES.__getitem__)

    for again in (
        Registry.from_toml(registry.to_toml(), FILES.__getitem__),
        Registry.from_json(registry.to_json()),
    ):
        assert again.authorities == registry.authorities
        assert again.parties == registry.parties
    assert "[[party.authority]]" in registry.to_toml()
    assert registry.to_toml().count("private_to") == 0


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        (('"post-b-own"', '"luxor"'), "party[1].authority[0].id: 'luxor' is there already"),
        (
            ('["own.pem"]', '["luxor.pem"]'),
            (
                "party[1].authority[0].certificates[0]: "
                "the key of this certificate is that of authority 'luxor'"
            ),
        ),
        (('crls = ["own', 'colour = 1\ncrls = ["own'), "party[1].authority[0].colour: unknown key"),
        (
            ('id = "post-b-own"', 'id = "post-b-own"\nprivate_to = "post-a"'),
            "party[1].authority[0].private_to: unknown key",
        ),
    ],
    ids=["name", "key", "unknown", "for another"],
)
def test_what_is_wrong_with_it_has_its_place(change: tuple[str, str], mistake: str) -> None:
    with pytest.raises(RegistryError) as caught:
        Registry.from_toml(text().replace(*change), FILES.__getitem__)

    assert str(caught.value.mistakes[0]).startswith(mistake)


def constrained(constraints: x509.NameConstraints) -> tuple[Authority, Issuer, dict[str, bytes]]:
    """A foreign authority that is bound to names, and its lists."""
    town = Town("bound")
    key = generate_tls_key("P-256")
    usage: dict[str, Any] = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bound names")]))
        .issuer_name(town.root.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + timedelta(days=300))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=False, key_cert_sign=True, crl_sign=True, **usage),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(town.root.key.public_key()),
            critical=False,
        )
        .add_extension(constraints, critical=True)
    )
    issuer = Issuer(builder.sign(town.root.key, hashes.SHA256()), key)
    town.issuing = issuer
    return town.authority, issuer, town.crls()


DNS, URI = x509.DNSName, x509.UniformResourceIdentifier
PERMITTED = x509.NameConstraints(permitted_subtrees=[DNS("post-a.example")], excluded_subtrees=None)
EXCLUDED = x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=[DNS("bad.example")])
NO_PARTY = x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=[URI("example.com")])
ONE_HOST = x509.NameConstraints(permitted_subtrees=[URI("example.com")], excluded_subtrees=None)


@pytest.mark.parametrize(
    ("constraints", "host", "expected"),
    [
        (PERMITTED, "gw.post-a.example", "post-a"),
        (PERMITTED, "gw.post-b.example", None),
        (EXCLUDED, "gw.post-a.example", "post-a"),
        (EXCLUDED, "gw.bad.example", None),
        # A URN has no host, and what cannot be compared does not pass (RFC 5280, 4.2.1.10).
        (NO_PARTY, "gw.post-a.example", None),
        (ONE_HOST, "gw.post-a.example", None),
    ],
    ids=["permitted", "not permitted", "not excluded", "excluded", "uri excluded", "uri permitted"],
)
def test_constraints_of_names_bind_an_authority(
    constraints: x509.NameConstraints, host: str, expected: str | None
) -> None:
    authority, issuer, lists = constrained(constraints)
    registry = Registry(authorities=[authority], parties=[party("post-a", authority.id)])
    found = Authenticator(registry, Revocations.from_files([authority], lists))
    certificate = issue_tls(
        generate_tls_key("P-256"),
        issuer=issuer,
        name="x",
        party=PartyId("post-a"),
        validity=USUAL,
        hosts=(host,),
    )

    assert counts_for(found, certificate) == expected


def test_a_ca_that_is_bound_to_uris_vouches_by_pinned_certificates() -> None:
    authority, issuer, lists = constrained(ONE_HOST)
    certificate = issue_tls(
        generate_tls_key("P-256"),
        issuer=issuer,
        name="x",
        party=None,
        validity=USUAL,
        hosts=("gw.post-a.example",),
    )
    pinned = party("post-a", authority.id, thumbprints=(fingerprint_of(certificate),))
    registry = Registry(authorities=[authority], parties=[pinned])
    found = Authenticator(registry, Revocations.from_files([authority], lists))

    assert counts_for(found, certificate) == "post-a"
