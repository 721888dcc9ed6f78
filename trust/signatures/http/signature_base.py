"""The signature base of RFC 9421, 2: what of a message is signed, line by line.

Components are the derived ones of section 2.2 and whole fields (2.1). A field with one of the
parameters ``sf``, ``key``, ``bs``, ``tr`` or ``req`` is refused: each is another way to read the
same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from trust.errors import TrustError
from trust.signatures.http.structured import Component, SignatureInput

_PORTS = MappingProxyType({"https": "443", "http": "80"})
_VALUE = re.compile(r"[\x20-\x7e\t]*")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-._")


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A request or a response, as received.

    ``fields`` are lower-case names with values as they came but for the blanks around them, one
    pair for each line, in order. ``authority`` is the ``Host`` of a request, ``target`` its
    origin-form target (RFC 9112, 3.2.1). ``status`` is that of a response.
    """

    fields: tuple[tuple[str, str], ...] = ()
    method: str = ""
    scheme: str = "https"
    authority: str = ""
    target: str = ""
    status: int | None = None

    def lines(self, name: str) -> tuple[str, ...]:
        """The values of a field's lines; none when it is not there."""
        return tuple(value for key, value in self.fields if key == name)

    def by_name(self) -> dict[str, list[str]]:
        """The values of every field's lines."""
        found: dict[str, list[str]] = {}
        for name, value in self.fields:
            found.setdefault(name, []).append(value)
        return found


def signature_base(message: Message, given: SignatureInput) -> bytes:
    """The bytes that are signed (RFC 9421, 2.5).

    Raises ``signature.component`` for what is not in the message or is not understood.
    """
    fields = message.by_name()
    lines = [f"{part.identifier}: {_value(message, fields, part)}" for part in given.components]
    lines.append(f'"@signature-params": {given.text}')
    return "\n".join(lines).encode("ascii")


def normal_authority(message: Message) -> str:
    """``@authority``: the host in lower case, its port unless it is the scheme's own (2.2.3)."""
    authority = message.authority.lower()
    return authority.removesuffix(f":{_PORTS.get(message.scheme)}")


def _value(message: Message, fields: Mapping[str, list[str]], component: Component) -> str:
    name = component.name
    if name.startswith("@"):
        derive = _DERIVED.get(name)
        if derive is None or (name == "@status") != (message.status is not None):
            raise TrustError("signature.component", f"{name[:40]} is no component of this message")
        value = derive(message, dict(component.parameters))
    else:
        if component.parameters:
            raise TrustError("signature.component", f"{name[:40]} is covered as a whole field only")
        lines = fields.get(name)
        if lines is None:
            raise TrustError("signature.component", f"it covers {name[:40]}, which is not there")
        value = ", ".join(lines)  # RFC 9421, 2.1
    if _VALUE.fullmatch(value) is None:  # a line break would begin a line of its own
        raise TrustError(
            "signature.component", f"{name[:40]} has characters that can not be signed"
        )
    return value


def _plain(derive: Callable[[Message], str]) -> Callable[[Message, Mapping[str, object]], str]:
    """A derived component that takes no parameters."""

    def derived(message: Message, parameters: Mapping[str, object]) -> str:
        if parameters:
            raise TrustError("signature.component", "a derived component has an unknown parameter")
        return derive(message)

    return derived


def _path(message: Message) -> str:
    return message.target.partition("?")[0] or "/"  # RFC 9421, 2.2.6


def _query(message: Message) -> str:
    return "?" + message.target.partition("?")[2]  # RFC 9421, 2.2.7: also when there is none


def _query_parameter(message: Message, parameters: Mapping[str, object]) -> str:
    """RFC 9421, 2.2.8: decoded as a form is, and encoded in the one canonical way."""
    wanted = parameters.get("name")
    if not isinstance(wanted, str) or len(parameters) != 1:
        raise TrustError("signature.component", "@query-param has the one parameter name")
    pairs = [pair.partition("=") for pair in _query(message)[1:].split("&")]
    values = [_recoded(value) for name, _, value in pairs if _recoded(name) == wanted]
    if len(values) != 1:
        raise TrustError(
            "signature.component", f"it covers a parameter that is {len(values)} times there"
        )
    return values[0]


def _recoded(text: str) -> str:
    decoded = _ESCAPE.sub(
        lambda found: bytes.fromhex(found[1].decode("ascii")),
        text.encode("utf-8").replace(b"+", b" "),
    )
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in decoded)


_DERIVED: Mapping[str, Callable[[Message, Mapping[str, object]], str]] = MappingProxyType(
    {
        "@method": _plain(lambda message: message.method),
        "@target-uri": _plain(
            lambda message: f"{message.scheme}://{message.authority}{message.target}"
        ),
        "@authority": _plain(normal_authority),
        "@scheme": _plain(lambda message: message.scheme),
        "@request-target": _plain(lambda message: message.target),
        "@path": _plain(_path),
        "@query": _plain(_query),
        "@query-param": _query_parameter,
        "@status": _plain(lambda message: str(message.status)),
    }
)
"""RFC 9421, 2.2."""
