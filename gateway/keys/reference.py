"""Names of private keys: a file, or an object on a token by its PKCS #11 URI (RFC 7512)."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

import msgspec

from gateway.keys.errors import KeyUnusable
from gateway.keys.secret import SecretSource, secret_source

SCHEME = "pkcs11:"
_PATH = frozenset({"token", "serial", "manufacturer", "model", "slot-id", "object", "id", "type"})
_QUERY = frozenset({"module-path", "pin-source", "pin-value"})
_SPELLING = re.compile(r"(?:[A-Za-z0-9\-._~:\[\]@!$'()*+,=&/|]|%[0-9A-Fa-f]{2})*")
"""RFC 7512, 2.3: pk11-pchar and pk11-qchar together."""


class FileReference(msgspec.Struct, frozen=True):
    """A PEM file."""

    path: str

    def __str__(self) -> str:
        return self.path


class TokenReference(msgspec.Struct, frozen=True, kw_only=True):
    """A private key on a token. What is ``None`` is not compared."""

    module: str
    token: str | None = None
    serial: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    slot: int | None = None
    label: str | None = None
    id: bytes | None = None
    pin: SecretSource | None = None

    def __str__(self) -> str:
        names = (("token", self.token), ("serial", self.serial), ("object", self.label))
        said = [f"{name} {value!r}" for name, value in names if value is not None]
        if self.id is not None:
            said.append(f"id {self.id.hex()}")
        return ", ".join(said)


def key_reference(text: str) -> FileReference | TokenReference:
    """Read ``PATH``, ``file:PATH`` or ``pkcs11:…``; raises ``KeyUnusable``.

    A URI with an attribute that is not understood is refused: it would name another key than was
    meant (RFC 7512, 2.3). So is one that holds the PIN itself.
    """
    if text.startswith(SCHEME):
        return _token(text.removeprefix(SCHEME))
    path = text.removeprefix("file:")
    path = path.removeprefix("//") if path != text else path
    if not path:
        raise KeyUnusable("the name of a file is missing")
    return FileReference(path)


def _token(text: str) -> TokenReference:
    path, _, query = text.partition("?")
    given = _attributes(path, ";", _PATH)
    asked = _attributes(query, "&", _QUERY)
    if "pin-value" in asked:
        raise KeyUnusable("pin-value: a PIN has no place in a configuration; use pin-source")
    module = _text(asked, "module-path")
    if module is None or not module.startswith("/"):
        raise KeyUnusable("?module-path=/absolute/path/to/the/library.so is missing")
    if given.get("type", b"private") != b"private":
        raise KeyUnusable("type: a key that signs is private")
    if not given.keys() & {"object", "id"}:
        raise KeyUnusable("object or id is missing: which key of the token it is")
    slot = _text(given, "slot-id")
    if slot is not None and not (slot.isascii() and slot.isdigit() and len(slot) <= 18):
        raise KeyUnusable("slot-id is a number")
    pin = _text(asked, "pin-source")
    return TokenReference(
        module=module,
        token=_text(given, "token"),
        serial=_text(given, "serial"),
        manufacturer=_text(given, "manufacturer"),
        model=_text(given, "model"),
        slot=None if slot is None else int(slot),
        label=_text(given, "object"),
        id=given.get("id"),
        pin=None if pin is None else secret_source(pin),
    )


def _attributes(text: str, separator: str, known: frozenset[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in text.split(separator) if text else ():
        name, equals, value = part.partition("=")
        if name not in known:
            raise KeyUnusable(f"{name[:40]!r} is not understood; known are {_listed(known)}")
        if not equals or name in found:
            raise KeyUnusable(f"{name} stands there once, with a value")  # RFC 7512, 2.3
        if _SPELLING.fullmatch(value) is None:
            raise KeyUnusable(f"{name} has a character that must be written as %XX")
        found[name] = unquote_to_bytes(value)
    return found


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names - {"pin-value"}))


def _text(found: dict[str, bytes], name: str) -> str | None:
    value = found.get(name)
    if value is None:
        return None
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise KeyUnusable(f"{name} is not UTF-8") from error
