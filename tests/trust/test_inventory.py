"""What a directory holds, and how each thing stands."""

from __future__ import annotations

from tests.trust.town import DAY, NOW, Town
from trust.authority import Validity
from trust.certificates import fingerprint_of, pem_of
from trust.inventory import inventory


def test_certificates_and_lists_are_listed_by_path(luxor: Town) -> None:
    leaf = luxor.certificate()
    files = {
        "z/tls.pem": f"{pem_of(leaf)}{pem_of(luxor.issuing.certificate)}".encode(),
        "a/root.pem": pem_of(luxor.root.certificate).encode(),
        "a/tls.key": b"not looked at",
        "b.crl": luxor.crls()["luxor-issuing.crl"],
        "broken.pem": b"rubbish",
        "broken.crl": b"rubbish",
    }

    holdings = inventory(files)

    assert [(h.path, h.kind, h.party) for h in holdings] == [
        ("a/root.pem", "authority", ""),
        ("b.crl", "crl", ""),
        ("z/tls.pem", "certificate", "post-a"),
    ]
    assert holdings[2].fingerprint == fingerprint_of(leaf)
    assert [h.standing(NOW) for h in holdings] == ["good", "good", "good"]


def test_a_certificate_in_two_files_is_listed_once(luxor: Town) -> None:
    pem = pem_of(luxor.issuing.certificate).encode()

    assert [h.path for h in inventory({"chain.pem": pem, "issuing.pem": pem})] == ["issuing.pem"]


def test_a_certificate_on_its_authoritys_list_is_revoked(luxor: Town) -> None:
    leaf = luxor.certificate()
    files = {
        "issuing.pem": pem_of(luxor.issuing.certificate).encode(),
        "tls.pem": pem_of(leaf).encode(),
        "issuing.crl": luxor.crls(leaf)["luxor-issuing.crl"],
    }

    assert {h.path: h.standing(NOW) for h in inventory(files)} == {
        "issuing.crl": "good",
        "issuing.pem": "good",
        "tls.pem": "revoked",
    }


def test_a_certificate_on_a_forged_list_is_good(luxor: Town) -> None:
    leaf = luxor.certificate()
    files = {
        "issuing.pem": pem_of(luxor.issuing.certificate).encode(),
        "tls.pem": pem_of(leaf).encode(),
        "issuing.crl": Town("luxor").crls(leaf)["luxor-issuing.crl"],
    }

    assert inventory(files)[2].standing(NOW) == "good"


def test_what_is_out_of_its_time_says_so(luxor: Town) -> None:
    old = luxor.certificate(validity=Validity(NOW - 9 * DAY, NOW - DAY))
    early = luxor.certificate(validity=Validity(NOW + DAY, NOW + 9 * DAY))
    files = {"a.pem": pem_of(old).encode(), "b.pem": pem_of(early).encode()}

    assert [h.standing(NOW) for h in inventory(files)] == ["expired", "not yet valid"]
