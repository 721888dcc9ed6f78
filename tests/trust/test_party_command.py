"""``luxor party``: what the registry says, and changes that touch nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli.party import party
from trust.authority import (
    SigningPublicKey,
    Validity,
    generate_key,
    generate_tls_key,
    issue_root,
    issue_signing,
)
from trust.certificates import pem_of
from trust.identity import PartyId
from trust.keys import PrivateKey, public_key_pem, thumbprint_kid

TEXT = """\
# Kept by hand.
version = 1

[[party]]
id = "post-a"       # the first
name = "Post A"
roles = ["post"]

[[party]]
id = "post-b"
"""


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """A registry file."""
    file = tmp_path / "registry.toml"
    file.write_text(TEXT)
    return file


def run(*arguments: object, ok: bool = True) -> Result:
    """Run the command; it must end as said."""
    result = CliRunner().invoke(party, [str(argument) for argument in arguments])
    assert (result.exit_code == 0) is ok, result.output
    return result


def document(*arguments: object) -> Any:
    """What the command prints as JSON."""
    return json.loads(run(*arguments, "--json").output)


def signing_certificate(file: Path, party: str, key: PrivateKey) -> Path:
    """A file with a certificate of that party's signing key."""
    now = datetime.now(UTC)
    validity = Validity(now - timedelta(days=1), now + timedelta(days=1))
    root = issue_root(generate_tls_key("P-256"), name="Root", validity=validity)
    public = key.public_key()
    assert isinstance(public, SigningPublicKey)
    certificate = issue_signing(
        public, issuer=root, name=party, party=PartyId(party), validity=validity
    )
    file.parent.mkdir(exist_ok=True)
    file.write_text(pem_of(certificate))
    return file


def test_list_names_every_party(registry: Path) -> None:
    found = document("list", "--registry", registry)

    assert [(row["id"], row["suspended"]) for row in found] == [
        ("post-a", False),
        ("post-b", False),
    ]
    assert "post-a" in run("list", "--registry", registry).output


def test_show_prints_one_party(registry: Path) -> None:
    assert document("show", "post-a", "--registry", registry)["name"] == "Post A"
    assert 'name = "Post A"' in run("show", "post-a", "--registry", registry).output


@pytest.mark.parametrize("command", ["show", "suspend", "resume"])
def test_a_party_that_is_not_there_is_an_error(registry: Path, command: str) -> None:
    assert "no such party" in run(command, "post-z", "--registry", registry, ok=False).output


def test_check_finds_no_mistake_in_a_good_file(registry: Path) -> None:
    assert document("check", registry) == {"parties": 2, "mistakes": []}
    assert "no mistakes" in run("check", registry).output


def test_check_names_every_mistake_and_fails(registry: Path) -> None:
    registry.write_text(TEXT + 'colour = "red"\nauthorities = ["Nobody !"]\n')

    result = run("check", registry, "--json", ok=False)

    assert [mistake["path"] for mistake in json.loads(result.output)["mistakes"]] == [
        "party[1].colour",
        "party[1].authorities",
    ]
    assert "party[1].colour" in run("check", registry, ok=False).output


def test_suspend_and_resume_change_one_line(registry: Path) -> None:
    assert document("suspend", "post-a", "--registry", registry)["suspended"] is True
    assert registry.read_text() == TEXT.replace("first\n", "first\nsuspended = true\n")

    assert document("resume", "post-a", "--registry", registry)["suspended"] is False
    assert registry.read_text() == TEXT


def test_add_appends_a_party(registry: Path, tmp_path: Path) -> None:
    key = tmp_path / "shop.pub"
    key.write_bytes(public_key_pem(generate_key("Ed25519")))

    found = document(
        *("add", "shop", "--registry", registry, "--role", "platform", "--country", "FR"),
        *("--speaks", "acme.orders.2", "--speaks", "luxor.json.1"),
        *("--key", key, "--must-sign", "--format", "luxor.*", "--kind", "Order", "--for", "*"),
    )

    assert found["must_sign"] is True
    assert ["acme.orders.2", "luxor.json.1"] == found["speaks"]
    assert registry.read_text().startswith(TEXT)
    assert document("show", "shop", "--registry", registry)["grants"] == [
        {"formats": ["luxor.*"], "kinds": ["Order"], "countries": ["*"]}
    ]


def test_add_takes_a_signing_certificate_and_names_its_file(registry: Path, tmp_path: Path) -> None:
    key = generate_key("P-256")
    certificate = signing_certificate(tmp_path / "keys" / "broker.pem", "broker", key)

    found = document(
        *("add", "broker", "--registry", registry, "--certificate", certificate, "--must-sign"),
        *("--format", "luxor.*", "--kind", "Order", "--on-behalf-of", "post-a"),
    )

    assert [thumbprint_kid(key.public_key())] == found["signing_keys"]
    assert 'certificate = "keys/broker.pem"' in registry.read_text()
    assert document("show", "broker", "--registry", registry)["grants"] == [
        {"formats": ["luxor.*"], "kinds": ["Order"], "on_behalf_of": ["post-a"]}
    ]


def test_a_certificate_of_another_party_is_not_added(registry: Path, tmp_path: Path) -> None:
    certificate = signing_certificate(tmp_path / "shop.pem", "shop", generate_key("P-256"))

    run("add", "broker", "--registry", registry, "--certificate", certificate, ok=False)

    assert registry.read_text() == TEXT


def test_who_must_sign_is_told_how_to_give_a_key(registry: Path) -> None:
    output = run("add", "shop", "--must-sign", "--registry", registry, ok=False).output

    assert "--certificate" in output


def test_a_party_can_be_the_first_word_of_a_registry(tmp_path: Path) -> None:
    empty = tmp_path / "registry.toml"
    empty.touch()

    run("add", "post-a", "--registry", empty)

    assert empty.read_text() == '[[party]]\nid = "post-a"\n'


@pytest.mark.parametrize(
    "arguments",
    [
        ("post-a",),
        ("Shop",),
        ("shop", "--country", "france"),
        ("shop", "--authority", "nobody"),
        ("shop", "--must-sign"),
        ("shop", "--format", "a b"),
    ],
    ids=["there already", "id", "country", "authority", "no key", "glob"],
)
def test_a_party_that_cannot_be_is_not_added(registry: Path, arguments: tuple[str, ...]) -> None:
    run("add", *arguments, "--registry", registry, ok=False)

    assert registry.read_text() == TEXT


def test_a_registry_with_mistakes_is_not_touched(registry: Path) -> None:
    broken = TEXT + "colour = 1\n"
    registry.write_text(broken)

    output = run("suspend", "post-a", "--registry", registry, ok=False).output

    assert "party[1].colour: unknown key" in output
    assert registry.read_text() == broken


def test_what_only_a_person_can_change_is_not_touched(registry: Path) -> None:
    inline = 'party = [{ id = "post-a" }]\n'
    registry.write_text(inline)

    run("suspend", "post-a", "--registry", registry, ok=False)

    assert registry.read_text() == inline


@pytest.mark.parametrize("command", ["list", "show", "check", "add", "suspend", "resume"])
def test_every_command_has_examples(command: str) -> None:
    assert "Examples:" in run(command, "--help").output
