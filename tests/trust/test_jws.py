"""Detached JWS: what it binds, and every forgery that must fail."""

from __future__ import annotations

import base64
import json
import tracemalloc
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OctKey
from joserfc.registry import HeaderParameter

from tests.trust.town import DAY, NOW
from trust.authority import KeyKind, generate_key
from trust.errors import TrustError
from trust.keys import KeySigner, PublicKey, public_key, signing_key
from trust.signatures.compact import (
    MAX_HEADER_CHARACTERS,
    put_together,
    take_apart,
    unpadded_decode,
    unpadded_encode,
)
from trust.signatures.jws import MAX_WHOLE_BYTES, Verifier, sign_detached, verify_detached

CONTENT = b'{"a":"\xc3\xa9"}\x00\xff'
BINDING: dict[str, Any] = {
    "interchange_id": "i-1",
    "format": "luxor.json.1",
    "audience": "gateway-lx",
    "now": NOW,
}
SIGNER = KeySigner(generate_key("P-256"), kid="k1")
KEYS: Mapping[str, PublicKey] = {"k1": SIGNER.public_key}
HEADER: dict[str, Any] = {
    "alg": "ES256",
    "kid": "k1",
    "b64": False,
    "iat": int(NOW.timestamp()),
    "jti": "i-1",
    "cty": "luxor.json.1",
    "aud": "gateway-lx",
    "crit": ["b64", "iat", "jti", "aud"],
}


