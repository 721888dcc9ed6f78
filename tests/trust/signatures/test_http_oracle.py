"""Another implementation of RFC 9421: what one side signs the other verifies, over equal bases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import http_message_signatures as other
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from tests.signed import CREATED, NAMES, nonce, posted, with_fields
from trust.identity import PartyId
from trust.keys import KeySigner
from trust.signatures.http.offer import prove_offer, read_offer
from trust.signatures.http.sign import sign_request
from trust.signatures.http.signature_base import Message, signature_base
from trust.signatures.http.structured import read_signature_input

KINDS: dict[str, tuple[Any, Callable[[], Any]]] = {
    "Ed25519": (other.algorithms.ED25519, ed25519.Ed25519PrivateKey.generate),
    "ES256": (
        other.algorithms.ECDSA_P256_SHA256,
        lambda: ec.generate_private_key(ec.SECP256R1()),
    ),
    "ES384": (
        other.algorithms.ECDSA_P384_SHA384,
        lambda: ec.generate_private_key(ec.SECP384R1()),
    ),
    "PS512": (other.algorithms.RSA_PSS_SHA512, lambda: rsa.generate_private_key(65537, 2048)),
    "RS256": (other.algorithms.RSA_V1_5_SHA256, lambda: rsa.generate_private_key(65537, 2048)),
}


class Request:
    """A message in the other's form."""

    def __init__(self, message: Message) -> None:
        self.method = message.method
        self.url = f"{message.scheme}://{message.authority}{message.target}"
        self.headers = dict(message.fields)

    @property
    def message(self) -> Message:
        """The same in ours."""
        scheme, _, rest = self.url.partition("://")
        authority, slash, target = rest.partition("/")
        return Message(
            method=self.method,
            scheme=scheme,
            authority=authority,
            target=slash + target,
            fields=tuple((name.lower(), value) for name, value in self.headers.items()),
        )


class Keys(other.HTTPSignatureKeyResolver):
    """One key under every name."""

    def __init__(self, private: Any) -> None:
        self.private = private

    def resolve_private_key(self, key_id: str) -> Any:
        return self.private

    def resolve_public_key(self, key_id: str) -> Any:
        return self.private.public_key()


@pytest.mark.parametrize("name", KINDS)
def test_what_the_other_signs_is_proved_here(name: str) -> None:
    algorithm, make = KINDS[name]
    private = make()
    now = datetime.now(UTC)
    request = Request(posted())

    other.HTTPMessageSigner(signature_algorithm=algorithm, key_resolver=Keys(private)).sign(
        request,
        key_id="shop/k",
        created=now,
        expires=now + timedelta(seconds=200),
        nonce=nonce(),
        label="theirs",
        tag="luxor",
        use_existing_digest=True,
        covered_component_ids=(
            "@method", "@authority", "@target-uri", "content-digest", "content-type",
            "luxor-interchange-id", "luxor-format",
        ),
    )  # fmt: skip

    offer = read_offer(request.message, content=True, names=NAMES, now=now)
    key = KeySigner(private, kid="k", algorithm=name).public_key
    assert "k" == prove_offer(offer, {"k": key}).kid


@pytest.mark.parametrize("name", KINDS)
def test_what_is_signed_here_the_other_proves(name: str) -> None:
    algorithm, make = KINDS[name]
    private = make()
    message = posted()
    fields = sign_request(
        message,
        signer=KeySigner(private, kid="k", algorithm=name),
        party=PartyId("shop"),
        nonce=nonce(),
        now=datetime.now(UTC),
    )
    request = Request(with_fields(message, *fields.items()))

    found = other.HTTPMessageVerifier(
        signature_algorithm=algorithm, key_resolver=Keys(private)
    ).verify(request, max_age=timedelta(seconds=300), expect_tag="luxor")

    covered = found[0].covered_components
    assert message.lines("luxor-interchange-id")[0] == covered['"luxor-interchange-id"']


PRINTABLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=20)
SEGMENT = st.text("abcXYZ019-._~%2F", max_size=12).filter(
    lambda text: (
        all(len(part) >= 2 and part[:2].isalnum() for part in text.split("%")[1:])
        and all(c in "0123456789ABCDEFabcdef" for part in text.split("%")[1:] for c in part[:2])
    )
)


@given(
    host=st.from_regex(r"[A-Za-z0-9]{1,8}(\.[A-Za-z]{2,5})?(:(443|80|8445))?", fullmatch=True),
    path=SEGMENT,
    query=st.none() | SEGMENT,
    value=PRINTABLE,
    covered=st.lists(
        st.sampled_from(
            ["@method", "@authority", "@target-uri", "@path", "@query", "@scheme",
             "@request-target", "x-value"]
        ),
        unique=True,
    ),
)  # fmt: skip
def test_both_compute_one_base(
    host: str, path: str, query: str | None, value: str, covered: list[str]
) -> None:
    target = f"/{path}" + ("" if query is None else f"?{query}")
    message = Message(
        method="PUT",
        authority=host,
        target=target,
        fields=(("x-value", value),),
    )
    private = ed25519.Ed25519PrivateKey.generate()
    signer = other.HTTPMessageSigner(
        signature_algorithm=other.algorithms.ED25519, key_resolver=Keys(private)
    )

    theirs = signer.prepare(
        Request(message),
        key_id="k",
        created=datetime.fromtimestamp(CREATED, UTC),
        label="x",
        covered_component_ids=covered,
    )

    given = read_signature_input(f"x={theirs.signature_params}")
    assert theirs.signature_base == signature_base(message, given)
