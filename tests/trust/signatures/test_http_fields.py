"""Structured fields that somebody else might read in another way are refused."""

from __future__ import annotations

import base64
import contextlib
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.signed import NAMES, NOW, changed, posted, sign
from trust.authority import generate_key
from trust.errors import TrustError
from trust.keys import KeySigner, PublicKey
from trust.signatures.http.digest import check_content, read_content_digest
from trust.signatures.http.offer import prove_offer, read_offer
from trust.signatures.http.structured import (
    MAX_COMPONENTS,
    MAX_FIELD_CHARACTERS,
    read_signature,
    read_signature_input,
)

SIGNER = KeySigner(generate_key("Ed25519"), kid="shop-1")
KEYS = {"shop-1": SIGNER.public_key}
SIGNED = sign(posted(), SIGNER)
INPUT = SIGNED.lines("signature-input")[0]
SIGNATURE = SIGNED.lines("signature")[0]
BYTES = base64.b64encode(b"s" * 64).decode()


def refusal(name: str, value: str) -> str:
    """The code with which a good request is refused once this field has another value."""
    with pytest.raises(TrustError) as caught:
        read_offer(changed(SIGNED, name, value), content=True, names=NAMES, now=NOW)
    return caught.value.code


def test_the_fields_are_good_as_they_are() -> None:
    prove_offer(read_offer(SIGNED, content=True, names=NAMES, now=NOW), KEYS)


INPUTS = {
    "nothing": "",
    "a blank": " ",
    "a blank in front": f" {INPUT}",
    "a blank behind": f"{INPUT} ",
    "a tab behind": f"{INPUT}\t",
    "a comma behind": f"{INPUT},",
    "a second label": f"{INPUT}, other=()",
    "the label twice": f"{INPUT}, {INPUT}",
    "a label in capitals": INPUT.replace("luxor=", "Luxor=", 1),
    "no label": INPUT.partition("=")[2],
    "two blanks between components": INPUT.replace('" "', '"  "', 1),
    "a tab between components": INPUT.replace('" "', '"\t"', 1),
    "a comma between components": INPUT.replace('" "', '", "', 1),
    "a blank after the bracket": INPUT.replace("(", "( ", 1),
    "a blank before a parameter": INPUT.replace(";created", " ;created", 1),
    "a blank in front of a parameter's name": INPUT.replace(";created", "; created", 1),
    "a parameter twice": f"{INPUT};created=1",
    "a parameter twice with one value": INPUT.replace(";tag", ';tag="luxor";tag', 1),
    "a parameter in capitals": INPUT.replace(";created", ";Created", 1),
    "a sign in front of zero": INPUT.replace(";created=", ";created=-0", 1),
    "a zero in front": INPUT.replace(";created=", ";created=0", 1),
    "a plus in front": INPUT.replace(";created=", ";created=+", 1),
    "a decimal": INPUT.replace(";expires", ".0;expires", 1),
    "a date": INPUT.replace(";created=", ";created=@", 1),
    "a component twice": INPUT.replace('("@method"', '("@method" "@method"', 1),
    "a component twice with parameters": INPUT.replace(
        '("@method"', '("@method";a;b "@method";a;b'
    ),
    "a component in capitals": INPUT.replace('"content-type"', '"Content-Type"', 1),
    "a component as a token": INPUT.replace('"content-type"', "content-type", 1),
    "a component as bytes": INPUT.replace('"content-type"', ":YQ==:", 1),
    "a component as a display string": INPUT.replace('"content-type"', '%"content-type"', 1),
    "a component as a number": INPUT.replace('"content-type"', "1", 1),
    "a component as a date": INPUT.replace('"content-type"', "@1", 1),
    "a component with a useless escape": INPUT.replace("content-type", "content\\-type", 1),
    "a component of nothing": INPUT.replace('"content-type"', '""', 1),
    "a list in the list": INPUT.replace('"content-type"', '("content-type")', 1),
    "a bracket that does not close": INPUT.replace(")", "", 1),
    "a string instead of a list": 'luxor="@method"',
    "true instead of a list": "luxor",
    "letters of another script": INPUT.replace("luxor=", "luxоr=", 1),
    "a line break": INPUT.replace(";created", "\r\n;created", 1),
    "a nul": INPUT.replace(";created", "\0;created", 1),
    "a byte above ASCII": INPUT.replace('tag="luxor"', 'tag="luxor\xff"', 1),
    "too many components": "luxor=("
    + " ".join(f'"x-{n}"' for n in range(MAX_COMPONENTS + 1))
    + ")",
    "a list without end": "luxor=(" + '"a" ' * 3_000,
    "a string without end": f'luxor=("{"a" * (MAX_FIELD_CHARACTERS - 9)}',
    "more than fits": f'luxor=("{"a" * MAX_FIELD_CHARACTERS}")',
    "blanks without end": f"luxor=({' ' * (MAX_FIELD_CHARACTERS - 8)})",
    "brackets without end": "luxor=" + "(" * (MAX_FIELD_CHARACTERS - 6),
    "parameters without end": f"luxor=(){';a' * ((MAX_FIELD_CHARACTERS - 8) // 2)}",
}


@pytest.mark.parametrize("name", INPUTS)
def test_an_input_is_written_in_the_one_way(name: str) -> None:
    assert INPUTS[name] != INPUT

    assert refusal("signature-input", INPUTS[name]) in {
        "signature.malformed",
        "signature.component",
    }


