"""What a registry says of evidence: read, written, and held against itself."""

from __future__ import annotations

import msgspec
import pytest

from tests.trust.town import Town
from trust.members import Authority
from trust.party import Registry, RegistryError

ROWS = {
    "crl_urls": ("http://ca.example/a.crl", "https://ca.example/b.crl"),
    "ocsp": ("http://ca.example/ocsp",),
    "ocsp_nonce": True,
    "require": "either",
    "policies": ("1.3.6.1.4.1.99999.1", "2.5.29.32.0"),
}


def authority(town: Town, **rows: object) -> Authority:
    """The town's authority with these rows."""
    return msgspec.structs.replace(town.authority, **rows)


def mistakes(town: Town, **rows: object) -> list[str]:
    """What a registry finds wrong with them."""
    try:
        Registry(authorities=[authority(town, **rows)])
    except RegistryError as error:
        return str(error).splitlines()
    return []


def test_all_rows_survive_toml_and_json(luxor: Town) -> None:
    registry = Registry(authorities=[authority(luxor, **ROWS)])

    def nothing(name: str) -> bytes:
        raise FileNotFoundError(name)

    for again in (
        Registry.from_toml(registry.to_toml(), nothing),
        Registry.from_json(registry.to_json()),
    ):
        assert registry.authorities == again.authorities


def test_what_was_stored_before_there_were_such_rows_goes_by_lists(luxor: Town) -> None:
    found = Registry.from_json(Registry(authorities=[luxor.authority]).to_json())

    assert "crl" == found.authorities["luxor"].require


@pytest.mark.parametrize("require", ["ocsp", "either", "both"])
def test_answers_can_be_required_only_of_a_responder(luxor: Town, require: str) -> None:
    assert ["authority[0].require: no responder is named in ocsp"] == mistakes(
        luxor, require=require
    )


def test_a_responder_that_is_never_asked_is_a_mistake(luxor: Town) -> None:
    assert ["authority[0].ocsp: require says that only lists count"] == mistakes(
        luxor, ocsp=("http://ca.example/",)
    )


@pytest.mark.parametrize(
    "url",
    [
        "ftp://ca.example/a",
        "file:///etc/passwd",
        "http://user:secret@ca.example/",
        "http://ca.example/#part",
        "http://ca.example/ a",
        "ca.example",
        "",
    ],
)
@pytest.mark.parametrize("key", ["crl_urls", "ocsp"])
def test_only_an_address_is_an_address(key: str, url: str) -> None:
    text = f'[[authority]]\nid = "luxor"\ncertificates = []\n{key} = ["{url}"]\n'

    with pytest.raises(RegistryError, match=rf"authority\[0\]\.{key}"):
        Registry.from_toml(text, lambda _: b"")
