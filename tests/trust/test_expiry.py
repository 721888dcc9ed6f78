"""Who expires when: three warnings before the end, and none about what is replaced."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization

from tests.trust.town import DAY, NOW, POST, Town, authenticator, der, party
from trust.authority import Validity, generate_key
from trust.certificates import fingerprint_of, pem_of
from trust.delegation import Delegation, sign
from trust.expiry import (
    Expiring,
    Level,
    in_order,
    of_certificate,
    of_chain,
    of_clients,
    of_holdings,
    of_list,
    of_registry,
    worst,
)
from trust.inventory import inventory
from trust.keys import KeySigner, public_key_pem, signing_key
from trust.members import Party, SigningKey
from trust.party import Registry
from trust.registry_pins import pinned_certificates


def thing(left: timedelta, **more: object) -> Expiring:
    """Something that ends in that time."""
    given = {"kind": "tls", "name": "post-a", "what": "tls.pem", "until": NOW + left, **more}
    return Expiring(**given)  # type: ignore[arg-type] # fields of Expiring


@pytest.mark.parametrize(
    ("left", "level"),
    [
        (timedelta(days=61), "ok"),
        (timedelta(days=60), "notice"),
        (timedelta(days=31), "notice"),
        (timedelta(days=30), "warning"),
        (timedelta(days=8), "warning"),
        (timedelta(days=7), "urgent"),
        (timedelta(seconds=1), "urgent"),
        (timedelta(0), "expired"),
        (timedelta(days=-400), "expired"),
    ],
)
def test_there_are_three_warnings_before_the_end(left: timedelta, level: Level) -> None:
    assert level == thing(left).level(NOW)


@pytest.mark.parametrize(
    ("left", "level"),
    [(4, "ok"), (3.5, "notice"), (2.3, "warning"), (1.1, "urgent"), (0, "expired")],
)
def test_what_lives_a_week_is_warned_about_by_shares(left: float, level: Level) -> None:
    until = NOW + timedelta(days=left)
    crl = thing(timedelta(days=left), since=until - timedelta(days=7), short_lived=True)

    assert level == crl.level(NOW)


def test_what_lives_long_is_warned_about_by_days_though_it_is_a_list() -> None:
    crl = thing(60 * DAY, since=NOW - 300 * DAY, short_lived=True)

    assert "notice" == crl.level(NOW)


def test_what_is_replaced_is_no_news() -> None:
    assert "ok" == thing(-DAY, replaced=True).level(NOW)


def test_the_most_urgent_stands_first() -> None:
    things = [thing(days * DAY) for days in (90, 20, 3, 50, -2, 5)]

    assert [-2, 3, 5, 20, 50, 90] == [one.days(NOW) for one in in_order(things, now=NOW)]
    assert "expired" == worst(things, now=NOW)
    assert "ok" == worst([], now=NOW)


def key(pem: bytes, *, start: datetime | None, end: datetime | None) -> SigningKey:
    """A registered key."""
    return signing_key(pem, not_before=start, not_after=end)


def test_a_registry_tells_authorities_keys_and_delegations(luxor: Town) -> None:
    post, shop = generate_key("P-256"), generate_key("P-256")
    claims = Delegation(
        id="d-1",
        delegator=POST,
        delegate=party("shop-1").id,
        gateways=(party("gateway-lx").id,),
        issued_at=int(NOW.timestamp()),
        not_before=int(NOW.timestamp()),
        not_after=int((NOW + 9 * DAY).timestamp()),
        kinds=("*",),
    )
    registry = Registry(
        authorities=[luxor.authority],
        parties=[
            party(signing_keys=(key(public_key_pem(post), start=NOW - DAY, end=NOW + 90 * DAY),)),
            party(
                "shop-1",
                signing_keys=(key(public_key_pem(shop), start=None, end=None),),
            ),
        ],
        delegations=[sign(claims, KeySigner(post))],
    )

    found = list(of_registry(registry))

    assert [
        ("authority", "luxor"),
        ("authority", "luxor"),
        ("key", POST),
        ("delegation", POST),
    ] == [(one.kind, one.name) for one in found]
    assert "d-1 for shop-1" == found[-1].what
    assert (9, "warning") == (found[-1].days(NOW), found[-1].level(NOW))


@pytest.mark.parametrize(
    ("start", "end", "replaced"),
    [
        (NOW - DAY, NOW + 90 * DAY, True),
        (NOW + 3 * DAY, None, True),
        (NOW + 6 * DAY, NOW + 90 * DAY, False),  # there is a gap
        (NOW - 9 * DAY, NOW + 4 * DAY, False),
    ],
)
def test_a_key_that_another_outlasts_is_replaced(
    start: datetime, end: datetime | None, replaced: bool
) -> None:
    old, new = (public_key_pem(generate_key("P-256")) for _ in range(2))
    keys = (key(old, start=None, end=NOW + 5 * DAY), key(new, start=start, end=end))
    registry = Registry(parties=[Party(id=POST, signing_keys=keys)])

    first = next(one for one in of_registry(registry) if one.until == NOW + 5 * DAY)

    assert replaced is first.replaced


def test_a_renewed_authority_replaces_the_old_certificate() -> None:
    town = Town("luxor", root=Validity(NOW - DAY, NOW + DAY), renewed=Validity(NOW, NOW + 99 * DAY))

    levels = {
        one.days(NOW): one.level(NOW) for one in of_registry(Registry(authorities=[town.authority]))
    }

    assert {1: "ok", 99: "ok", 400: "ok"} == levels


def test_a_folder_tells_what_is_not_revoked(luxor: Town) -> None:
    good, revoked = luxor.certificate(), luxor.certificate()
    files = {
        "issuing.pem": pem_of(luxor.issuing.certificate).encode(),
        "good.pem": pem_of(good).encode(),
        "revoked.pem": pem_of(revoked).encode(),
        "issuing.crl": luxor.crls(revoked)["luxor-issuing.crl"],
    }

    found = {one.what: one for one in of_holdings(inventory(files))}

    assert {"issuing.pem", "good.pem", "issuing.crl"} == found.keys()
    assert found["issuing.crl"].short_lived
    assert "post-a" == found["good.pem"].name


def test_a_list_is_read_in_both_forms(luxor: Town) -> None:
    from cryptography import x509

    pem = luxor.crls()["luxor-issuing.crl"]
    binary = x509.load_pem_x509_crl(pem).public_bytes(serialization.Encoding.DER)

    (first,) = of_list(pem, name="luxor", what="a.crl")
    (second,) = of_list(binary, name="luxor", what="a.crl")

    assert first == second
    assert NOW + DAY == first.until


@pytest.mark.parametrize("content", [b"", b"rubbish", b"-----BEGIN X509 CRL-----\nAA\n"])
def test_what_is_neither_is_passed_over(content: bytes) -> None:
    assert [] == list(of_list(content, name="x", what="y"))
    assert [] == list(of_certificate(content, kind="tls", name="x", what="y"))


def test_a_chain_ends_with_the_first_of_it_that_ends(luxor: Town) -> None:
    pem = f"{pem_of(luxor.certificate())}{pem_of(luxor.issuing.certificate)}".encode()

    found = list(of_chain(pem, kind="tls", name="gateway-lx", what="tls.pem"))

    assert [("tls.pem", 30), ("tls.pem: CN=luxor issuing", 400)] == [
        (one.what, one.days(NOW)) for one in found
    ]
    assert [] == list(of_chain(b"rubbish", kind="tls", name="x", what="y"))


def test_certificates_that_a_registry_text_pins_are_found(luxor: Town) -> None:
    pem = pem_of(luxor.certificate())
    text = f'[[party]]\nid = "a"\ncertificates = ["there.pem", "gone.pem", """{pem}"""]\n'
    files = {"there.pem": pem.encode()}

    found = list(pinned_certificates(text.encode(), files.get))

    assert [("a", "there.pem"), ("a", "certificates[2]")] == [row[:2] for row in found]
    assert [] == list(pinned_certificates(b"party = 3", files.get))


def test_of_a_partys_clients_the_one_that_lasts_longest_counts(luxor: Town) -> None:
    old = luxor.certificate(validity=Validity(NOW - DAY, NOW + 3 * DAY))
    new = luxor.certificate(validity=Validity(NOW - DAY, NOW + 93 * DAY))
    shops = luxor.certificate("shop-1", validity=Validity(NOW - DAY, NOW + 5 * DAY))
    gate = authenticator([luxor], party(), party("shop-1"))
    for certificate in (old, new, shops):
        gate.identify(der(certificate), now=NOW)

    found = list(of_clients(gate.seen()))

    assert [("post-a", 3, "ok"), ("post-a", 93, "ok"), ("shop-1", 5, "urgent")] == [
        (one.name, one.days(NOW), one.level(NOW)) for one in found
    ]
    assert fingerprint_of(shops) == found[-1].what
