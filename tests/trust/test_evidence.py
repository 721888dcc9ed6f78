"""Packages of evidence: proved step by step, and not a byte of them can be changed."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest
from lxml import etree

from tests.signed import NOW as SIGNED_AT
from tests.signed import parameters_of, posted, sign
from tests.trust.town import DAY, NOW, POST, USUAL, Town, party
from trust import delegation, receipt
from trust.authority import generate_key, issue_signing
from trust.certificates import pem_of
from trust.delegation import Delegation
from trust.errors import TrustError
from trust.evidence import (
    CONTENT,
    OUTCOMES,
    RECEIPT,
    REGISTRATION,
    SIGNATURE,
    STATEMENT,
    Place,
    Registration,
    SenderKey,
    Statement,
    listed,
    read_package,
    write_statement,
)
from trust.evidence_proof import prove_evidence_package
from trust.findings import Findings
from trust.identity import PartyId
from trust.keys import KeySigner, signing_key, verifying_key
from trust.receipt import ReceiptClaims
from trust.receipt_proof import ReceiptBundle, Trusted, write_bundle
from trust.signatures.http.offer import read_offer
from trust.signatures.http.signature_base import Message
from trust.signatures.jws import sign_detached
from trust.signatures.xmldsig.place import Detached
from trust.signatures.xmldsig.signing import sign_detached as sign_beside
from trust.signatures.xmldsig.signing import sign_enveloped

assert SIGNED_AT == NOW
GATEWAY = KeySigner(generate_key("P-256"))
SENDER_KEY = generate_key("P-256")
SENDER = KeySigner(SENDER_KEY, kid="post-a-2026")
BROKER = PartyId("broker")
BODY = b'{"messages": []}'
LIST = b"[]"
ALL_PROVED = {"statement", "signature", "authority", "content", "outcomes", "agreement", "sender"}


class Case:
    """One interchange and the package of it; every part can be another."""

    def __init__(self, town: Town, **changes: Any) -> None:
        self.town = town
        self.content: bytes = changes.pop("content", BODY)
        self.sender = PartyId(changes.pop("sender", POST))
        self.claims = msgspec.structs.replace(
            ReceiptClaims(
                gateway="gateway-lx",
                party=self.sender,
                record=4_711,
                interchange_id="i-1",
                attempt=1,
                format="luxor.json.1",
                digest=hashlib.sha256(self.content).hexdigest(),
                size=len(self.content),
                received_at=NOW,
                status="accepted",
                accepted=1,
                refused=0,
                outcomes=hashlib.sha256(LIST).hexdigest(),
            ),
            **changes,
        )
        leaf = issue_signing(
            GATEWAY.public_key.raw,
            issuer=town.issuing,
            name="x",
            party=PartyId("gateway-lx"),
            validity=USUAL,
        )
        self.chain = (pem_of(leaf), pem_of(town.issuing.certificate))
        self.key: SenderKey | None = sender_key("jws")
        self.signature: bytes | None = sign_detached(
            self.content,
            signer=SENDER,
            interchange_id="i-1",
            format="luxor.json.1",
            audience="gateway-lx",
            now=NOW,
            on_behalf_of=self.claims.on_behalf_of,
        ).encode()
        row = signing_key(SENDER.public_pem, kid=SENDER.kid)
        self.registration = Registration(
            registry_version=7, party=party(self.sender, signing_keys=(row,))
        )
        self.stated: dict[str, Any] = {}

    def package(self) -> dict[str, bytes]:
        """The files as they are exported."""
        token = receipt.sign(self.claims, GATEWAY)
        files = {
            CONTENT: self.content,
            OUTCOMES: LIST,
            RECEIPT: write_bundle(ReceiptBundle(receipt=token, certificates=self.chain)),
        }
        if self.key is not None:
            files[REGISTRATION] = msgspec.json.encode(self.registration)
        if self.signature is not None:
            files[SIGNATURE] = self.signature
        fields: dict[str, Any] = {
            "gateway": "gateway-lx",
            "party": self.sender,
            "record": 4_711,
            "interchange_id": "i-1",
            "format": self.claims.format,
            "transport": "https",
            "exported_at": NOW + DAY,
            "certificates": "",
            "files": listed(files),
            "sender": self.key,
            "on_behalf_of": self.claims.on_behalf_of,
            **self.stated,
        }
        signed = write_statement(
            Statement(**fields), signer=GATEWAY, certificates=self.chain, public_key=""
        )
        return {STATEMENT: signed, **files}

    def steps(self, **more: Any) -> dict[str, str]:
        return steps(self.package(), by(self.town), **more)


def sender_key(method: str, **more: Any) -> SenderKey:
    return SenderKey(
        method=method,  # type: ignore[arg-type] # one of the three
        kid=SENDER.kid,
        algorithm=SENDER.alg,
        public_key=SENDER.public_pem.decode(),
        **more,
    )


def by(town: Town) -> Trusted:
    return Trusted(authorities=(town.root.certificate,))


def read_xml(content: bytes) -> Any:
    try:
        return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise ValueError from error


def steps(files: dict[str, bytes], trusted: Trusted, **more: Any) -> dict[str, str]:
    """Each step and how it stands, or the code of why it failed."""
    found = Findings()
    prove_evidence_package(read_package(files), trusted, found, read_xml=read_xml, **more)
    return {each.step: each.code or each.standing for each in found.all}


@pytest.fixture
def case(luxor: Town) -> Case:
    return Case(luxor)


def test_every_step_of_a_good_package_is_proved(case: Case) -> None:
    told = case.steps()

    assert told == dict.fromkeys({*ALL_PROVED, "files", "registration"}, "proved") | {
        "revocation": "unchecked"
    }


def test_the_sentences_say_who_said_what(case: Case) -> None:
    found = Findings()
    prove_evidence_package(read_package(case.package()), by(case.town), found, read_xml=read_xml)

    said = {each.step: each.said for each in found.all}
    assert said["sender"] == (
        "post-a said these 16 bytes: a JWS of the key post-a-2026 (ES256) for gateway-lx and i-1, "
        "made 0 seconds before they were received"
    )
    assert said["registration"] == (
        "gateway-lx states that this was post-a's key (version 7 of its registry)"
    )


def test_not_a_byte_can_be_changed(case: Case) -> None:
    # Whether the package is refused as a whole or a step fails: it is always found.
    files, missed = case.package(), []
    for name, content in files.items():
        stride = 1 if name in (STATEMENT, SIGNATURE) else 7
        for at in range(0, len(content), stride):
            flipped = content[:at] + bytes((content[at] ^ 0x01,)) + content[at + 1 :]
            try:
                told = steps({**files, name: flipped}, by(case.town))
            except TrustError as error:
                if error.code == "evidence.invalid":
                    continue
                missed.append((name, at, error.code))
            else:
                if not any("." in standing for standing in told.values()):
                    missed.append((name, at, "proved"))

    assert missed == []


@pytest.mark.parametrize("name", [STATEMENT, CONTENT, OUTCOMES, RECEIPT, SIGNATURE, REGISTRATION])
def test_a_missing_file_is_found(case: Case, name: str) -> None:
    files = case.package()
    del files[name]

    with pytest.raises(TrustError, match=f"(?s)evidence.invalid.*{name}"):
        read_package(files)


def test_an_additional_file_is_found(case: Case) -> None:
    with pytest.raises(TrustError, match=r"note\.txt is not part of the package"):
        read_package({**case.package(), "note.txt": b"believe me"})


def test_what_the_gateway_left_out_is_found(luxor: Town) -> None:
    case = Case(luxor)
    case.signature = None

    assert case.steps()["sender"] == "evidence.invalid"


def test_other_certificates_under_the_statement_are_found(case: Case, partner: Town) -> None:
    files = case.package()
    signed = msgspec.json.decode(files[STATEMENT])
    signed["certificates"][1] = pem_of(partner.issuing.certificate)
    files[STATEMENT] = msgspec.json.format(msgspec.json.encode(signed), indent=2) + b"\n"

    with pytest.raises(TrustError, match="certificates were changed"):
        read_package(files)


def test_a_package_that_somebody_else_signed_is_not_the_gateways(
    luxor: Town, partner: Town
) -> None:
    told = steps(Case(partner).package(), by(luxor))

    assert (told["statement"], told["authority"]) == ("certificate.untrusted",) * 2


def test_without_an_authority_nothing_says_whose_word_it_is(case: Case) -> None:
    told = steps(case.package(), Trusted())

    assert (told["statement"], told["authority"], told["sender"]) == (
        "unchecked",
        "unchecked",
        "proved",
    )


def test_with_the_gateways_own_key(case: Case) -> None:
    own, other = GATEWAY.public_key, verifying_key(SENDER_KEY.public_key())

    assert steps(case.package(), Trusted(key=own))["statement"] == "proved"
    assert steps(case.package(), Trusted(key=other))["statement"] == "evidence.invalid"


@pytest.mark.parametrize(
    ("field", "value"),
    [("record", 1), ("interchange_id", "i-2"), ("party", "post-b"), ("format", "upu.itmatt.1")],
)
def test_a_statement_about_another_interchange_is_found(
    case: Case, field: str, value: object
) -> None:
    case.stated = {field: value}

    assert case.steps()["agreement"] == "evidence.invalid"


def test_a_signature_of_another_key_is_not_the_senders(case: Case) -> None:
    other = KeySigner(generate_key("P-256"), kid=SENDER.kid)
    case.signature = sign_detached(
        BODY,
        signer=other,
        interchange_id="i-1",
        format="luxor.json.1",
        audience="gateway-lx",
        now=NOW,
    ).encode()

    assert case.steps()["sender"] == "signature.invalid"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"interchange_id": "i-2"}, "signature.interchange"),
        ({"audience": "gateway-xx"}, "signature.audience"),
        ({"format": "upu.itmatt.1"}, "signature.format"),
    ],
)
def test_a_signature_for_something_else_does_not_serve(
    case: Case, change: dict[str, str], code: str
) -> None:
    given: dict[str, Any] = {
        "interchange_id": "i-1",
        "format": "luxor.json.1",
        "audience": "gateway-lx",
        **change,
    }
    case.signature = sign_detached(BODY, signer=SENDER, now=NOW, **given).encode()

    assert case.steps()["sender"] == code


def test_a_registration_of_another_key_is_found(case: Case) -> None:
    other = signing_key(KeySigner(generate_key("P-256")).public_pem, kid=SENDER.kid)
    case.registration = Registration(registry_version=7, party=party(POST, signing_keys=(other,)))

    assert case.steps()["registration"] == "evidence.invalid"


def test_a_key_that_was_not_in_force_then_is_found(case: Case) -> None:
    late = signing_key(SENDER.public_pem, kid=SENDER.kid, not_before=NOW + DAY)
    case.registration = Registration(registry_version=7, party=party(POST, signing_keys=(late,)))

    assert case.steps()["registration"] == "signature.key-expired"


def test_the_senders_key_from_the_sender_needs_no_word_of_the_gateway(case: Case) -> None:
    other = KeySigner(generate_key("P-256")).public_key

    assert case.steps(sender=SENDER.public_key)["sender key"] == "proved"
    assert case.steps(sender=other)["sender key"] == "evidence.invalid"


def test_what_was_not_signed_is_told_so(case: Case) -> None:
    case.key = case.signature = None

    told = case.steps()

    assert told["sender"] == "unchecked"
    assert "registration" not in told


def test_a_signed_request_proves_its_content(luxor: Town) -> None:
    case = Case(luxor)
    case.key = sender_key("http-signature")
    message = sign(posted(BODY), SENDER, parameters=parameters_of(SENDER, POST))
    offer = read_offer(message, content=True, names={"gw.example"}, now=NOW)
    case.signature = offer.evidence

    assert case.steps()["sender"] == "proved"

    other = sign(posted(b"other"), SENDER, parameters=parameters_of(SENDER, POST))
    case.signature = read_offer(other, content=True, names={"gw.example"}, now=NOW).evidence
    assert case.steps()["sender"] == "signature.digest"

    case.signature = b'"@method": POST\n' + offer.evidence
    assert case.steps()["sender"] == "signature.invalid"


@pytest.mark.parametrize(
    ("party", "request_", "code"),
    [
        (BROKER, posted(BODY), "signature.malformed"),
        (POST, posted(BODY, luxor_on_behalf_of=BROKER), "signature.principal"),
        (POST, posted(BODY, luxor_format="upu.itmatt.1"), "signature.format"),
        (POST, posted(BODY, luxor_interchange_id="i-2"), "signature.interchange"),
        (POST, msgspec.structs.replace(posted(BODY), method="PUT"), "signature.component"),
    ],
)
def test_a_signed_request_for_something_else_does_not_serve(
    luxor: Town, party: PartyId, request_: Message, code: str
) -> None:
    """The receipt is the gateway's word; what the sender signed has to say the same."""
    case = Case(luxor)
    case.key = sender_key("http-signature")
    message = sign(request_, SENDER, parameters=parameters_of(SENDER, party))
    offer = read_offer(message, content=True, names={"gw.example"}, now=NOW)
    case.signature = offer.evidence

    assert case.steps()["sender"] == code


