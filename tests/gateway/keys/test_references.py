"""Names of keys: files and PKCS #11 URIs (RFC 7512)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.keys.errors import KeyUnusable
from gateway.keys.reference import FileReference, TokenReference, key_reference
from gateway.keys.secret import SecretSource

M = "?module-path=/usr/lib/m.so"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("signing.key", "signing.key"),
        ("file:signing.key", "signing.key"),
        ("/etc/luxor/signing.key", "/etc/luxor/signing.key"),
        ("file:/etc/luxor/signing.key", "/etc/luxor/signing.key"),
        ("file:///etc/luxor/signing.key", "/etc/luxor/signing.key"),
    ],
)
def test_a_path_is_a_file(text: str, path: str) -> None:
    assert key_reference(text) == FileReference(path)


def test_every_part_of_a_uri_is_read() -> None:
    text = (
        "pkcs11:token=My%20token;serial=00ff;manufacturer=Acme;model=M;slot-id=17;object=k%3B1"
        ";id=%01%fe;type=private?module-path=/usr/lib/m.so&pin-source=file:/run/pin"
    )

    assert key_reference(text) == TokenReference(
        module="/usr/lib/m.so",
        token="My token",
        serial="00ff",
        manufacturer="Acme",
        model="M",
        slot=17,
        label="k;1",
        id=b"\x01\xfe",
        pin=SecretSource("file", "/run/pin"),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "missing"),
        ("file:", "missing"),
        ("pkcs11:object=a", "module-path"),
        ("pkcs11:object=a?module-path=m.so", "module-path"),
        (f"pkcs11:token=t{M}", "object or id"),
        (f"pkcs11:object=a;object=b{M}", "once"),
        (f"pkcs11:object{M}", "once, with a value"),
        (f"pkcs11:object=a;colour=red{M}", "'colour' is not understood"),
        (f"pkcs11:object=a;type=public{M}", "private"),
        (f"pkcs11:object=a;slot-id=x{M}", "number"),
        (f"pkcs11:object=a b{M}", "%XX"),
        (f"pkcs11:object=%f{M}", "%XX"),
        (f"pkcs11:object=%ff{M}", "UTF-8"),
        (f"pkcs11:object=a{M}&pin-value=1234", "no place in a configuration"),
        (f"pkcs11:object=a{M}&pin-source=1234", "never itself"),
        (f"pkcs11:object=a{M}&pin-source=|pin-program", "never itself"),
    ],
)
def test_what_is_no_reference_is_refused_and_no_pin_is_repeated(text: str, says: str) -> None:
    with pytest.raises(KeyUnusable, match=says) as refused:
        key_reference(text)

    assert "1234" not in str(refused.value)


@given(st.text(max_size=200))
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    for given_ in (text, f"pkcs11:{text}", f"pkcs11:object={text}{M}"):
        try:
            found = key_reference(given_)
        except KeyUnusable:
            continue
        assert isinstance(found, FileReference | TokenReference)
