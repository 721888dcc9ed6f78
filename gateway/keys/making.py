"""New signing keys: in a file for its owner alone, or on a token that never gives them out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization

from gateway.keys.errors import KeyUnusable
from gateway.keys.reference import TokenReference
from gateway.keys.secret import Secret
from trust.authority import KeyKind, generate_key

if TYPE_CHECKING:  # python-pkcs11 is an extra that is not always installed
    from gateway.keys.device import Modules

_RSA_BITS: Mapping[KeyKind, int] = MappingProxyType({"RSA-2048": 2048, "RSA-3072": 3072})
_CURVES: Mapping[KeyKind, bytes] = MappingProxyType(
    {
        "P-256": bytes.fromhex("06082a8648ce3d030107"),
        "P-384": bytes.fromhex("06052b81040022"),
        "Ed25519": b"\x13\x0cedwards25519",
    }
)


def make_in_file(path: Path, *, kind: KeyKind, password: Secret | None) -> None:
    """Write a new key; raises ``KeyUnusable`` when the file is there, or cannot be written."""
    protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        protection = serialization.BestAvailableEncryption(password.reveal().encode())
    pem = generate_key(kind).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection
    )
    try:
        # Never over a key that is there, and never readable by others for a moment.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise KeyUnusable(f"{path}: {error.strerror}") from error


def make_on_token(
    reference: TokenReference, *, kind: KeyKind, pin: Secret, modules: Modules
) -> None:
    """Have a token make a key pair that it keeps; raises ``KeyUnusable``.

    ``object`` names it; without an ``id`` it gets one of its own.
    """
    from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
    from pkcs11.exceptions import PKCS11Error

    from gateway.keys.device import find_token, log_in, told

    if reference.label is None:
        raise KeyUnusable("object is missing: what the new key is called")
    kept: dict[Any, Any] = {
        Attribute.TOKEN: True,
        Attribute.SENSITIVE: True,
        Attribute.EXTRACTABLE: False,
        Attribute.SIGN: True,
    }
    wanted: dict[str, Any] = {
        "store": True,
        "label": reference.label,
        "id": reference.id or os.urandom(8),
        "private_template": kept,
    }
    with modules.alone(reference.module):
        try:
            token = find_token(reference, modules)
            with log_in(token, pin, rw=True) as session:
                same = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: reference.label}
                if list(session.get_objects(same)):
                    raise KeyUnusable(f"{reference}: there is such a key already")
                if kind in _RSA_BITS:
                    session.generate_keypair(KeyType.RSA, _RSA_BITS[kind], **wanted)
                    return
                edwards = kind == "Ed25519"
                parameters = session.create_domain_parameters(
                    KeyType.EC_EDWARDS if edwards else KeyType.EC,
                    {Attribute.EC_PARAMS: _CURVES[kind]},
                    local=True,
                )
                mechanism = Mechanism.EC_EDWARDS_KEY_PAIR_GEN if edwards else None
                parameters.generate_keypair(mechanism=mechanism, **wanted)
        except PKCS11Error as error:
            raise KeyUnusable(f"{reference}: the token does not do it: {told(error)}") from error