def test_a_signed_request_in_nobodys_name_is_not_in_anothers(luxor: Town) -> None:
    case = Case(luxor, sender=BROKER, on_behalf_of=POST)
    case.key = sender_key("http-signature")
    message = sign(posted(BODY), SENDER, parameters=parameters_of(SENDER, BROKER))
    offer = read_offer(message, content=True, names={"gw.example"}, now=NOW)
    case.signature = offer.evidence

    assert case.steps()["sender"] == "signature.principal"


def test_a_signature_inside_the_document_proves_it(luxor: Town) -> None:
    document = etree.fromstring(b"<items><item/></items>")
    sign_enveloped(document, signer=SENDER)
    case = Case(luxor, content=etree.tostring(document))
    case.key, case.signature = sender_key("xml-signature"), None

    assert case.steps()["sender"] == "proved"

    changed = Case(luxor, content=case.content.replace(b"<item/>", b"<item>x</item>"))
    changed.key, changed.signature = case.key, None
    assert changed.steps()["sender"] == "signature.invalid"

    broken = Case(luxor, content=b"<items>")
    broken.key, broken.signature = case.key, None
    assert broken.steps()["sender"] == "signature.malformed"


def test_a_signature_beside_what_it_covers_is_found_where_the_format_has_it(luxor: Town) -> None:
    place = Detached(root="envelope", signature=("proof",), covered=("items",))
    document = etree.fromstring(b'<envelope><items Id="a"/><proof/></envelope>')
    sign_beside(document, place=place, signer=SENDER)
    case = Case(luxor, content=etree.tostring(document))
    case.signature = None
    where = Place(root=place.root, signature=place.signature, covered=place.covered)

    case.key = sender_key("xml-signature", place=where)
    beside = case.steps()["sender"]
    case.key = sender_key("xml-signature")

    assert (beside, case.steps()["sender"]) == ("proved", "signature.malformed")


