"""The registry, as a file and as a document of the store, and keys that stand in it."""

from __future__ import annotations

from tests.fuzz.target import Prepared, Target
from tests.fuzz.targets.signatures import signer
from tests.trust.town import Town, party
from trust.errors import TrustError
from trust.keys import load_public_key
from trust.members import Grant, SigningKey
from trust.party import Registry, RegistryError


def _registry() -> Registry:
    town = Town("luxor")
    key = SigningKey(kid="key-1", algorithm="Ed25519", public_key=signer().public_pem.decode())
    grant = Grant(formats=("upu.*",), kinds=("ItemDeclaration",), countries=("*",))
    full = party(signing_keys=(key,), grants=(grant,), operators=("FRA",), country="FR")
    return Registry(authorities=[town.authority], parties=[full, party("post-b")])


def _no_file(name: str) -> bytes:
    raise FileNotFoundError(name)


def _toml_target() -> Prepared:
    text = _registry().to_toml()

    def judge(data: bytes) -> bool:
        try:
            Registry.from_toml(data.decode("utf-8", "replace"), _no_file)
        except RegistryError:
            return False
        return True

    words = [line.partition(" =")[0].encode() for line in text.splitlines() if " = " in line]
    more = [b"[[party]]", b"[[authority]]", b"[[party.key]]", b"[party.severities]", b"'''"]
    return Prepared(judge=judge, seeds=[text.encode()], words=[*sorted(set(words)), *more])


def _json_target() -> Prepared:
    def judge(data: bytes) -> bool:
        try:
            Registry.from_json(data)
        except RegistryError:
            return False
        return True

    return Prepared(judge=judge, seeds=[_registry().to_json()], words=[b"null", b"[]", b"{}"])


def _key_target() -> Prepared:
    def judge(data: bytes) -> bool:
        try:
            load_public_key(data)
        except TrustError:
            return False
        return True

    words = [
        b"-----BEGIN PUBLIC KEY-----",
        b"-----END PUBLIC KEY-----",
        b"-----BEGIN RSA PUBLIC KEY-----",
    ]
    return Prepared(judge=judge, seeds=[signer().public_pem], words=words)


TARGETS = (
    Target(name="registry-toml", prepare=_toml_target, share=0.5),
    Target(name="registry-json", prepare=_json_target, share=0.5),
    Target(name="public-key", prepare=_key_target),
)
