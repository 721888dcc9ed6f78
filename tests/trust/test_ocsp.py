"""OCSP answers: what counts, and what is wrong in one thing and does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import pytest
from asn1crypto import algos  # type: ignore[import-untyped] # it has no types
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.trust.ocsp_answers import (
    KEY,
    MINUTE,
    REVOKED,
    UNKNOWN,
    Responder,
    Told,
    about,
    answer,
    delegate,
    own,
)
from tests.trust.town import DAY, NOW, Town
from trust.authority import Issuer, TlsKey, generate_tls_key
from trust.chain import anchor, build_paths
from trust.errors import TrustError
from trust.members import Authority
from trust.ocsp import Unanswered, read_answer
from trust.revocation import Question, Revocations

NONCE = bytes(range(32))
OTHER = "it is not about this certificate"
NO_RESPONSE = "not an OCSP response"


@pytest.fixture(scope="module")
def leaf(luxor: Town) -> x509.Certificate:
    """The certificate that is asked about."""
    return luxor.certificate()


def resigned(
    content: bytes,
    change: Callable[[asn1_ocsp.ResponseData], None] = lambda _: None,
    digest: hashes.HashAlgorithm | None = None,
    key: TlsKey = KEY,
) -> bytes:
    """The response with its signed part changed, and signed again."""
    digest = digest or hashes.SHA256()
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    response = asn1_ocsp.OCSPResponse.load(content)
    basic = response["response_bytes"]["response"].parsed
    change(basic["tbs_response_data"])
    signed = asn1_ocsp.BasicOCSPResponse(
        {
            "tbs_response_data": basic["tbs_response_data"],
            "signature_algorithm": algos.SignedDigestAlgorithm(
                {"algorithm": f"{digest.name}_ecdsa"}
            ),
            "signature": key.sign(basic["tbs_response_data"].dump(force=True), ec.ECDSA(digest)),
            "certs": basic["certs"],
        }
    )
    whole = asn1_ocsp.OCSPResponse(
        {
            "response_status": "successful",
            "response_bytes": {"response_type": "basic_ocsp_response", "response": signed},
        }
    )
    return bytes(whole.dump())


def with_another(other: bytes) -> Callable[[asn1_ocsp.ResponseData], None]:
    """Adds the single response of another response."""

    def change(data: asn1_ocsp.ResponseData) -> None:
        basic = asn1_ocsp.OCSPResponse.load(other)["response_bytes"]["response"].parsed
        data["responses"].append(basic["tbs_response_data"]["responses"][0])

    return change


def made_before(data: asn1_ocsp.ResponseData) -> None:
    """The response was made a day before what it says."""
    data["produced_at"] = NOW - DAY


def critical(data: asn1_ocsp.ResponseData) -> None:
    """A critical extension that nobody knows."""
    data["response_extensions"] = [
        {"extn_id": "1.3.6.1.4.1.99999.1", "critical": True, "extn_value": b"\5\0"}
    ]


def critical_single(data: asn1_ocsp.ResponseData) -> None:
    """The same in what is said of the certificate."""
    data["responses"][0]["single_extensions"] = [
        {"extn_id": "1.3.6.1.4.1.99999.1", "critical": True, "extn_value": b"\5\0"}
    ]


def changed(told: Told, **more: object) -> Told:
    """The same but for what is named."""
    return msgspec.structs.replace(told, **more)


def asking(town: Town, leaf: x509.Certificate, **more: Any) -> tuple[Revocations, Question]:
    """The evidence of an authority that goes by answers, and the question about the leaf."""
    authority = Authority(
        id="luxor",
        certificates=town.authority.certificates,
        require="ocsp",
        ocsp=("http://ocsp.example",),
    )
    (path,) = build_paths(leaf, [anchor(authority)], now=NOW)
    files = more.get("files", town.crls())
    return Revocations.from_files([authority], files), Question(path=path, at=0)


def verdict(
    town: Town, leaf: x509.Certificate, content: bytes, *, now: datetime = NOW, **more: Any
) -> str:
    """What the product makes of a response: ``counts``, a code, or why it is no answer."""
    found, question = asking(town, leaf, **more)
    try:
        read = read_answer(content, question.certificate, question.issuer, nonce=more.get("nonce"))
        found.prove(question, read, now=now)
    except Unanswered as error:
        return str(error)
    try:
        found.with_answers({question.link: read}).judge(question.path, now=now)
    except TrustError as error:
        return error.code
    return "counts"


COUNTS, UNPROVED, FORCE = (
    "counts",
    "the answer of the responder is not proved",
    "it is not in force",
)
Make = Callable[[Town, x509.Certificate], bytes]


def by_delegate(**more: Any) -> Make:
    """The right answer, by a responder with a certificate that is odd in one thing."""
    return lambda town, leaf: answer(about(town, leaf), by=delegate(town.issuing, **more))


def saying(**more: Any) -> Make:
    """An answer that says something else, by a right responder."""
    return lambda town, leaf: answer(changed(about(town, leaf), **more), by=delegate(town.issuing))


def remade(change: Callable[[asn1_ocsp.ResponseData], None]) -> Make:
    """The right answer, changed before it was signed."""
    return lambda town, leaf: resigned(answer(about(town, leaf), by=delegate(town.issuing)), change)


def of_a_stranger(**more: Any) -> Make:
    """By somebody who calls himself the issuer, and has another key."""
    return lambda town, leaf: resigned(
        answer(changed(about(town, leaf), **more), by=own(town.issuing)),
        key=generate_tls_key("P-256"),
    )


def of_the_root(town: Town, leaf: x509.Certificate) -> bytes:
    """By a responder of the CA above the issuer."""
    return answer(about(town, leaf), by=delegate(town.root))


def of_a_party(town: Town, leaf: x509.Certificate) -> bytes:
    """By a party, with its own certificate of the same issuer."""
    return answer(about(town, leaf), by=Responder(town.certificate(), town.key))


def of_a_chain(town: Town, leaf: x509.Certificate) -> bytes:
    """By somebody to whom a responder gave a certificate: not issued by the issuer itself."""
    middle = delegate(town.issuing)
    last = delegate(Issuer(middle.certificate, middle.key))
    return answer(about(town, leaf), by=last, attached=[last.certificate, middle.certificate])


def altered(town: Town, leaf: x509.Certificate) -> bytes:
    """One bit of the signature is wrong."""
    content = answer(about(town, leaf), by=own(town.issuing), attached=[])
    return content[:-1] + bytes([content[-1] ^ 1])


def about_another(town: Town, leaf: x509.Certificate) -> bytes:
    """About another certificate of the same issuer."""
    return answer(about(town, town.certificate()), by=own(town.issuing))


def twice(town: Town, leaf: x509.Certificate) -> bytes:
    """Good and revoked in one response."""
    other = answer(changed(about(town, leaf), status=REVOKED), by=delegate(town.issuing))
    return resigned(answer(about(town, leaf), by=delegate(town.issuing)), with_another(other))


def among_others(town: Town, leaf: x509.Certificate) -> bytes:
    """The answer is the second of two."""
    other = answer(about(town, leaf), by=delegate(town.issuing))
    first = changed(about(town, town.certificate()), status=REVOKED)
    return resigned(answer(first, by=delegate(town.issuing)), with_another(other))


def sha1(town: Town, leaf: x509.Certificate) -> bytes:
    """Signed with SHA-1."""
    return resigned(answer(about(town, leaf), by=delegate(town.issuing)), digest=hashes.SHA1())  # noqa: S303 - it must not count


CASES: dict[str, tuple[Make, str]] = {
    "of the issuer": (lambda t, c: answer(about(t, c), by=own(t.issuing)), COUNTS),
    "of the issuer without certificate": (
        lambda t, c: answer(about(t, c), by=own(t.issuing), attached=[]),
        COUNTS,
    ),
    "of a delegate": (by_delegate(), COUNTS),
    "of a delegate that a list covers": (by_delegate(nocheck=False), COUNTS),
    "names hashed with SHA-256": (saying(names_hash=hashes.SHA256()), COUNTS),
    "the second of two": (among_others, COUNTS),
    "revoked": (saying(status=REVOKED), "certificate.revoked"),
    "unknown": (saying(status=UNKNOWN), "revocation.unavailable"),
    "unknown, of a stranger": (of_a_stranger(status=UNKNOWN), UNPROVED),
    "revoked, of a stranger": (of_a_stranger(status=REVOKED), UNPROVED),
    "a delegate without the purpose": (by_delegate(purposes=()), UNPROVED),
    "a delegate for another purpose": (
        by_delegate(purposes=[ExtendedKeyUsageOID.CLIENT_AUTH]),
        UNPROVED,
    ),
    "a delegate for any purpose": (
        by_delegate(purposes=[ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]),
        UNPROVED,
    ),
    "a delegate that has expired": (
        by_delegate(not_before=NOW - 3 * DAY, not_after=NOW - DAY),
        UNPROVED,
    ),
    "a delegate of the future": (
        by_delegate(not_before=NOW + DAY, not_after=NOW + 2 * DAY),
        UNPROVED,
    ),
    "a delegate of the CA above": (of_the_root, UNPROVED),
    "a delegate of a delegate": (of_a_chain, UNPROVED),
    "a party": (of_a_party, UNPROVED),
    "a stranger": (of_a_stranger(), UNPROVED),
    "an altered signature": (altered, UNPROVED),
    "stale": (saying(this_update=NOW - DAY, next_update=NOW), FORCE),
    "not yet valid": (
        saying(this_update=NOW + 2 * MINUTE, next_update=NOW + 9 * MINUTE),
        FORCE,
    ),
    "no next update, a minute old": (saying(next_update=None), COUNTS),
    "no next update, five minutes old": (
        saying(this_update=NOW - 5 * MINUTE, next_update=None),
        FORCE,
    ),
    "made before what it says": (remade(made_before), "it was made before what it says"),
    "another serial": (about_another, OTHER),
    "several about the certificate": (twice, "it says several things about this certificate"),
    "SHA-1 signature": (sha1, "it is signed with a hash below SHA-256"),
    "critical extension": (
        remade(critical),
        "it has a critical extension that is not understood",
    ),
    "critical extension of the one": (
        remade(critical_single),
        "it has a critical extension that is not understood",
    ),
    "too large": (lambda t, c: b"0" * 70_000, "the response is too large"),
    "nothing": (lambda t, c: b"", NO_RESPONSE),
    "a page of a portal": (lambda t, c: b"<html>please log in</html>", NO_RESPONSE),
}


@pytest.mark.conformance("OCSP")
@pytest.mark.parametrize("name", CASES)
def test_an_answer_counts_only_when_all_of_it_is_right(
    luxor: Town, leaf: x509.Certificate, name: str
) -> None:
    make, expected = CASES[name]

    assert expected == verdict(luxor, leaf, make(luxor, leaf))


@pytest.mark.conformance("OCSP")
def test_an_answer_of_another_issuer_does_not_count(
    luxor: Town, partner: Town, leaf: x509.Certificate
) -> None:
    told = Told(certificate=leaf, issuer=partner.issuing.certificate)

    assert OTHER == verdict(luxor, leaf, answer(told, by=own(partner.issuing)))


@pytest.mark.conformance("OCSP")
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (NONCE, COUNTS),
        (None, "it does not repeat the nonce of the question"),
        (NONCE[::-1], "it has another nonce than the question"),
    ],
    ids=["the same", "none", "another"],
)
def test_the_nonce_is_that_of_the_question(
    luxor: Town, leaf: x509.Certificate, given: bytes | None, expected: str
) -> None:
    content = answer(about(luxor, leaf), by=own(luxor.issuing), nonce=given)

    assert expected == verdict(luxor, leaf, content, nonce=NONCE)


@pytest.mark.conformance("OCSP")
def test_a_delegate_that_was_revoked_does_not_count(luxor: Town, leaf: x509.Certificate) -> None:
    by = delegate(luxor.issuing, nocheck=False)
    content = answer(about(luxor, leaf), by=by)

    assert COUNTS == verdict(luxor, leaf, content)
    assert UNPROVED == verdict(luxor, leaf, content, files=luxor.crls(by.certificate))


@pytest.mark.conformance("OCSP")
def test_a_delegate_about_which_nothing_is_known_does_not_count(
    luxor: Town, leaf: x509.Certificate
) -> None:
    content = answer(about(luxor, leaf), by=delegate(luxor.issuing, nocheck=False))
    root_alone = {"root": luxor.crls()["luxor-root.crl"]}

    assert UNPROVED == verdict(luxor, leaf, content, files=root_alone)


@pytest.mark.conformance("OCSP")
def test_an_older_answer_does_not_take_the_place_of_a_newer_one(
    luxor: Town, leaf: x509.Certificate
) -> None:
    found, question = asking(luxor, leaf)
    new, old = (
        read_answer(
            answer(
                changed(about(luxor, leaf), this_update=NOW - age, status=status),
                by=own(luxor.issuing),
            ),
            leaf,
            luxor.issuing.certificate,
        )
        for age, status in ((MINUTE, REVOKED), (2 * MINUTE, about(luxor, leaf).status))
    )

    with pytest.raises(Unanswered, match="older"):
        found.with_answers({question.link: new}).prove(question, old, now=NOW)
    found.with_answers({question.link: old}).prove(question, new, now=NOW)


def spoilt(content: bytes, certificate: x509.Certificate) -> bytes:
    """A response whose attached certificate has a name that is no text."""
    name = certificate.subject.rfc4514_string().removeprefix("CN=").encode()
    at = content.rindex(name)
    return content[:at] + b"\xff" + content[at + 1 :]


@pytest.mark.conformance("OCSP")
def test_a_name_that_is_no_text_is_refused_like_anything_else(
    luxor: Town, leaf: x509.Certificate
) -> None:
    by = delegate(luxor.issuing)
    content = spoilt(answer(about(luxor, leaf), by=by), by.certificate)

    assert UNPROVED == verdict(luxor, leaf, content)
