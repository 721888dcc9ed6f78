"""What the profile takes, and what it refuses for which reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from msgspec.structs import replace

from tests.signed import (
    CONTENT,
    CREATED,
    HOST,
    NAMES,
    NOW,
    changed,
    fetched,
    parameters_of,
    posted,
    sign,
    with_fields,
)
from trust.authority import generate_key
from trust.errors import TrustError
from trust.keys import KeySigner, PublicKey
from trust.signatures.http.digest import check_content
from trust.signatures.http.evidence import prove_evidence
from trust.signatures.http.offer import Offer, prove_offer, read_offer
from trust.signatures.http.sign import sign_request, wanted
from trust.signatures.http.signature_base import Message
from trust.signatures.http.structured import Component, read_signature_input

ED25519 = KeySigner(generate_key("Ed25519"), kid="shop-1")
KEYS = {"shop-1": ED25519.public_key}


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def judged(
    message: Message, *, content: bool = True, keys: dict[str, PublicKey] | None = None, **more: Any
) -> Offer:
    """What was offered and proved."""
    given = {"names": NAMES, "now": NOW, **more}
    offer = read_offer(message, content=content, **given)
    prove_offer(offer, KEYS if keys is None else keys)
    return offer


def refusal(message: Message, **more: Any) -> tuple[str, str]:
    """Code and detail of the refusal."""
    with pytest.raises(TrustError) as caught:
        judged(message, **more)
    return caught.value.code, caught.value.detail


def test_a_signed_submission_names_party_and_key_and_its_content() -> None:
    offer = judged(sign(posted(), ED25519))

    assert ("shop", "shop-1") == (offer.party, offer.kid)
    check_content(offer.digests, lambda: [CONTENT])


def test_a_signed_question_covers_no_content() -> None:
    assert {} == judged(sign(fetched(), ED25519), content=False).digests


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [("Ed25519", "Ed25519"), ("P-256", "ES256"), ("P-384", "ES384")],
)
def test_each_kind_of_key_signs_what_it_verifies(kind: Any, algorithm: str) -> None:
    signer = KeySigner(generate_key(kind), kid="k", algorithm=algorithm)
    message = posted()
    fields = sign_request(message, signer=signer, party="shop", nonce="n" * 16, now=NOW)  # type: ignore[arg-type] # a party id
    signed = with_fields(message, *((name.lower(), value) for name, value in fields.items()))

    assert "k" == judged(signed, keys={"k": signer.public_key}).kid


@pytest.mark.parametrize("algorithm", ["RS256", "PS512"])
def test_rsa_keys_sign_too(algorithm: str, rsa_key: rsa.RSAPrivateKey) -> None:
    signer = KeySigner(rsa_key, kid="k", algorithm=algorithm)

    assert "k" == judged(sign(posted(), signer), keys={"k": signer.public_key}).kid


def test_an_rsa_key_of_an_algorithm_that_http_signatures_lack_is_refused(
    rsa_key: rsa.RSAPrivateKey,
) -> None:
    signer = KeySigner(rsa_key, kid="shop-1", algorithm="PS256")

    code, detail = refusal(sign(posted(), ED25519), keys={"shop-1": signer.public_key})

    assert "signature.algorithm" == code
    assert "PS256" in detail


def test_the_order_of_components_and_parameters_is_the_senders() -> None:
    given = dict(reversed(parameters_of(ED25519).items()))
    covered = [
        "luxor-format",
        "content-digest",
        "@target-uri",
        "luxor-interchange-id",
        "content-type",
        "@authority",
        "@method",
    ]

    assert "shop" == judged(sign(posted(), ED25519, covered=covered, parameters=given)).party


def test_more_than_must_be_may_be_covered() -> None:
    message = with_fields(posted(), ("accept", "application/json"), ("accept", "*/*"))

    assert (
        b'"accept": application/json, */*'
        in judged(
            sign(
                message,
                ED25519,
                covered=[
                    "@method",
                    "@authority",
                    "@target-uri",
                    "@path",
                    "@query",
                    "@scheme",
                    "@request-target",
                    "content-digest",
                    "content-type",
                    "luxor-interchange-id",
                    "luxor-format",
                    "accept",
                ],
            )
        ).base
    )


@pytest.mark.parametrize(
    "left_out",
    [
        "@method",
        "@authority",
        "@target-uri",
        "content-digest",
        "content-type",
        "luxor-interchange-id",
        "luxor-format",
        "luxor-on-behalf-of",
        "luxor-signature",
    ],
)
def test_what_is_not_covered_is_named(left_out: str) -> None:
    message = posted(luxor_on_behalf_of="shop-b", luxor_signature="a..b")
    names = ["@method", "@authority", "@target-uri", *(n for n, _ in message.fields if n != "host")]
    signed = sign(message, ED25519, covered=[name for name in names if name != left_out])

    assert ("signature.component", f"it does not cover {left_out}") == refusal(signed)


def test_a_covered_field_that_is_not_there_is_named() -> None:
    signed = sign(with_fields(posted(), ("x-one", "1")), ED25519)

    assert ("signature.component", "it covers x-one, which is not there") == refusal(
        changed(signed, "x-one")
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda m: replace(m, method="PUT"),
        lambda m: replace(m, target="/v1/interchanges?"),
        lambda m: replace(m, target="/v1/Interchanges"),
        lambda m: replace(m, authority="gw.example:8446"),
        lambda m: replace(m, authority="gw.example"),
        lambda m: changed(m, "content-type", "application/xml"),
        lambda m: changed(m, "luxor-interchange-id", "i-2"),
        lambda m: changed(m, "luxor-format", "luxor.json.2"),
        lambda m: changed(m, "content-digest", *posted(b"other").lines("content-digest")),
        lambda m: changed(
            m, "signature-input", m.lines("signature-input")[0].replace("shop/", "shop-b/")
        ),
    ],
    ids=[
        "method",
        "query",
        "path",
        "port",
        "no port",
        "content type",
        "interchange id",
        "format",
        "digest",
        "party",
    ],
)
def test_what_is_changed_after_signing_is_seen(change: Callable[[Message], Message]) -> None:
    assert "signature.invalid" == refusal(change(sign(posted(), ED25519)))[0]


def test_the_host_may_be_written_in_any_case_and_with_the_port_of_https() -> None:
    message = sign(posted(host="GW.example:443"), ED25519)

    assert b'"@authority": gw.example\n' in judged(message).base


@pytest.mark.parametrize(
    "host", ["other.example", "gw.example.evil.test", "evil-gw.example", "[::1]:8445"]
)
def test_a_signature_for_another_gateway_does_not_count_here(host: str) -> None:
    code, detail = refusal(sign(posted(host=host), ED25519))

    assert "signature.audience" == code
    assert host in detail


def test_a_name_with_a_port_is_for_that_port_alone() -> None:
    signed = sign(posted(), ED25519)

    assert "shop" == judged(signed, names={HOST}).party
    assert "signature.audience" == refusal(signed, names={"gw.example:1"})[0]
    assert "signature.audience" == refusal(signed, names={"gw.example:443"})[0]


@pytest.mark.parametrize("host", ["gw.example", "GW.example:443"])
def test_a_request_without_a_port_is_for_that_of_https(host: str) -> None:
    signed = sign(posted(host=host), ED25519)

    assert "shop" == judged(signed, names={"gw.example:443"}).party
    assert "signature.audience" == refusal(signed, names={"gw.example:8445"})[0]


@pytest.mark.parametrize(
    ("authority", "target"),
    [
        ("", "/v1/interchanges"),
        ("gw.example, gw.example", "/v1/interchanges"),
        ("gw.example:8445:1", "/v1/interchanges"),
        ("gw.example@evil.test", "/v1/interchanges"),
        (HOST, "https://gw.example:8445/v1/interchanges"),
        (HOST, "*"),
        (HOST, "/v1/inter changes"),
        (HOST, "/v1/interchanges#1"),
    ],
)
def test_a_request_without_a_host_and_target_of_its_own_is_refused(
    authority: str, target: str
) -> None:
    signed = replace(sign(posted(), ED25519), authority=authority, target=target)

    assert "signature.malformed" == refusal(signed)[0]


@pytest.mark.parametrize(
    "name",
    [
        "content-digest",
        "content-type",
        "luxor-interchange-id",
        "luxor-format",
        "host",
        "signature",
        "signature-input",
        "content-length",
    ],
)
def test_a_field_that_we_read_stands_once(name: str) -> None:
    signed = sign(with_fields(posted(), ("content-length", "16")), ED25519)
    twice = with_fields(signed, (name, signed.lines(name)[0]))

    assert ("signature.malformed", f"there is more than one field {name}") == refusal(twice)


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_ten_minutes_off_is_told_the_time_here(minutes: int) -> None:
    at = CREATED + 60 * minutes
    given = parameters_of(ED25519, created=at, expires=at + 300)

    code, detail = refusal(sign(posted(), ED25519, parameters=given))

    assert "signature.stale" == code
    assert "600 seconds " + ("before" if minutes < 0 else "after") in detail
    assert "2026-11-21T12:00:00Z" in detail


@pytest.mark.parametrize(
    ("created", "lifetime", "good"),
    [
        (-300, 300, True),
        (-301, 300, False),
        (300, 300, True),
        (301, 300, False),
        (-60, 60, True),
        (-61, 60, False),
        (0, 1, True),
    ],
)
def test_the_time_is_taken_up_to_its_bounds(created: int, lifetime: int, *, good: bool) -> None:
    start = CREATED + created
    given = parameters_of(ED25519, created=start, expires=start + lifetime)
    signed = sign(posted(), ED25519, parameters=given)

    if good:
        judged(signed)
    else:
        assert "signature.stale" == refusal(signed)[0]


def test_the_age_is_configured() -> None:
    given = parameters_of(ED25519, created=CREATED - 40, expires=CREATED + 40)
    signed = sign(posted(), ED25519, parameters=given)

    assert "signature.stale" == refusal(signed, max_age=timedelta(seconds=30))[0]


WRONG_PARAMETERS: dict[str, dict[str, Any]] = {
    "no created": {"created": None},
    "no expires": {"expires": None},
    "no nonce": {"nonce": None},
    "no keyid": {"keyid": None},
    "no tag": {"tag": None},
    "another tag": {"tag": "web-bot-auth"},
    "an unknown one": {"more": 1},
    "created as a string": {"created": str(CREATED)},
    "created as a decimal": {"created": CREATED + 0.5},
    "created as a boolean": {"created": True},
    "created before 1970": {"created": -1},
    "expires before created": {"expires": CREATED - 1},
    "expires at created": {"expires": CREATED},
    "expires too late": {"expires": CREATED + 301},
    "a short nonce": {"nonce": "n" * 15},
    "a long nonce": {"nonce": "n" * 129},
    "a nonce with a blank": {"nonce": "n" * 15 + " n"},
    "a nonce of bytes": {"nonce": b"n" * 16},
    "a nonce as a number": {"nonce": 12345678901234},
    "a keyid without a party": {"keyid": "shop-1"},
    "a keyid with no key": {"keyid": "shop/"},
    "a keyid with a party that is none": {"keyid": "Shop/shop-1"},
    "a keyid too long": {"keyid": "shop/" + "k" * 101},
    "an algorithm as a boolean": {"alg": True},
}


@pytest.mark.parametrize("name", WRONG_PARAMETERS)
def test_parameters_are_there_once_of_their_type_and_within_bounds(name: str) -> None:
    given = parameters_of(ED25519, **WRONG_PARAMETERS[name])

    assert "signature.malformed" == refusal(sign(posted(), ED25519, parameters=given))[0]


@pytest.mark.parametrize("alg", ["ecdsa-p256-sha256", "hmac-sha256", "none", "Ed25519", ""])
def test_an_algorithm_that_is_not_the_keys_is_refused(alg: str) -> None:
    given = parameters_of(ED25519, alg=alg)

    assert "signature.algorithm" == refusal(sign(posted(), ED25519, parameters=given))[0]


def test_the_algorithm_need_not_be_said() -> None:
    given = parameters_of(ED25519, alg=None)

    assert "shop" == judged(sign(posted(), ED25519, parameters=given)).party


def test_a_party_and_a_key_that_are_not_known_look_the_same() -> None:
    signed = sign(posted(), ED25519)

    assert refusal(signed, keys={}) == refusal(signed, keys={"shop-2": ED25519.public_key})


def test_a_key_of_another_party_proves_nothing() -> None:
    other = KeySigner(generate_key("Ed25519"), kid="shop-1")

    assert "signature.invalid" == refusal(sign(posted(), other))[0]


@pytest.mark.parametrize(
    "part",
    [
        Component("content-digest", (("sf", True),)),
        Component("content-digest", (("key", "sha-256"),)),
        Component("content-digest", (("bs", True),)),
        Component("content-digest", (("tr", True),)),
        Component("@method", (("req", True),)),
        Component("@query-param", (("name", "a"),)),
    ],
    ids=["sf", "key", "bs", "tr", "req", "query-param"],
)
def test_a_component_is_covered_as_it_is_or_not_at_all(part: Component) -> None:
    """Signing them is nothing that this code could; the input alone decides."""
    signed = sign(replace(posted(), target="/v1/interchanges?a=1"), ED25519)
    line = signed.lines("signature-input")[0].replace(")", f" {part.identifier})", 1)

    assert ("signature.component", "components have no parameters here") == refusal(
        changed(signed, "signature-input", line)
    )


@pytest.mark.parametrize("name", ["@status", "@signature-params", "@unknown", "@"])
def test_a_derived_component_that_a_request_has_not_is_refused(name: str) -> None:
    signed = sign(posted(), ED25519)
    line = signed.lines("signature-input")[0].replace(")", f' "{name}")', 1)

    assert "signature.component" == refusal(changed(signed, "signature-input", line))[0]


def test_without_a_signature_one_is_asked_for() -> None:
    assert "signature.missing" == refusal(posted())[0]


@pytest.mark.parametrize("name", ["signature", "signature-input"])
def test_half_a_signature_is_none(name: str) -> None:
    assert ("signature.malformed", f"there is no field {name}") == refusal(
        changed(sign(posted(), ED25519), name)
    )


def test_what_is_kept_proves_it_again() -> None:
    offer = judged(sign(posted(), ED25519))

    values = prove_evidence(offer.evidence, ED25519.public_key)

    assert posted().lines("content-digest")[0] == values["content-digest"]
    assert "i-1" == values["luxor-interchange-id"]
    with pytest.raises(TrustError, match=r"signature\.invalid"):
        prove_evidence(offer.evidence.replace(b"i-1", b"i-2"), ED25519.public_key)
    for broken in (b"", b"\n", b"\xff\nAA==", b"a: b\n*"):
        with pytest.raises(TrustError, match=r"signature\."):
            prove_evidence(broken, ED25519.public_key)


@pytest.mark.parametrize("content", [True, False])
def test_who_does_not_know_how_to_sign_is_told(content: bool) -> None:
    asked = read_signature_input(wanted(content=content))

    names = {part.name for part in asked.components}
    assert {"@method", "@authority", "@target-uri"} <= names
    assert content == ("content-digest" in names)
    assert {"created": True, "expires": True, "tag": "luxor"} == asked.parameters
