"""Who a client certificate stands for, and every way in which it stands for nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.trust.town import DAY, NOW, POST, Town, authenticator, der, party
from trust.authenticator import Authenticator
from trust.authority import KeyKind, Validity, generate_key, generate_tls_key, issue_root, issue_tls
from trust.binding import Bindings
from trust.certificates import Purpose, fingerprint_of
from trust.errors import TrustError
from trust.identity import Identity, PartyId
from trust.keys import KeySigner, public_key_pem, signing_key
from trust.members import Party
from trust.revocation import Revocations
from trust.signatures.jws import sign_detached


def refusal(towns: list[Town], certificate: bytes, *parties: Party, crls: object = None) -> str:
    """The code with which a certificate is refused."""
    gate = authenticator(towns, *parties, crls=crls)  # type: ignore[arg-type] # a mapping or None
    with pytest.raises(TrustError) as caught:
        gate.identify(certificate, now=NOW)
    return caught.value.code


def test_a_certificate_that_names_its_party_by_uri_is_that_party(luxor: Town) -> None:
    certificate = luxor.certificate()
    gate = authenticator([luxor], party(roles=frozenset({"post"})))

    assert gate.identify(der(certificate), now=NOW) == Identity(
        party=POST,
        roles=frozenset({"post"}),
        fingerprint=fingerprint_of(certificate),
        method="mtls",
    )


def test_a_certificate_of_an_unknown_authority_is_untrusted(luxor: Town, partner: Town) -> None:
    assert refusal([luxor], der(partner.certificate()), party()) == "certificate.untrusted"


def test_an_authority_with_a_known_name_and_another_key_is_untrusted(luxor: Town) -> None:
    assert refusal([luxor], der(Town("luxor").certificate()), party()) == "certificate.untrusted"


def test_one_authority_cannot_vouch_for_the_party_of_another(luxor: Town, partner: Town) -> None:
    forged = der(partner.certificate(POST))
    guest = party("gateway-pn", "partner")

    assert refusal([luxor, partner], forged, party(), guest) == "certificate.untrusted"


def test_an_authority_vouches_for_the_party_that_lists_it(luxor: Town, partner: Town) -> None:
    gate = authenticator([luxor, partner], party(), party("gateway-pn", "partner"))

    found = gate.identify(der(partner.certificate("gateway-pn")), now=NOW)

    assert found.party == "gateway-pn"


def test_an_expired_certificate_of_a_known_authority_is_expired(luxor: Town) -> None:
    old = luxor.certificate(validity=Validity(NOW - 9 * DAY, NOW - DAY))

    assert refusal([luxor], der(old), party()) == "certificate.expired"


def test_an_expired_certificate_of_an_unknown_authority_is_untrusted(
    luxor: Town, partner: Town
) -> None:
    old = partner.certificate(validity=Validity(NOW - 9 * DAY, NOW - DAY))

    assert refusal([luxor], der(old), party()) == "certificate.untrusted"


def test_a_certificate_of_tomorrow_is_not_yet_valid(luxor: Town) -> None:
    early = luxor.certificate(validity=Validity(NOW + DAY, NOW + 9 * DAY))

    assert refusal([luxor], der(early), party()) == "certificate.not-yet-valid"


def test_a_certificate_below_an_expired_authority_is_expired() -> None:
    town = Town("luxor", root=Validity(NOW - 20 * DAY, NOW - DAY))

    assert refusal([town], der(town.certificate()), party()) == "certificate.expired"


def test_a_revoked_certificate_is_revoked(luxor: Town) -> None:
    certificate = luxor.certificate()

    code = refusal([luxor], der(certificate), party(), crls=luxor.crls(certificate))

    assert code == "certificate.revoked"


def test_a_certificate_below_a_revoked_authority_is_revoked(luxor: Town) -> None:
    crls = luxor.crls(luxor.issuing.certificate)

    assert refusal([luxor], der(luxor.certificate()), party(), crls=crls) == "certificate.revoked"


@pytest.mark.parametrize("missing", ["luxor-root.crl", "luxor-issuing.crl"])
def test_without_the_list_of_any_authority_above_nothing_counts(luxor: Town, missing: str) -> None:
    crls = {name: crl for name, crl in luxor.crls().items() if name != missing}

    code = refusal([luxor], der(luxor.certificate()), party(), crls=crls)

    assert code == "revocation.unavailable"


def test_a_certificate_whose_uri_names_nobody_is_of_an_unknown_party(luxor: Town) -> None:
    assert refusal([luxor], der(luxor.certificate("post-z")), party()) == "party.unknown"


def test_a_certificate_without_a_uri_breaks_the_profile(luxor: Town) -> None:
    assert refusal([luxor], der(luxor.certificate(None)), party()) == "certificate.profile"


def test_a_certificate_without_any_alternative_name_breaks_the_profile(luxor: Town) -> None:
    bare = luxor.certificate(None, hosts=())

    assert refusal([luxor], der(bare), party()) == "certificate.profile"


def test_the_common_name_is_never_read(luxor: Town) -> None:
    named = issue_tls(
        luxor.key,
        issuer=luxor.issuing,
        name=POST,
        party=None,
        validity=Validity(NOW - DAY, NOW + DAY),
        hosts=("localhost",),
    )

    assert refusal([luxor], der(named), party()) == "certificate.profile"


def test_a_certificate_that_names_two_parties_is_ambiguous(luxor: Town) -> None:
    both = luxor.certificate(uris=["urn:luxor:party:post-b"])

    assert refusal([luxor], der(both), party(), party("post-b")) == "party.ambiguous"


def test_a_uri_of_another_scheme_beside_ours_does_no_harm(luxor: Town) -> None:
    certificate = luxor.certificate(uris=["spiffe://example.org/post-b"])

    assert authenticator([luxor], party()).identify(der(certificate), now=NOW).party == POST


@pytest.mark.parametrize("name", ["Post-A", "post-a\n", "post-a/..", "", "-post"])
def test_a_uri_that_is_no_party_id_breaks_the_profile(luxor: Town, name: str) -> None:
    odd = luxor.certificate(None, uris=[f"urn:luxor:party:{name}"])

    assert refusal([luxor], der(odd), party()) == "certificate.profile"


def test_a_server_certificate_is_no_client_certificate(luxor: Town) -> None:
    server = luxor.certificate(purposes=[Purpose.SERVER])

    assert refusal([luxor], der(server), party()) in {
        "certificate.profile",
        "certificate.untrusted",
    }


def test_an_authority_cannot_log_in_with_its_own_certificate(luxor: Town) -> None:
    code = refusal([luxor], der(luxor.issuing.certificate), party())

    assert code in {"certificate.profile", "certificate.untrusted"}


def test_a_self_signed_certificate_is_untrusted(luxor: Town) -> None:
    own = issue_root(generate_tls_key("P-256"), name="own", validity=Validity(NOW - DAY, NOW + DAY))

    assert refusal([luxor], der(own.certificate), party()) == "certificate.untrusted"


@pytest.mark.parametrize("owner", [POST, "shop"])
@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA-2048"])
def test_a_key_that_signs_messages_opens_no_connection(
    luxor: Town, owner: str, kind: KeyKind
) -> None:
    """Transport and signing keys are separate, also where the registry has the bare key."""
    key = generate_tls_key(kind)
    row = signing_key(public_key_pem(key))
    parties = [party(name, signing_keys=(row,) if name == owner else ()) for name in (POST, "shop")]

    assert refusal([luxor], der(luxor.certificate(key=key)), *parties) == "certificate.profile"


def test_a_suspended_party_is_refused_with_a_good_certificate(luxor: Town) -> None:
    suspended = party(suspended=True)

    assert refusal([luxor], der(luxor.certificate()), suspended) == "party.suspended"


def test_a_pinned_certificate_needs_no_uri(luxor: Town) -> None:
    foreign = luxor.certificate(None, hosts=())
    gate = authenticator([luxor], party(thumbprints=(fingerprint_of(foreign),)))

    assert gate.identify(der(foreign), now=NOW).party == POST


def test_a_pinned_certificate_still_needs_an_authority_that_may_vouch(
    luxor: Town, partner: Town
) -> None:
    foreign = partner.certificate(None)
    pinned = party(thumbprints=(fingerprint_of(foreign),))

    assert refusal([luxor, partner], der(foreign), pinned) == "certificate.untrusted"


def test_a_pinned_certificate_that_names_another_party_is_ambiguous(luxor: Town) -> None:
    certificate = luxor.certificate("post-b")
    pinned = party(thumbprints=(fingerprint_of(certificate),))

    assert refusal([luxor], der(certificate), pinned, party("post-b")) == "party.ambiguous"


def test_a_party_with_pinned_certificates_has_no_others(luxor: Town) -> None:
    pinned = party(thumbprints=(fingerprint_of(luxor.certificate()),))

    assert refusal([luxor], der(luxor.certificate()), pinned) == "certificate.untrusted"


def test_revocation_bites_a_certificate_that_was_accepted(luxor: Town) -> None:
    certificate = luxor.certificate()
    gate = authenticator([luxor], party())
    gate.identify(der(certificate), now=NOW)
    lists = Revocations.from_files([luxor.authority], luxor.crls(certificate))

    with pytest.raises(TrustError, match=r"certificate\.revoked"):
        gate.with_revocations(lists).identify(der(certificate), now=NOW)


def test_expiry_bites_a_certificate_that_was_accepted(luxor: Town) -> None:
    certificate = luxor.certificate(validity=Validity(NOW - DAY, NOW + timedelta(hours=1)))
    gate = authenticator([luxor], party())
    gate.identify(der(certificate), now=NOW)

    with pytest.raises(TrustError, match=r"certificate\.expired"):
        gate.identify(der(certificate), now=NOW + timedelta(hours=2))


def test_a_list_that_runs_out_bites_a_certificate_that_was_accepted(luxor: Town) -> None:
    certificate = luxor.certificate()
    gate = authenticator([luxor], party())
    gate.identify(der(certificate), now=NOW)

    with pytest.raises(TrustError, match=r"revocation\.unavailable"):
        gate.identify(der(certificate), now=NOW + 2 * DAY)


def test_a_certificate_of_tomorrow_counts_tomorrow(luxor: Town) -> None:
    early = der(luxor.certificate(validity=Validity(NOW + DAY / 4, NOW + 9 * DAY)))
    gate = authenticator([luxor], party())
    with pytest.raises(TrustError):
        gate.identify(early, now=NOW)

    assert gate.identify(early, now=NOW + DAY / 2).party == POST


def test_a_renewed_root_takes_over_from_the_one_that_expires() -> None:
    town = Town(
        "luxor",
        root=Validity(NOW - 9 * DAY, NOW + DAY / 4),
        renewed=Validity(NOW - DAY, NOW + 9 * DAY),
    )
    gate = authenticator([town], party())
    certificate = der(town.certificate())
    gate.identify(certificate, now=NOW)

    assert gate.identify(certificate, now=NOW + DAY / 2).party == POST


def test_no_more_certificates_are_remembered_than_allowed(luxor: Town) -> None:
    bindings = Bindings(authenticator([luxor], party()).registry, remembered=2)
    for _ in range(5):
        bindings.find(der(luxor.certificate()), now=NOW)

    assert len(bindings._known) == 2


def test_a_folder_that_was_configured_is_its_party() -> None:
    gate = authenticator([], Party(id=POST, roles=frozenset({"post"})))

    assert gate.configured(POST) == Identity(party=POST, roles=frozenset({"post"}), method="folder")


@pytest.mark.parametrize(
    ("known", "code"),
    [(Party(id=POST, suspended=True), "party.suspended"), (party("x"), "party.unknown")],
)
def test_a_folder_of_a_suspended_or_unknown_party_is_refused(known: Party, code: str) -> None:
    gate = authenticator([Town("luxor")], known)

    with pytest.raises(TrustError) as caught:
        gate.configured(POST)
    assert caught.value.code == code


def test_whoever_must_sign_is_refused_unsigned() -> None:
    gate = authenticator([], signing_party(KeySigner(generate_key("P-256")), must_sign=True))

    with pytest.raises(TrustError, match=r"signature\.missing"):
        verify(gate, signature=None)


def test_whoever_may_sign_is_taken_unsigned() -> None:
    gate = authenticator([], signing_party(KeySigner(generate_key("P-256"))))

    assert verify(gate, signature=None) is None


def test_a_good_signature_names_its_key(signer: KeySigner) -> None:
    gate = authenticator([], signing_party(signer))

    assert verify(gate, signature=signature_by(signer)) == signer.kid


def test_a_bad_signature_is_refused_even_where_none_was_needed(signer: KeySigner) -> None:
    gate = authenticator([], signing_party(signer))

    with pytest.raises(TrustError, match=r"signature\.invalid"):
        verify(gate, signature=signature_by(signer, b"other content"))


def test_the_key_of_another_party_is_unknown(signer: KeySigner) -> None:
    own = KeySigner(generate_key("P-256"))
    gate = authenticator([], signing_party(own), signing_party(signer, "shop"))

    with pytest.raises(TrustError, match=r"signature\.key-unknown"):
        verify(gate, signature=signature_by(signer))


def signing_party(signer: KeySigner, identifier: str = POST, *, must_sign: bool = False) -> Party:
    """A party with that key."""
    key = signing_key(signer.public_pem, kid=signer.kid)
    return Party(id=PartyId(identifier), signing_keys=(key,), must_sign=must_sign)


def signature_by(signer: KeySigner, content: bytes = b"content") -> str:
    """What the party would send along."""
    return sign_detached(
        content, signer=signer, interchange_id="i-1", format="f", audience="g", now=NOW
    )


def verify(gate: Authenticator, *, signature: str | None) -> str | None:
    """What the gate says to post-a's content with this signature."""
    return gate.verify(
        gate.configured(POST),
        b"content",
        signature=signature,
        interchange_id="i-1",
        format="f",
        audience="g",
        now=NOW,
    )
