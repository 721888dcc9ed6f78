"""``luxor certs``: files in place, keys private, what is good kept."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli.certs import certs


def run(*arguments: object, ok: bool = True) -> Result:
    """Run the command; it must end as said."""
    result = CliRunner().invoke(certs, [str(argument) for argument in arguments])
    assert (result.exit_code == 0) is ok, result.output
    return result


def document(*arguments: object) -> Any:
    """What the command prints as JSON."""
    return json.loads(run(*arguments, "--json").output)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A directory with a development PKI."""
    run("dev", "--dir", tmp_path)
    return tmp_path


def test_dev_makes_a_complete_pki(made: Path) -> None:
    for path in (
        "luxor/root.pem",
        "luxor/issuing.pem",
        "luxor/chain.pem",
        "luxor/crl/root.crl",
        "luxor/crl/issuing.crl",
        "luxor/registry.toml",
        "luxor/parties/post-a/tls.pem",
        "luxor/parties/platform-shop/signing.key",
        "luxor/parties/platform-shop/signing.pem",
        "partner/parties/gateway-pn/signing.pub",
    ):
        assert (made / path).stat().st_size > 0


def test_keys_are_readable_by_their_owner_alone(made: Path) -> None:
    modes = {stat.S_IMODE(path.stat().st_mode) for path in made.glob("**/*.key")}

    assert modes == {0o600}


def test_dev_again_writes_nothing(made: Path) -> None:
    assert document("dev", "--dir", made)["written"] == []
    assert "are good" in run("dev", "--dir", made).output


def test_dev_again_makes_only_what_is_missing(made: Path) -> None:
    (made / "luxor/parties/post-a/tls.key").unlink()

    assert document("dev", "--dir", made)["written"] == [
        "luxor/parties/post-a/tls.pem",
        "luxor/parties/post-a/tls.key",
    ]


def test_force_makes_everything_anew(made: Path) -> None:
    before = (made / "luxor/root.pem").read_bytes()

    found = document("dev", "--dir", made, "--force")

    assert len(found["written"]) == found["files"]
    assert before != (made / "luxor/root.pem").read_bytes()


def test_a_profile_in_the_directory_is_used(tmp_path: Path) -> None:
    (tmp_path / "profile.toml").write_text(
        '[[network]]\nid = "solo"\ntitle = "Solo"\n[[network.party]]\nid = "only"\n'
    )

    run("dev", "--dir", tmp_path)

    assert [path.name for path in tmp_path.glob("*/parties/*")] == ["only"]


def test_a_profile_with_mistakes_names_them_all(tmp_path: Path) -> None:
    (tmp_path / "profile.toml").write_text("a = 1\nb = 2\n")

    output = run("dev", "--dir", tmp_path, ok=False).output

    assert "a: unknown key" in output
    assert "b: unknown key" in output


def test_show_lists_everything_with_its_expiry(made: Path) -> None:
    rows = {row["path"]: row for row in document("show", "--dir", made)}

    assert rows["luxor/parties/post-a/tls.pem"]["party"] == "post-a"
    assert rows["luxor/parties/post-a/signing.pem"]["party"] == "post-a"
    assert rows["luxor/crl/root.crl"]["kind"] == "crl"
    assert {row["standing"] for row in rows.values()} == {"good"}
    assert "post-a" in run("show", "--dir", made).output


def test_show_says_what_to_do_when_there_is_nothing(tmp_path: Path) -> None:
    assert "luxor certs dev" in run("show", "--dir", tmp_path, ok=False).output


def test_revoke_puts_the_party_on_the_list(made: Path) -> None:
    found = document("revoke", "post-b", "--dir", made)

    rows = {row["path"]: row["standing"] for row in document("show", "--dir", made)}
    assert found == {
        "party": "post-b",
        "network": "partner",
        "written": ["partner/crl/issuing.crl"],
    }
    assert rows["partner/parties/post-b/tls.pem"] == "revoked"
    assert rows["partner/parties/gateway-pn/tls.pem"] == "good"


def test_dev_keeps_a_revoked_certificate_revoked(made: Path) -> None:
    run("revoke", "post-a", "--dir", made)

    assert document("dev", "--dir", made)["written"] == []


@pytest.mark.parametrize("party", ["nobody", "*", "../post-a"])
def test_revoking_a_party_that_is_not_there_fails(made: Path, party: str) -> None:
    assert "no network" in run("revoke", party, "--dir", made, ok=False).output


def test_revoking_needs_the_authoritys_key(made: Path) -> None:
    (made / "luxor/private/issuing.key").unlink()

    output = run("revoke", "post-a", "--dir", made, ok=False).output

    assert "luxor/private/issuing.key is missing" in output


def test_nothing_is_left_beside_the_files(made: Path) -> None:
    run("revoke", "post-a", "--dir", made)

    assert [p.name for p in made.glob("**/.*") if p.is_file()] == [".lock"]


@pytest.mark.parametrize("command", ["dev", "show", "revoke"])
def test_every_command_has_examples(command: str) -> None:
    assert "Examples:" in run(command, "--help").output
