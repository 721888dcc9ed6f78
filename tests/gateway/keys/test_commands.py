"""``luxor keys``: signing keys made, shown and certified, in files and on tokens."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from cryptography import x509

from gateway.cli.main import luxor

Command = Callable[..., Result]


@pytest.fixture
def command() -> Command:
    """Run the command line."""

    def run(*arguments: str | Path) -> Result:
        return CliRunner().invoke(luxor, [str(argument) for argument in arguments])

    return run


def told(result: Result) -> Any:
    return msgspec.json.decode(result.stdout)


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [("P-256", "ES256"), ("P-384", "ES384"), ("RSA-2048", "PS256"), ("Ed25519", "Ed25519")],
)
def test_a_key_is_made_shown_and_certified(
    command: Command, tmp_path: Path, kind: str, algorithm: str
) -> None:
    key = tmp_path / "signing.key"

    made = command("keys", "new", key, "--kind", kind, "--json")
    shown = command("keys", "show", key, "--json")
    public = command("keys", "public", key)
    asked = command("keys", "csr", key, "--party", "gateway-lx")

    assert 0 == made.exit_code, made.output
    assert 0o600 == stat.S_IMODE(key.stat().st_mode)
    assert algorithm == told(made)["algorithm"]
    assert told(made) == told(shown)
    assert told(made)["public_key"] == public.stdout
    request = x509.load_pem_x509_csr(asked.stdout.encode())
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    assert request.is_signature_valid
    assert ["urn:luxor:party:gateway-lx"] == uris


def test_an_encrypted_key_shows_itself_only_with_its_password(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNING", "correct horse")
    key = tmp_path / "signing.key"
    command("keys", "new", key, "--password", "env:SIGNING")

    without = command("keys", "show", key)
    with_it = command("keys", "show", key, "--password", "env:SIGNING")

    assert b"ENCRYPTED" in key.read_bytes()
    assert (1, 0) == (without.exit_code, with_it.exit_code)
    assert "say where its password is" in without.stderr
    assert "correct horse" not in without.output + with_it.output


def test_nothing_is_written_over_and_mistakes_are_named(command: Command, tmp_path: Path) -> None:
    key = tmp_path / "signing.key"
    command("keys", "new", key)
    before = key.read_bytes()

    again = command("keys", "new", key)
    key.chmod(0o644)
    open_to_all = command("keys", "show", key)
    literal = command("keys", "show", key, "--password", "hunter2")
    party = command("keys", "csr", key, "--party", "Not An Id")

    assert [1, 1, 1, 2] == [r.exit_code for r in (again, open_to_all, literal, party)]
    assert before == key.read_bytes()
    assert f"chmod 600 {key}" in open_to_all.stderr
    assert "hunter2" not in literal.output


def test_a_key_is_made_on_a_softhsm_and_asks_for_its_certificate(
    command: Command, softhsm: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOKEN_PIN", "246810")
    key = f"pkcs11:token=luxor;object=made?module-path={softhsm}&pin-source=env:TOKEN_PIN"

    made = command("keys", "new", key, "--json")
    again = command("keys", "new", key)
    asked = command("keys", "csr", key, "--party", "gateway-lx", "--out", tmp_path / "s.csr")

    assert (0, 1, 0) == (made.exit_code, again.exit_code, asked.exit_code), made.output
    assert told(made)["on_token"] is True
    assert "there is such a key already" in again.stderr
    request = x509.load_pem_x509_csr((tmp_path / "s.csr").read_bytes())
    assert request.is_signature_valid
