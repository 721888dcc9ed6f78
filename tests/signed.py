"""Signed requests for tests: good ones, and any other that somebody could sign."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from trust.keys import KeySigner
from trust.signatures.http.digest import write_content_digest
from trust.signatures.http.names import http_name
from trust.signatures.http.signature_base import Message, signature_base
from trust.signatures.http.structured import (
    Component,
    SignatureInput,
    write_bytes,
    write_signature_input,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CREATED = int(NOW.timestamp())
HOST = "gw.example:8445"
NAMES = frozenset({"gw.example"})
CONTENT = b'{"messages": []}'
_numbers = itertools.count()


def nonce() -> str:
    """One that was not there before in this run."""
    return f"nonce-{next(_numbers):016}"


def posted(content: bytes = CONTENT, **fields: str) -> Message:
    """A submission before it is signed; ``fields`` change or add (``_`` for ``-``)."""
    given = {
        "host": HOST,
        "content-type": "application/json",
        "content-digest": write_content_digest(hashlib.sha256(content).digest()),
        "luxor-interchange-id": "i-1",
        "luxor-format": "luxor.json.1",
    }
    given |= {name.replace("_", "-"): value for name, value in fields.items()}
    return Message(
        method="POST",
        authority=given["host"],
        target="/v1/interchanges",
        fields=tuple(given.items()),
    )


def fetched(target: str = "/v1/inbox?limit=5") -> Message:
    """A question before it is signed."""
    return Message(method="GET", authority=HOST, target=target, fields=(("host", HOST),))


def parameters_of(signer: KeySigner, party: str = "shop", **changes: Any) -> dict[str, Any]:
    """The parameters of a good signature; a change to ``None`` leaves one out."""
    given = {
        "created": CREATED,
        "expires": CREATED + 300,
        "nonce": nonce(),
        "keyid": f"{party}/{signer.kid}",
        "alg": http_name(signer.alg),
        "tag": "luxor",
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


def sign(
    message: Message,
    signer: KeySigner,
    *,
    covered: Iterable[str | Component] | None = None,
    parameters: Mapping[str, Any] | None = None,
    label: str = "luxor",
) -> Message:
    """The message with a signature that is right in itself, whatever it says and covers."""
    if covered is None:
        names = [name for name, _ in message.fields if name != "host"]
        covered = ["@method", "@authority", "@target-uri", *names]
    components = tuple(Component(part) if isinstance(part, str) else part for part in covered)
    chosen = dict(parameters_of(signer) if parameters is None else parameters)
    text = write_signature_input(components, chosen)
    given = SignatureInput(label=label, components=components, parameters=chosen, text=text)
    signature = signer.sign(signature_base(message, given))
    return with_fields(
        message,
        ("signature-input", f"{label}={text}"),
        ("signature", f"{label}={write_bytes(signature)}"),
    )


def with_fields(message: Message, *fields: tuple[str, str]) -> Message:
    """The message with more fields."""
    return replace(message, fields=(*message.fields, *fields))


def changed(message: Message, name: str, *values: str) -> Message:
    """The message with other lines of one field; without ``values`` it has none."""
    kept = [pair for pair in message.fields if pair[0] != name]
    return replace(message, fields=(*kept, *((name, value) for value in values)))