def test_who_acted_for_another_had_its_delegation(luxor: Town) -> None:
    post_key = KeySigner(generate_key("P-256"), kid="post-1")
    granted = delegation.sign(
        Delegation(
            id="d-1",
            delegator=POST,
            delegate=BROKER,
            gateways=("gateway-lx",),  # type: ignore[arg-type] # ids are texts
            issued_at=int((NOW - DAY).timestamp()),
            not_before=int((NOW - DAY).timestamp()),
            not_after=int((NOW + DAY).timestamp()),
            formats=("*",),
            kinds=("*",),
            countries=("*",),
        ),
        post_key,
    )
    case = Case(luxor, sender=BROKER, on_behalf_of=POST)
    principal = party(POST, signing_keys=(signing_key(post_key.public_pem, kid="post-1"),))
    case.registration = msgspec.structs.replace(
        case.registration, principal=principal, delegations=(granted,)
    )
    assert case.steps()["delegation"] == "proved"

    case.registration = msgspec.structs.replace(case.registration, delegations=())
    assert case.steps()["delegation"] == "delegation.invalid"

    case.registration = msgspec.structs.replace(case.registration, principal=None)
    assert case.steps()["delegation"] == "delegation.invalid"


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[]", b'{"statement":"a.b.c"}'])
def test_what_is_no_statement_is_refused(case: Case, content: bytes) -> None:
    with pytest.raises(TrustError, match=r"evidence\.invalid"):
        read_package({**case.package(), STATEMENT: content})


def test_a_receipt_is_no_statement(case: Case) -> None:
    files = case.package()
    signed = msgspec.json.decode(files[STATEMENT])
    signed["statement"] = receipt.sign(case.claims, GATEWAY)
    files[STATEMENT] = msgspec.json.format(msgspec.json.encode(signed), indent=2) + b"\n"

    with pytest.raises(TrustError, match="not of type"):
        read_package(files)
