"""Enrol, renew, revoke, publish: the ledger first, and nothing twice."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from gateway.authority import AuthorityError, Entry, Office
from gateway.authority.expiry import expiring_of_authority
from gateway.authority.lists import number_of, read_list
from gateway.authority.office import open_office
from tests.gateway.authority.conftest import DAY, NOW, POST, SHOP, URL, request_of
from trust.authenticator import Authenticator
from trust.authority import generate_key
from trust.certificates import load_certificates
from trust.enrolment import key_id
from trust.errors import TrustError
from trust.expiry import in_order
from trust.members import Authority, Party
from trust.party import Registry
from trust.responder import Good, Revoked, Unknown
from trust.revocation import Revocations


def judged(office: Office, der: bytes, *, now: object = NOW) -> str:
    """What a gateway with this authority in its registry says of a certificate."""
    pems = [(office.folder / f"{role}.pem").read_text() for role in ("root", "issuing")]
    registry = Registry(
        authorities=[
            Authority(id="luxor", certificates=tuple(pems), crls=("root.crl", "issuing.crl"))
        ],
        parties=[Party(id=party, authorities=("luxor",)) for party in (POST, SHOP)],
    )
    files = {
        name: (office.folder / "crl" / name).read_bytes() for name in ("root.crl", "issuing.crl")
    }
    revocations = Revocations.from_files(registry.authorities.values(), files)
    try:
        return Authenticator(registry, revocations).identify(der, now=now).party  # type: ignore[arg-type] # a datetime
    except TrustError as error:
        return error.code


def number(office: Office, role: str = "issuing") -> int:
    """The number of a list."""
    crl = read_list(office.folder / "crl" / f"{role}.crl")
    assert crl is not None
    return number_of(crl)


def enrolled(office: Office, *hosts: str) -> Entry:
    """A TLS certificate of the post."""
    return office.enrol(POST, request_of(POST), purpose="tls", now=NOW, hosts=hosts).entry


def test_what_is_issued_is_let_in_and_stands_in_the_ledger(office: Office) -> None:
    issued = office.enrol(
        POST, request_of(POST, "gw.post", "evil.example"), purpose="tls", now=NOW, hosts=["gw.post"]
    )

    assert POST == judged(office, issued.entry.certificate)
    assert ("evil.example",) == issued.passed_over
    assert (issued.entry,) == office.ledger.of_party(POST)
    leaf, above = load_certificates(issued.chain.encode())
    assert above == office.holdings.certificates["issuing"]
    assert f"{URL}/ocsp" in str(
        leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    )
    assert NOW + 90 * DAY == leaf.not_valid_after_utc


def test_a_key_belongs_to_one_party(office: Office) -> None:
    key = generate_key("P-256")
    office.enrol(POST, request_of(POST, key=key), purpose="tls", now=NOW)

    with pytest.raises(AuthorityError, match="that of party 'post-a'"):
        office.enrol(SHOP, request_of(SHOP, key=key), purpose="tls", now=NOW)


def test_a_key_is_for_one_purpose(office: Office) -> None:
    key = generate_key("P-256")
    office.enrol(POST, request_of(POST, key=key), purpose="tls", now=NOW)

    with pytest.raises(AuthorityError, match="signing needs a key of its own"):
        office.enrol(POST, request_of(POST, key=key), purpose="signing", now=NOW)


@pytest.mark.parametrize(
    ("owner", "purpose", "reason"),
    [
        (SHOP, "signing", "the registry has this key for party 'shop-1'"),
        (POST, "tls", "the registry has this key for signing"),
    ],
)
def test_a_key_of_the_registry_is_taken(
    office: Office, owner: str, purpose: str, reason: str
) -> None:
    key = generate_key("P-256")

    with pytest.raises(AuthorityError, match=reason):
        office.enrol(
            POST,
            request_of(POST, key=key),
            purpose=purpose,  # type: ignore[arg-type] # one of the two
            now=NOW,
            owners={key_id(key.public_key()): owner},
        )


def test_the_authoritys_own_key_is_nobody_elses(office: Office) -> None:
    key = office.holdings.keys["issuing"]

    with pytest.raises(AuthorityError, match="of the authority itself"):
        office.enrol(POST, request_of(POST, key=key), purpose="tls", now=NOW)
    assert () == office.ledger.of_party(POST)


@pytest.mark.parametrize("days", [0, -1, 91])
def test_nothing_lasts_longer_than_the_profile_says(office: Office, days: int) -> None:
    with pytest.raises(AuthorityError, match="1 to 90 days"):
        office.enrol(POST, request_of(POST), purpose="tls", now=NOW, days=days)


def test_revoked_at_once_on_the_list_and_in_every_answer(office: Office) -> None:
    entry = enrolled(office)
    before = number(office)
    assert Good() == office.standing("issuing", int(entry.serial, 16))

    (told,) = office.revoke([entry.serial], reason="superseded", now=NOW + DAY)

    assert before + 1 == number(office)
    assert "certificate.revoked" == judged(office, entry.certificate, now=NOW + DAY)
    assert Revoked(NOW + DAY, x509.ReasonFlags.superseded) == office.standing(
        "issuing", int(entry.serial, 16)
    )
    assert (NOW + DAY, "superseded") == (told.revoked_at, told.reason)
    crl = read_list(office.folder / "crl/issuing.crl")
    assert crl is not None
    listed = crl.get_revoked_certificate_by_serial_number(int(entry.serial, 16))
    assert listed is not None
    assert x509.ReasonFlags.superseded == (
        listed.extensions.get_extension_for_class(x509.CRLReason).value.reason
    )


def test_revoking_again_keeps_the_first_date_and_reason(office: Office) -> None:
    entry = enrolled(office)
    office.revoke([entry.serial], reason="superseded", now=NOW)

    (told,) = office.revoke([entry.serial], reason="key-compromise", now=NOW + DAY)

    assert (NOW, "superseded") == (told.revoked_at, told.reason)


@pytest.mark.parametrize(
    ("serial", "reason", "told"),
    [("abc", "superseded", "no certificate abc"), ("", "certificate-hold", "no reason")],
)
def test_what_was_never_issued_cannot_be_revoked(
    office: Office, serial: str, reason: str, told: str
) -> None:
    entry = enrolled(office)

    with pytest.raises(AuthorityError, match=told):
        office.revoke([entry.serial, serial or entry.serial], reason=reason, now=NOW)
    assert office.ledger.of_party(POST)[0].revoked_at is None


def test_a_revoked_issuing_authority_is_on_the_roots_list(office: Office) -> None:
    entry = enrolled(office)
    issuing = office.holdings.certificates["issuing"].serial_number

    office.revoke([f"{issuing:x}"], reason="key-compromise", now=NOW)

    assert "certificate.revoked" == judged(office, entry.certificate)
    root = office.holdings.certificates["root"].serial_number
    with pytest.raises(AuthorityError, match="a root cannot revoke itself"):
        office.revoke([f"{root:x}"], reason="unspecified", now=NOW)


def test_renewed_certificates_overlap(office: Office) -> None:
    old = enrolled(office, "gw.post", "192.0.2.1")

    new = office.renew(POST, purpose="tls", now=NOW + 60 * DAY).entry

    assert old.serial != new.serial
    assert old.key_id == new.key_id
    assert ("gw.post", "192.0.2.1") == new.hosts()
    office.publish(now=NOW + 60 * DAY, anew=True)
    now = NOW + 60 * DAY
    assert [POST, POST] == [judged(office, e.certificate, now=now) for e in (old, new)]
    assert NOW + 150 * DAY == new.parsed().not_valid_after_utc


def test_renewing_with_a_request_changes_the_key(office: Office) -> None:
    old = enrolled(office)

    new = office.renew(POST, purpose="tls", now=NOW, request=request_of(POST)).entry

    assert old.key_id != new.key_id


def test_a_revoked_certificate_is_renewed_with_another_key_only(office: Office) -> None:
    key = generate_key("P-256")
    entry = office.enrol(POST, request_of(POST, key=key), purpose="tls", now=NOW).entry
    office.revoke([entry.serial], reason="key-compromise", now=NOW)

    with pytest.raises(AuthorityError, match="a new key is needed"):
        office.renew(POST, purpose="tls", now=NOW)
    with pytest.raises(AuthorityError, match="reported as compromised"):
        office.renew(POST, purpose="tls", now=NOW, request=request_of(POST, key=key))
    new = office.renew(POST, purpose="tls", now=NOW, request=request_of(POST)).entry

    assert POST == judged(office, new.certificate)


def test_there_must_be_something_to_renew(office: Office) -> None:
    with pytest.raises(AuthorityError, match="has no signing certificate"):
        office.renew(POST, purpose="signing", now=NOW)


def test_lists_are_made_when_less_than_half_of_their_time_is_left(office: Office) -> None:
    assert () == office.publish(now=NOW + timedelta(days=3))

    written = office.publish(now=NOW + timedelta(days=4))

    assert ["issuing"] == [one.issuer for one in written]
    assert 2 == number(office)
    assert 1 == number(office, "root")


def test_a_list_that_was_not_written_after_a_crash_is_made_up_for(office: Office) -> None:
    entry = enrolled(office)
    office.ledger.revoke(entry.serial, reason="superseded", now=NOW)  # and no list: a power cut

    (written,) = office.publish(now=NOW)

    assert (2, 1) == (written.number, written.entries)
    assert "certificate.revoked" == judged(office, entry.certificate)


def test_a_lost_list_is_made_again_with_a_later_number(office: Office) -> None:
    office.publish(now=NOW, anew=True)
    (office.folder / "crl/issuing.crl").unlink()

    office.publish(now=NOW)

    assert 3 == number(office)


def test_a_serial_leaves_the_list_long_after_its_certificate_ended(office: Office) -> None:
    entry = enrolled(office)
    office.revoke([entry.serial], reason="superseded", now=NOW)

    kept = office.publish(now=NOW + 100 * DAY, anew=True)
    gone = office.publish(now=NOW + 130 * DAY, anew=True)

    assert [1, 0] == [
        one.entries for written in (kept, gone) for one in written if one.issuer == "issuing"
    ]
    assert isinstance(office.standing("issuing", int(entry.serial, 16)), Revoked)


def test_serials_are_known_to_their_issuer_alone(office: Office) -> None:
    entry = enrolled(office)

    assert Unknown() == office.standing("root", int(entry.serial, 16))
    assert Unknown() == office.standing("issuing", 12345)


def test_the_ledger_is_only_ever_added_to(office: Office, folder: Path) -> None:
    enrolled(office)
    other = sqlite3.connect(folder / "ledger.db")
    try:
        for change in ("UPDATE issued SET party = 'x'", "DELETE FROM issued", "DELETE FROM lists"):
            with pytest.raises(sqlite3.IntegrityError, match="only ever added to"):
                other.execute(change)
    finally:
        other.close()


def test_two_at_once_never_certify_one_key_for_two_parties(folder: Path) -> None:
    import threading

    key = generate_key("P-256")
    results: list[str] = []

    def enrol(party: object) -> None:
        with open_office(folder) as office:
            try:
                office.enrol(party, request_of(party, key=key), purpose="tls", now=NOW)  # type: ignore[arg-type] # a PartyId
                results.append("issued")
            except AuthorityError:
                results.append("refused")

    threads = [threading.Thread(target=enrol, args=(party,)) for party in (POST, SHOP)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ["issued", "refused"] == sorted(results)


def test_what_is_renewed_is_not_warned_about(office: Office) -> None:
    enrolled(office, "gw.post")
    office.enrol(POST, request_of(POST), purpose="tls", now=NOW, hosts=["other"])
    later = NOW + 85 * DAY
    office.renew(POST, purpose="tls", now=later)  # of other, the last one
    office.publish(now=later)

    found = in_order(expiring_of_authority(office, now=later), now=later)

    told = [(one.kind, one.days(later), one.level(later)) for one in found]
    assert ("certificate", 5, "urgent") == told[0]
    assert sorted(told[1:]) == sorted(
        [
            ("certificate", 5, "ok"),
            ("certificate", 90, "ok"),
            ("crl", 7, "ok"),
            ("crl", 95, "ok"),
            ("authority", 1825 - 85, "ok"),
            ("authority", 3650 - 85, "ok"),
        ]
    )
