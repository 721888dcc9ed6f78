"""PKCS #11 in memory: a module with one token that signs for real, and breaks when it is told to.

It has the shape of python-pkcs11's objects as far as they are used, and raises its exceptions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pkcs11
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass

from trust.keys import PrivateKey

MODULE = "/nowhere/fake-pkcs11.so"
PIN = "246810"
_HASHES: dict[int, hashes.HashAlgorithm] = {32: hashes.SHA256(), 48: hashes.SHA384()}
_CURVES = {"secp256r1": "06082a8648ce3d030107", "secp384r1": "06052b81040022"}


class FakeModule:
    """What ``pkcs11.lib`` gives. ``calls`` counts logins and signatures."""

    def __init__(self) -> None:
        self.tokens = [FakeToken(self, "luxor", b"0001")]
        self.present = True
        self.starts = 0
        self.needs_start = False
        self.inside = 0
        self.crowded = False

    @property
    def token(self) -> FakeToken:
        return self.tokens[0]

    def load(self, path: str) -> FakeModule:
        if path != MODULE:
            raise pkcs11.PKCS11Error(f"OS exception while loading {path}: no such file")
        return self

    def get_slots(self, *, token_present: bool) -> list[FakeSlot]:
        assert token_present
        there = self.present and not self.needs_start
        return [FakeSlot(at, token) for at, token in enumerate(self.tokens)] if there else []

    def reinitialize(self) -> None:
        self.starts += 1
        self.needs_start = False
        for token in self.tokens:
            token.lose_sessions()


class FakeSlot:
    def __init__(self, slot_id: int, token: FakeToken) -> None:
        self.slot_id = slot_id
        self._token = token

    def get_token(self) -> FakeToken:
        return self._token


class FakeToken:
    manufacturer_id = "Luxor tests"
    model = "memory"

    def __init__(self, module: FakeModule, label: str, serial: bytes) -> None:
        self.module = module
        self.label = label
        self.serial = serial
        self.objects: list[dict[Attribute, Any]] = []
        self.sessions: list[FakeSession] = []
        self.pins: list[str] = []
        self.logged_in = False
        self.pin = PIN
        self.fails: list[Exception] = []
        self.signed = 0

    def open(self, user_pin: str | None = None) -> FakeSession:
        if not self.module.present:
            raise pkcs11.TokenNotPresent
        if user_pin is not None:
            if self.logged_in:
                raise pkcs11.UserAlreadyLoggedIn
            self.pins.append(user_pin)
            if user_pin != self.pin:
                raise pkcs11.PinIncorrect
            self.logged_in = True
        session = FakeSession(self)
        self.sessions.append(session)
        return session

    def lose_sessions(self) -> None:
        """As after a restart of the device."""
        for session in self.sessions:
            session.open = False
        self.sessions.clear()
        self.logged_in = False

    def put(self, key: PrivateKey, *, label: str, id_: bytes = b"\1", public: bool = True) -> None:
        """Store a key pair."""
        about = {Attribute.LABEL: label, Attribute.ID: id_, **_numbers(key.public_key())}
        shown = {Attribute.CLASS: ObjectClass.PUBLIC_KEY, **about}
        hidden = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, **about, Attribute.SIGN: True}
        hidden.pop(Attribute.EC_POINT, None)  # tokens mostly do not have it there
        self.objects += [{**hidden, Attribute.VALUE: key}, *([shown] if public else [])]


class FakeSession:
    def __init__(self, token: FakeToken) -> None:
        self.token = token
        self.open = True

    def close(self) -> None:
        if not self.open:
            raise pkcs11.SessionHandleInvalid
        self.open = False
        self.token.sessions.remove(self)
        if not self.token.sessions:
            self.token.logged_in = False  # PKCS #11: the login ends with the last session

    def check(self) -> None:
        if not self.token.module.present:
            raise pkcs11.DeviceRemoved
        if not self.open:
            raise pkcs11.SessionHandleInvalid

    def get_objects(self, wanted: dict[Attribute, Any]) -> Iterator[FakeObject]:
        self.check()
        for attributes in self.token.objects:
            private = attributes[Attribute.CLASS] == ObjectClass.PRIVATE_KEY
            if private and not self.token.logged_in:
                continue
            if all(attributes.get(name) == value for name, value in wanted.items()):
                yield FakeObject(self, attributes)


class FakeObject:
    def __init__(self, session: FakeSession, attributes: dict[Attribute, Any]) -> None:
        self._session = session
        self._attributes = attributes

    def __getitem__(self, name: Attribute) -> Any:
        self._session.check()
        if name == Attribute.VALUE:
            raise pkcs11.AttributeSensitive
        if name not in self._attributes:
            raise pkcs11.AttributeTypeInvalid
        return self._attributes[name]

    def sign(self, data: bytes, *, mechanism: Mechanism, mechanism_param: Any = None) -> bytes:
        token = self._session.token
        self._session.check()
        module = token.module
        module.inside += 1
        module.crowded |= module.inside > 1
        try:
            if token.fails:
                raise token.fails.pop(0)
            token.signed += 1
            return _signature(self._attributes[Attribute.VALUE], data, mechanism, mechanism_param)
        finally:
            module.inside -= 1


def _signature(key: PrivateKey, data: bytes, mechanism: Mechanism, parameters: Any) -> bytes:
    match key, mechanism:
        case ec.EllipticCurvePrivateKey(), Mechanism.ECDSA:
            size = (key.curve.key_size + 7) // 8
            pair = decode_dss_signature(key.sign(data, ec.ECDSA(Prehashed(_HASHES[len(data)]))))
            return b"".join(number.to_bytes(size, "big") for number in pair)
        case ed25519.Ed25519PrivateKey(), Mechanism.EDDSA:
            return key.sign(data)
        case rsa.RSAPrivateKey(), Mechanism.RSA_PKCS_PSS:
            hash_, _, salt = parameters
            chosen = {Mechanism.SHA256: hashes.SHA256(), Mechanism.SHA384: hashes.SHA384()}[hash_]
            mask = padding.MGF1(chosen)
            return key.sign(data, padding.PSS(mask, salt), Prehashed(chosen))
        case rsa.RSAPrivateKey(), Mechanism.RSA_PKCS:
            # The caller made the DigestInfo: bare exponentiation over RFC 8017's padding.
            size = key.key_size // 8
            padded = b"\0\1" + b"\xff" * (size - len(data) - 3) + b"\0" + data
            numbers = key.private_numbers()
            number = pow(int.from_bytes(padded, "big"), numbers.d, numbers.public_numbers.n)
            return number.to_bytes(size, "big")
    raise pkcs11.MechanismInvalid


def _numbers(key: Any) -> dict[Attribute, Any]:
    match key:
        case ec.EllipticCurvePublicKey():
            point = key.public_bytes(
                serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
            )
            return {
                Attribute.KEY_TYPE: KeyType.EC,
                Attribute.EC_PARAMS: bytes.fromhex(_CURVES[key.curve.name]),
                Attribute.EC_POINT: bytes((4, len(point))) + point,
            }
        case ed25519.Ed25519PublicKey():
            return {
                Attribute.KEY_TYPE: KeyType.EC_EDWARDS,
                Attribute.EC_PARAMS: b"\x13\x0cedwards25519",
                Attribute.EC_POINT: key.public_bytes_raw(),  # some tokens leave the wrapping out
            }
        case _:
            numbers = key.public_numbers()
            return {
                Attribute.KEY_TYPE: KeyType.RSA,
                Attribute.MODULUS: numbers.n.to_bytes(key.key_size // 8, "big"),
                Attribute.PUBLIC_EXPONENT: numbers.e.to_bytes(3, "big"),
            }
