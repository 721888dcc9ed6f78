"""By what a party identifies itself: the registry says so, and the authenticator holds to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.cli.party import party as command
from tests.signed import NAMES, NOW, parameters_of, posted, sign
from tests.trust.town import NOW as TOWN_NOW
from tests.trust.town import Town, authenticator, der, party
from trust.authority import generate_key
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import KeySigner, signing_key
from trust.members import Identification, SigningKey
from trust.party import Registry, RegistryError
from trust.signatures.http.offer import Offer, read_offer

KEY = KeySigner(generate_key("Ed25519"), kid="a-1")
ROW = signing_key(KEY.public_pem, kid=KEY.kid)

TEXT = """
version = 1

[[party]]
id = "post-a"
{line}

[[party.key]]
kid = "a-1"
public_key = '''
{key}'''
"""


def read(line: str, key: bytes = KEY.public_pem) -> Registry:
    """The registry with one party that has this line."""
    text = TEXT.format(line=line, key=key.decode())
    return Registry.from_toml(text, lambda name: b"")


def mistakes(line: str, key: bytes = KEY.public_pem) -> list[tuple[str, str]]:
    """Places and texts of what is wrong."""
    with pytest.raises(RegistryError) as caught:
        read(line, key)
    return [(mistake.path, mistake.detail) for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", ("certificate",)),
        ('identified_by = ["certificate"]', ("certificate",)),
        ('identified_by = ["signature"]', ("signature",)),
        ('identified_by = ["signature", "certificate"]', ("signature", "certificate")),
    ],
)
def test_the_registry_says_it_and_keeps_it(line: str, expected: tuple[str, ...]) -> None:
    registry = read(line)

    for same in (
        registry,
        Registry.from_toml(registry.to_toml(), lambda name: b""),
        Registry.from_json(registry.to_json()),
    ):
        assert expected == same.party(PartyId("post-a")).identified_by


def test_what_contradicts_itself_is_named_with_its_place() -> None:
    path = "party[0].identified_by"

    assert [(path, "it must be identified by something")] == mistakes("identified_by = []")
    twice = 'identified_by = ["signature", "signature"]'
    assert [(path, "it names one thing twice")] == mistakes(twice)
    assert path == mistakes('identified_by = ["password"]')[0][0]


def test_who_signs_requests_has_a_key_that_can(rsa_pem: bytes) -> None:
    """RSA is registered for PS256 unless said otherwise, which RFC 9421 does not have."""
    found = mistakes('identified_by = ["signature"]', rsa_pem)

    assert [
        ("party[0].identified_by", "it has no key for one of Ed25519, ES256, ES384, PS512, RS256")
    ] == found


@pytest.fixture(scope="module")
def rsa_pem() -> bytes:
    return KeySigner(rsa.generate_private_key(65537, 2048)).public_pem


def offered(name: str = "post-a") -> Offer:
    """A request that this party signed."""
    signed = sign(posted(), KEY, parameters=parameters_of(KEY, name))
    return read_offer(signed, content=True, names=NAMES, now=NOW)


@pytest.mark.parametrize(
    ("by", "certificate", "signature"),
    [
        (("certificate",), True, False),
        (("signature",), False, True),
        (("certificate", "signature"), True, True),
    ],
)
def test_each_way_is_open_only_if_it_is_registered(
    luxor: Town, by: tuple[Identification, ...], *, certificate: bool, signature: bool
) -> None:
    keys: tuple[SigningKey, ...] = (ROW,)
    proves = authenticator([luxor], party("post-a", signing_keys=keys, identified_by=by))

    def by_certificate() -> str:
        return proves.identify(der(luxor.certificate()), now=TOWN_NOW).method

    def by_signature() -> str:
        return proves.signed(offered(), now=NOW).method

    for is_open, method, identified in (
        (certificate, "mtls", by_certificate),
        (signature, "http-signature", by_signature),
    ):
        if is_open:
            assert method == identified()
        else:
            with pytest.raises(TrustError, match=r"party\.identification"):
                identified()


def test_a_channel_of_its_own_needs_neither(luxor: Town) -> None:
    proves = authenticator(
        [luxor], party("post-a", signing_keys=(ROW,), identified_by=("signature",))
    )

    assert "folder" == proves.configured(PartyId("post-a")).method


def test_the_command_adds_a_party_that_signs_and_refuses_one_that_could_not(
    tmp_path: Path,
) -> None:
    registry, key = tmp_path / "registry.toml", tmp_path / "key.pub"
    registry.write_text("version = 1\n")
    key.write_bytes(KEY.public_pem)
    options = ["--identified-by", "signature", "--registry", str(registry)]

    def added(*more: str) -> Result:
        return CliRunner().invoke(command, ["add", *more, *options])

    assert 0 == added("shop", "--key", str(key)).exit_code
    refused = added("shop-2")
    assert 0 != refused.exit_code
    assert "party[1].identified_by: it has no key" in refused.output
    found = Registry.from_toml(registry.read_text(), lambda name: b"")
    assert [("shop", ("signature",))] == [
        (each.id, each.identified_by) for each in found.parties.values()
    ]
