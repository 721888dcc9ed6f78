"""The structured fields of a signed message (RFC 9651), in their one canonical spelling.

A field that is written in another way than its own value would be written is refused, so that
nobody else can read another value out of it: repeated keys, missing or stray base64 bits, blanks,
and parameters that say nothing all change the spelling.
"""

from __future__ import annotations

from typing import Any, TypeVar

import http_sf
import msgspec

from trust.errors import TrustError
from trust.signatures.http.plain import read_input, read_members, write_string

MAX_FIELD_CHARACTERS = 4_096
MAX_COMPONENTS = 32
MAX_SIGNATURE_BYTES = 1_024  # RSA of 8192 bits

V = TypeVar("V")
_Input = tuple[str, tuple["Component", ...], dict[str, Any]]
Parameters = tuple[tuple[str, Any], ...]
"""Names and bare values, in the order in which they are written."""


class Component(msgspec.Struct, frozen=True):
    """A covered component (RFC 9421, 2): its name, and parameters that change its meaning."""

    name: str
    parameters: Parameters = ()

    @property
    def identifier(self) -> str:
        """Its spelling in the signature base, such as ``"@query-param";name="a"``."""
        plain = None if self.parameters else write_string(self.name)
        return plain or str(http_sf.ser((self.name, dict(self.parameters))))


class SignatureInput(msgspec.Struct, frozen=True, kw_only=True):
    """One member of ``Signature-Input``. ``text`` is its value, which the signature covers."""

    label: str
    components: tuple[Component, ...]
    parameters: dict[str, Any]
    text: str


def read_signature_input(value: str) -> SignatureInput:
    """The only member of a ``Signature-Input`` field; raises ``signature.malformed``."""
    _check_length(value, "Signature-Input")
    label, components, parameters = _plain_input(value) or _any_input(value)
    if len(components) > MAX_COMPONENTS:
        raise TrustError(
            "signature.malformed", f"a signature covers at most {MAX_COMPONENTS} components"
        )
    names = "".join(component.name for component in components)
    if names != names.lower():
        raise TrustError("signature.malformed", "a component is named in lower-case letters")
    if len(set(components)) != len(components):  # RFC 9421, 2.5: no component twice
        raise TrustError("signature.malformed", "a component is covered twice")
    return SignatureInput(
        label=label,
        components=components,
        parameters=parameters,
        text=value.partition("=")[2],
    )


def _plain_input(value: str) -> _Input | None:
    found = read_input(value)
    if found is None:
        return None
    return found.label, tuple(map(Component, found.items)), found.parameters


def _any_input(value: str) -> _Input:
    label, (items, parameters) = _only(_dictionary(value, "Signature-Input"), "Signature-Input")
    if not isinstance(items, list):
        raise TrustError("signature.malformed", "Signature-Input is no list of components")
    if any(type(name) is not str for name, _ in items):
        raise TrustError("signature.malformed", "a component is named by a string")
    return label, tuple(Component(name, tuple(given.items())) for name, given in items), parameters


def write_signature_input(components: tuple[Component, ...], parameters: dict[str, Any]) -> str:
    """The value of a ``Signature-Input`` member, without its label."""
    items = [(component.name, dict(component.parameters)) for component in components]
    members: Any = {"x": (items, parameters)}
    return str(http_sf.ser(members)).partition("=")[2]


def read_signature(value: str) -> tuple[str, bytes]:
    """Label and bytes of the only member of a ``Signature`` field."""
    label, signature = _only(read_bytes_by_key(value, "Signature"), "Signature")
    if not 0 < len(signature) <= MAX_SIGNATURE_BYTES:
        raise TrustError("signature.malformed", "the signature has an impossible length")
    return label, signature


def read_bytes_by_key(value: str, name: str) -> dict[str, bytes]:
    """A dictionary of byte sequences without parameters, such as ``Content-Digest``."""
    _check_length(value, name)
    plain = read_members(value)
    if plain is not None:
        return plain
    members = _dictionary(value, name)
    for member, parameters in members.values():
        if not isinstance(member, bytes) or parameters:
            raise TrustError("signature.malformed", f"{name} is no dictionary of byte sequences")
    return {key: member for key, (member, _) in members.items()}


def write_bytes(value: bytes) -> str:
    """A byte sequence."""
    return str(http_sf.ser((value, {})))


def _only(members: dict[str, V], name: str) -> tuple[str, V]:
    # Several signatures would ask which of them counts; nobody needs that to speak to a gateway.
    if len(members) != 1:
        raise TrustError("signature.malformed", f"{name} has {len(members)} members, not one")
    return next(iter(members.items()))


def _check_length(value: str, name: str) -> None:
    if len(value) > MAX_FIELD_CHARACTERS:
        raise TrustError("signature.malformed", f"{name} is too long")


def _dictionary(value: str, name: str) -> dict[str, Any]:
    try:
        members: Any = http_sf.parse(value.encode("ascii"), tltype="dictionary")
        canonical = bool(members) and http_sf.ser(members) == value
    except Exception as error:  # whatever a parser raises on foreign text means no
        raise TrustError("signature.malformed", f"{name} is no structured field") from error
    if not canonical:
        raise TrustError("signature.malformed", f"{name} is not in its canonical spelling")
    found: dict[str, Any] = members
    return found