def test_a_component_in_capitals_is_refused_before_anybody_looks_for_its_field() -> None:
    with pytest.raises(TrustError, match=r"signature\.malformed"):
        read_signature_input(INPUT.replace('"content-type"', '"Content-Type"', 1))


SIGNATURES = {
    "nothing": "",
    "empty": "luxor=::",
    "no colons": f"luxor={BYTES}",
    "a string": f'luxor="{BYTES}"',
    "a list": f"luxor=(:{BYTES}:)",
    "another label": f"other=:{BYTES}:",
    "a second label": f"{SIGNATURE}, other=:{BYTES}:",
    "the label twice": f"{SIGNATURE}, {SIGNATURE}",
    "a parameter": f"{SIGNATURE};a",
    "no padding": SIGNATURE.replace("=:", ":").replace("luxor:", "luxor=:"),
    "padding in the middle": "luxor=:YQ==YQ==:",
    "too much padding": SIGNATURE.replace("==:", "===:"),
    "stray bits behind the last byte": "luxor=:YR==:",
    "base64url": "luxor=:_-8_:",
    "blanks": f"luxor=:{BYTES[:4]} {BYTES[4:]}:",
    "longer than any key makes": f"luxor=:{base64.b64encode(b's' * 1_025).decode()}:",
    "the form of an older draft": 'keyId="shop/shop-1",signature="AAAA"',
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_signature_is_written_in_the_one_way(name: str) -> None:
    assert SIGNATURES[name] != SIGNATURE

    assert "signature.malformed" == refusal("signature", SIGNATURES[name])


SHA256 = base64.b64encode(b"d" * 32).decode()
SHA512 = base64.b64encode(b"d" * 64).decode()
DIGESTS = {
    "nothing": "",
    "of an older standard": f"SHA-256={SHA256}",
    "a string": f'sha-256="{SHA256}"',
    "twice": f"sha-256=:{SHA256}:, sha-256=:{SHA256}:",
    "with a parameter": f"sha-256=:{SHA256}:;a",
    "without padding": f"sha-256=:{SHA256.rstrip('=')}:",
    "two lists in one line": f"sha-256=:{SHA256}:,sha-512=:{SHA512}:",
    "as a list": f"sha-256=(:{SHA256}:)",
    "alone": "sha-256",
}
WEAK = {
    "md5": "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:",
    "sha": "sha=:2jmj7l5rSw0yVb/vlWAYkK/YBwk=:",
    "unixsum beside a good one": f"sha-256=:{SHA256}:, unixsum=:AAA=:",
    "too short": "sha-256=:AAAA:",
    "empty": "sha-256=::",
    "sha-512 cut to sha-256": f"sha-512=:{SHA256}:",
}


@pytest.mark.parametrize("name", DIGESTS)
def test_a_digest_is_written_in_the_one_way(name: str) -> None:
    with pytest.raises(TrustError, match=r"signature\.malformed"):
        read_content_digest(DIGESTS[name])


@pytest.mark.parametrize("name", WEAK)
def test_a_digest_that_proves_nothing_is_refused(name: str) -> None:
    with pytest.raises(TrustError, match=r"signature\.digest"):
        read_content_digest(WEAK[name])


def test_each_digest_that_is_given_must_be_right() -> None:
    good = "LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE="  # of the letter x

    check_content(read_content_digest(f"sha-256=:{good}:"), lambda: [b"x"])
    with pytest.raises(TrustError, match=r"signature\.digest"):
        check_content(read_content_digest(f"sha-256=:{good}:, sha-512=:{SHA512}:"), lambda: [b"x"])


@pytest.mark.parametrize(
    "value",
    [
        "luxor=(" + '"a" ' * 20_000 + ")",
        "luxor=" + "(" * 100_000,
        "luxor=:" + "A" * 1_000_000,
        'luxor="' + "\\" * 1_000_000,
        ", ".join(f"l{n}=()" for n in range(20_000)),
    ],
    ids=["components", "brackets", "bytes", "escapes", "labels"],
)
def test_what_is_large_is_refused_without_being_read(value: str) -> None:
    begun = time.process_time()
    for _ in range(100):
        for read in (read_signature_input, read_signature, read_content_digest):
            with pytest.raises(TrustError, match=r"signature\.malformed"):
                read(value)

    assert time.process_time() - begun < 10  # a hang; it takes some milliseconds


@given(st.text(max_size=200))
def test_text_of_any_kind_is_read_or_refused(text: str) -> None:
    readers: tuple[Any, ...] = (read_signature_input, read_signature, read_content_digest)
    for read in readers:
        for value in (text, f"luxor={text}", f"luxor=({text})"):
            # Anything but a refusal would end the test.
            with contextlib.suppress(TrustError):
                read(value)


class AnyKey(dict[str, PublicKey]):
    """Every name is that of the one key."""

    def get(self, kid: str, default: PublicKey | None = None) -> PublicKey | None:  # type: ignore[override] # one overload
        return SIGNER.public_key


@given(st.integers(0, len(INPUT) - 1), st.characters(codec="latin-1"))
def test_no_other_character_anywhere_leaves_the_signature_valid(at: int, other: str) -> None:
    """Nothing of the field is free: whatever is still read is covered by the signature."""
    value = INPUT[:at] + other + INPUT[at + 1 :]
    if value == INPUT:
        return
    with pytest.raises(TrustError, match=r"^signature\."):
        prove_offer(
            read_offer(
                changed(SIGNED, "signature-input", value), content=True, names=NAMES, now=NOW
            ),
            AnyKey(),
        )