def signed(header: Mapping[str, Any] | bytes, content: bytes = CONTENT) -> str:
    """A token with this header whose signature matches, whatever the header says."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    segment = unpadded_encode(raw)
    signature = SIGNER.sign(segment.encode() + b"." + content)
    return f"{segment}..{unpadded_encode(signature)}"


def code(token: str, content: bytes = CONTENT, **binding: Any) -> str:
    """The code with which a token is refused."""
    with pytest.raises(TrustError) as caught:
        verify_detached(token, content, keys=KEYS, **{**BINDING, **binding})
    return caught.value.code


def changed(**changes: Any) -> dict[str, Any]:
    """The good header with changes; ``None`` takes a name out."""
    return {name: value for name, value in {**HEADER, **changes}.items() if value is not None}


@pytest.mark.parametrize("kind", ["P-256", "P-384", "Ed25519", "RSA-2048"])
def test_what_a_key_signs_it_verifies(kind: KeyKind) -> None:
    signer = KeySigner(generate_key(kind))
    token = sign_detached(CONTENT, signer=signer, **BINDING)
    keys = {signer.kid: signer.public_key}

    assert verify_detached(token, CONTENT, keys=keys, **BINDING) == signer.kid


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
def test_an_rsa_key_signs_with_the_algorithm_it_is_for(algorithm: str) -> None:
    signer = KeySigner(generate_key("RSA-2048"), algorithm=algorithm)
    token = sign_detached(CONTENT, signer=signer, **BINDING)

    verify_detached(token, CONTENT, keys={signer.kid: signer.public_key}, **BINDING)

    assert take_apart(token, max_payload=0).header["alg"] == algorithm


@pytest.mark.parametrize("content", [b"", b"plain", CONTENT, b"." * 10])
def test_any_content_can_be_signed(content: bytes) -> None:
    token = sign_detached(content, signer=SIGNER, **BINDING)

    assert verify_detached(token, content, keys=KEYS, **BINDING) == "k1"


@given(content=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=5))
def test_content_in_parts_is_the_same_content(content: bytes, cuts: list[int]) -> None:
    ends = [*sorted(min(cut, len(content)) for cut in cuts), len(content)]
    parts = [content[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    verifier = Verifier(sign_detached(parts, signer=SIGNER, **BINDING), keys=KEYS, **BINDING)
    for part in parts:
        verifier.update(part)

    assert verifier.finish() == "k1"


def test_the_header_binds_id_format_receiver_and_time() -> None:
    header = take_apart(sign_detached(CONTENT, signer=SIGNER, **BINDING), max_payload=0).header

    assert header == HEADER


def test_a_receiver_may_be_shown_the_content_type_as_critical() -> None:
    token = signed(changed(crit=["b64", "iat", "jti", "cty", "aud"]))

    assert verify_detached(token, CONTENT, keys=KEYS, **BINDING) == "k1"


@pytest.mark.parametrize(
    ("binding", "expected"),
    [
        ({"audience": "gateway-pn"}, "signature.audience"),
        ({"interchange_id": "i-2"}, "signature.interchange"),
        ({"format": "luxor.json.2"}, "signature.format"),
        ({"now": NOW + timedelta(seconds=301)}, "signature.stale"),
        ({"now": NOW - timedelta(seconds=301)}, "signature.stale"),
    ],
)
def test_a_signature_for_one_sending_is_none_for_another(
    binding: dict[str, Any], expected: str
) -> None:
    assert code(signed(HEADER), **binding) == expected


def test_a_signature_within_the_bound_is_fresh() -> None:
    now = NOW + timedelta(seconds=299)

    assert verify_detached(signed(HEADER), CONTENT, keys=KEYS, **{**BINDING, "now": now}) == "k1"


def test_the_bound_of_age_is_an_argument() -> None:
    later = {**BINDING, "now": NOW + DAY}

    kid = verify_detached(signed(HEADER), CONTENT, keys=KEYS, max_age=2 * DAY, **later)

    assert kid == "k1"


FORGED_HEADERS: dict[str, tuple[Mapping[str, Any] | bytes, str]] = {
    "alg none": (changed(alg="none"), "signature.algorithm"),
    "alg None": (changed(alg="None"), "signature.algorithm"),
    "alg HS256": (changed(alg="HS256"), "signature.algorithm"),
    "alg EdDSA": (changed(alg="EdDSA"), "signature.algorithm"),
    "alg ES512": (changed(alg="ES512"), "signature.algorithm"),
    "alg of another key": (changed(alg="ES384"), "signature.algorithm"),
    "alg is a list": (changed(alg=["ES256"]), "signature.malformed"),
    "no alg": (changed(alg=None), "signature.malformed"),
    "no kid": (changed(kid=None), "signature.malformed"),
    "kid of nobody": (changed(kid="k2"), "signature.key-unknown"),
    "kid is a number": (changed(kid=1), "signature.malformed"),
    "no jti": (changed(jti=None), "signature.malformed"),
    "no cty": (changed(cty=None), "signature.malformed"),
    "no aud": (changed(aud=None), "signature.malformed"),
    "aud is a list": (changed(aud=["gateway-lx"]), "signature.malformed"),
    "no iat": (changed(iat=None), "signature.malformed"),
    "iat is text": (changed(iat=str(HEADER["iat"])), "signature.malformed"),
    "iat is true": (changed(iat=True), "signature.malformed"),
    "iat is a fraction": (changed(iat=HEADER["iat"] + 0.5), "signature.malformed"),
    "iat is beyond numbers": (changed(iat=10**400), "signature.stale"),
    "b64 true": (changed(b64=True), "signature.malformed"),
    "b64 absent": (changed(b64=None), "signature.malformed"),
    "b64 zero": (changed(b64=0), "signature.malformed"),
    "crit absent": (changed(crit=None), "signature.malformed"),
    "crit empty": (changed(crit=[]), "signature.malformed"),
    "crit is text": (changed(crit="b64"), "signature.malformed"),
    "crit of numbers": (changed(crit=[1]), "signature.malformed"),
    "crit without b64": (changed(crit=["iat", "jti", "aud"]), "signature.malformed"),
    "crit without aud": (changed(crit=["b64", "iat", "jti"]), "signature.malformed"),
    "crit twice": (changed(crit=[*HEADER["crit"], "b64"]), "signature.malformed"),
    "crit unknown": (changed(crit=[*HEADER["crit"], "exp"], exp=1), "signature.malformed"),
    "crit names what is absent": (
        changed(crit=["b64", "iat", "jti", "aud", "cty"], cty=None),
        "signature.malformed",
    ),
    "crit names alg": (changed(crit=[*HEADER["crit"], "alg"]), "signature.malformed"),
    "an unknown name": (changed(x="y"), "signature.malformed"),
    "a key of its own": (changed(jwk=ECKey.generate_key("P-256").as_dict()), "signature.malformed"),
    "a key elsewhere": (changed(jku="https://example.org/keys"), "signature.malformed"),
    "a certificate of its own": (changed(x5c=["MIIB"]), "signature.malformed"),
    "a repeated name": (
        json.dumps(HEADER)[:-1].encode() + b',"aud":"gateway-lx"}',
        "signature.malformed",
    ),
    "an array": (b'["ES256"]', "signature.malformed"),
    "not JSON": (b"ES256", "signature.malformed"),
    "not UTF-8": (b'{"alg":"\xff"}', "signature.malformed"),
    "too deep": (b"[" * 1_500, "signature.malformed"),
    "too long": (changed(kid="k" * MAX_HEADER_CHARACTERS), "signature.malformed"),
}


@pytest.mark.parametrize(("header", "expected"), FORGED_HEADERS.values(), ids=FORGED_HEADERS)
def test_a_forged_header_is_refused_though_the_signature_matches(
    header: Mapping[str, Any] | bytes, expected: str
) -> None:
    assert code(signed(header)) == expected


GOOD = signed(HEADER)
START, _, END = GOOD.split(".")
BROKEN_TOKENS: dict[str, str] = {
    "empty": "",
    "one segment": START,
    "two segments": f"{START}.{END}",
    "four segments": f"{GOOD}.{END}",
    "five segments": f"{GOOD}.{END}.{END}",
    "content inside": f"{START}.{unpadded_encode(CONTENT)}.{END}",
    "padded header": f"{START}=..{END}",
    "padded signature": f"{START}..{END}==",
    "plain base64": f"{START}..{END[:-1]}+",
    "space": f"{START}.. {END}",
    "line end": f"{GOOD}\n",
    "not ASCII": f"{START}..é{END[1:]}",
    "a length that no bytes have": f"{START}..{END}AAA",
    "a megabyte": f"{START}..{'A' * 1_000_000}",
}


@pytest.mark.parametrize("token", BROKEN_TOKENS.values(), ids=BROKEN_TOKENS)
def test_what_is_no_compact_jws_is_malformed(token: str) -> None:
    assert code(token) == "signature.malformed"


def test_a_signature_with_stray_bits_in_its_last_character_is_malformed() -> None:
    twin = chr(ord(END[-1]) + 1)  # 86 characters carry 4 bits too many, which must be zero

    assert base64.urlsafe_b64decode(END + "==") == base64.urlsafe_b64decode(END[:-1] + twin + "==")
    assert code(f"{START}..{END[:-1]}{twin}") == "signature.malformed"


@pytest.mark.parametrize(
    "signature",
    [b"", b"\0" * 64, unpadded_decode(END)[:-1], unpadded_decode(END) + b"\0", b"\xff" * 64],
    ids=["none", "zeros", "short", "long", "beyond the order"],
)
def test_a_signature_of_another_shape_is_invalid(signature: bytes) -> None:
    assert code(f"{START}..{unpadded_encode(signature)}") == "signature.invalid"


def test_changed_content_is_invalid() -> None:
    assert code(GOOD, CONTENT + b" ") == "signature.invalid"


def test_a_signature_by_another_key_is_invalid() -> None:
    stranger = KeySigner(generate_key("P-256"), kid="k1")

    assert code(sign_detached(CONTENT, signer=stranger, **BINDING)) == "signature.invalid"


def test_a_shared_secret_made_of_the_public_key_is_refused() -> None:
    header = changed(alg="HS256")
    segment = put_together(header)
    model = jws.JWSRegistry.algorithms["HS256"]
    secret = OctKey.import_key(SIGNER.public_key.key.as_pem(private=False).hex())
    signature = model.sign(segment + b"." + CONTENT, secret)

    assert code(f"{segment.decode()}..{unpadded_encode(signature)}") == "signature.algorithm"


@pytest.mark.parametrize(
    ("limits", "ok"),
    [
        ({"not_before": NOW + DAY}, False),
        ({"not_after": NOW - DAY}, False),
        ({"not_before": NOW - DAY, "not_after": NOW + DAY}, True),
        ({"not_before": NOW, "not_after": NOW}, True),
    ],
)
def test_a_key_signs_in_its_time_only(limits: dict[str, Any], ok: bool) -> None:
    registered = signing_key(SIGNER.public_pem, kid="k1", **limits)
    keys = {"k1": public_key(registered)}
    if ok:
        assert verify_detached(GOOD, CONTENT, keys=keys, **BINDING) == "k1"
        return
    with pytest.raises(TrustError, match=r"signature\.key-expired"):
        verify_detached(GOOD, CONTENT, keys=keys, **BINDING)


def test_two_keys_overlap_while_one_replaces_the_other() -> None:
    new = KeySigner(generate_key("Ed25519"), kid="k2")
    keys = {**KEYS, "k2": new.public_key}

    assert verify_detached(GOOD, CONTENT, keys=keys, **BINDING) == "k1"
    token = sign_detached(CONTENT, signer=new, **BINDING)
    assert verify_detached(token, CONTENT, keys=keys, **BINDING) == "k2"


def test_a_hopeless_signature_is_refused_before_the_content_is_read() -> None:
    with pytest.raises(TrustError, match=r"signature\.audience"):
        Verifier(GOOD, keys=KEYS, **{**BINDING, "audience": "gateway-pn"})


def test_large_content_is_hashed_and_not_kept() -> None:
    part, count = b"x" * 65_536, 512
    token = sign_detached((part for _ in range(count)), signer=SIGNER, **BINDING)
    tracemalloc.start()
    verifier = Verifier(token, keys=KEYS, **BINDING)
    for _ in range(count):
        verifier.update(part)
    kid, (_, peak) = verifier.finish(), tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert kid == "k1"
    assert peak < 1_000_000


def test_ed25519_takes_no_more_than_fits_in_memory() -> None:
    signer = KeySigner(generate_key("Ed25519"), kid="k1")
    verifier = Verifier(
        sign_detached(b"", signer=signer, **BINDING), keys={"k1": signer.public_key}, **BINDING
    )

    with pytest.raises(TrustError, match=r"signature\.algorithm"):
        verifier.update(b"\0" * MAX_WHOLE_BYTES)
    with pytest.raises(TrustError, match=r"signature\.algorithm"):
        sign_detached(b"\0" * MAX_WHOLE_BYTES, signer=signer, **BINDING)


def joserfc_registry() -> jws.JWSRegistry:
    """joserfc as another implementation would set it up."""
    extra = {name: HeaderParameter(name, kind) for name, kind in (("iat", "int"), ("jti", "str"))}
    extra["aud"] = HeaderParameter("aud", "str")
    return jws.JWSRegistry(extra, algorithms=["ES256", "Ed25519"])


@pytest.mark.parametrize("kind", ["P-256", "Ed25519"])
def test_another_implementation_verifies_what_is_signed_here(kind: KeyKind) -> None:
    signer = KeySigner(generate_key(kind))
    token = sign_detached(CONTENT, signer=signer, **BINDING)

    jws.deserialize_compact(
        token, signer.public_key.key, payload=CONTENT, registry=joserfc_registry()
    )


def test_what_another_implementation_signs_is_verified_here() -> None:
    key = ECKey.generate_key("P-256")
    token = jws.serialize_compact(HEADER, b"{ }", key, registry=joserfc_registry())
    keys = {"k1": public_key(signing_key(key.as_pem(private=False), kid="k1"))}

    assert verify_detached(token, b"{ }", keys=keys, **BINDING) == "k1"


@given(st.text(max_size=400) | st.binary(max_size=300).map(unpadded_encode))
def test_arbitrary_text_is_refused_and_nothing_else_is_raised(text: str) -> None:
    for token in (text, f"{text}..{END}", f"{START}..{text}", f"{START}.{text}.{END}"):
        if token != GOOD and not token.startswith(f"{START}..{END}"):
            with pytest.raises(TrustError):
                verify_detached(token, CONTENT, keys=KEYS, **BINDING)
