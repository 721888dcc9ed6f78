"""Where the contract's keys come from: files, a token in memory, a SoftHSM where there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from cryptography.hazmat.primitives import serialization
from pkcs11 import Attribute, KeyType, Mechanism
from pkcs11.util.ec import encode_named_curve_parameters

from gateway.keys.device import Modules
from gateway.keys.opening import Providers
from gateway.keys.ring import OwnSigner
from tests.gateway.keys.fake_token import MODULE, PIN, FakeModule
from trust.authority import KeyKind, generate_key, private_key_pem
from trust.keys import PrivateKey

SOFTHSM = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
Open = Callable[..., OwnSigner]
"""Opens a signer for a key kind: ``open(kind, algorithm=..., kid=...)``."""


@pytest.fixture(scope="session")
def keys() -> dict[str, PrivateKey]:
    """One key of each kind."""
    kinds: tuple[KeyKind, ...] = ("P-256", "P-384", "RSA-2048", "Ed25519")
    return {kind: generate_key(kind) for kind in kinds}


@pytest.fixture
def module(keys: dict[str, PrivateKey]) -> FakeModule:
    """A token in memory that has them all."""
    made = FakeModule()
    for at, (kind, key) in enumerate(keys.items(), 1):
        made.token.put(key, label=kind, id_=bytes((at,)))
    return made


@pytest.fixture
def providers(tmp_path: Path, module: FakeModule) -> Providers:
    """Providers whose PKCS #11 is the token in memory and whose environment has its PIN."""
    return Providers(
        folder=tmp_path,
        environ={"PIN": PIN, "WRONG": "13579"},
        modules=lambda: Modules(module.load),
    )


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The library of a SoftHSM with an initialised token; the token's PIN is ``PIN``."""
    library = next((path for path in SOFTHSM if Path(path).is_file()), None)
    tool = shutil.which("softhsm2-util")
    if library is None or tool is None:
        pytest.skip("SoftHSM 2 is not installed: libsofthsm2.so and softhsm2-util")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(config)
    command = [tool, "--init-token", "--free", "--label", "luxor", "--so-pin", "97531", "--pin"]
    subprocess.run([*command, PIN], check=True, capture_output=True)
    _fill(library)
    try:
        yield library
    finally:
        pkcs11.unload(library)
        if before is None:
            del os.environ["SOFTHSM2_CONF"]
        else:
            os.environ["SOFTHSM2_CONF"] = before


def _fill(library: str) -> None:
    """A key pair of each kind, made on the token."""
    token = next(iter(pkcs11.lib(library).get_tokens(token_label="luxor")))
    with token.open(rw=True, user_pin=PIN) as session:
        for at, (kind, curve) in enumerate((("P-256", "secp256r1"), ("P-384", "secp384r1")), 1):
            named = {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}
            session.create_domain_parameters(KeyType.EC, named, local=True).generate_keypair(
                store=True, label=kind, id=bytes((at,))
            )
        session.generate_keypair(KeyType.RSA, 2048, store=True, label="RSA-2048", id=b"\3")
        edwards = {Attribute.EC_PARAMS: b"\x13\x0cedwards25519"}
        session.create_domain_parameters(KeyType.EC_EDWARDS, edwards, local=True).generate_keypair(
            mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label="Ed25519", id=b"\4"
        )


@pytest.fixture(params=["file", "encrypted file", "token in memory", "SoftHSM"])
def open_key(request: pytest.FixtureRequest, tmp_path: Path, keys: dict[str, PrivateKey]) -> Open:
    """Every provider in turn."""
    password: str | None = "env:PIN"
    if request.param == "SoftHSM":
        library = request.getfixturevalue("softhsm")
        opened = Providers(folder=tmp_path, environ={"PIN": PIN})
        names = {kind: f"pkcs11:token=luxor;object={kind}?module-path={library}" for kind in keys}
    elif request.param == "token in memory":
        opened = request.getfixturevalue("providers")
        names = {kind: f"pkcs11:token=luxor;object={kind}?module-path={MODULE}" for kind in keys}
    else:
        opened = request.getfixturevalue("providers")
        names = {kind: f"{kind}.key" for kind in keys}
        encrypted = request.param == "encrypted file"
        password = password if encrypted else None
        for kind, key in keys.items():
            write_private(tmp_path / names[kind], encrypted_pem(key) if encrypted else None, key)

    def opening(kind: str, **more: Any) -> OwnSigner:
        return opened.open(names[kind], password=password, **more)

    return opening


def encrypted_pem(key: PrivateKey) -> bytes:
    """The key under the password ``PIN``."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(PIN.encode()),
    )


def write_private(path: Path, pem: bytes | None, key: PrivateKey) -> Path:
    """A key file as it should be: for its owner alone."""
    path.touch(mode=0o600)
    path.write_bytes(pem or private_key_pem(key))
    return path
