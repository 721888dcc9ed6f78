"""``luxor authority``, ``luxor party enrol`` and ``luxor certs request``, as people type them."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import luxor
from trust.certificates import load_certificates, party_of
from trust.party import Registry

REGISTRY = """\
version = 1

[[authority]]
id = "other"
certificates = ["other/root.pem"]
crls = []

[[party]]
id = "post-a"  # the post
authorities = ["other"]

[[party.grant]]
formats = ["*"]
kinds = ["*"]
countries = ["*"]

# the shop
[[party]]
id = "shop-1"
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with an authority."""
    monkeypatch.chdir(tmp_path)
    run("authority", "init", "--title", "Test Network", "--key", "P-256", "--url", "http://pki:1")
    return tmp_path


def run(*arguments: object, ok: bool = True) -> Result:
    """Run the command; it must end as said."""
    result = CliRunner().invoke(luxor, [str(argument) for argument in arguments])
    assert (result.exit_code == 0) is ok, result.output
    return result


def document(*arguments: object) -> Any:
    """What the command prints as JSON."""
    return json.loads(run(*arguments, "--json").output)


def enrolled(party: str = "post-a", *more: object) -> Any:
    """A TLS certificate for a new key."""
    run("certs", "request", party)
    return document("party", "enrol", party, "--csr", f"{party}.csr", *more)


def test_a_party_gets_its_certificate(place: Path) -> None:
    made = document("certs", "request", "post-a", "--host", "gw.a", "--host", "b.c")

    row = document("party", "enrol", "post-a", "--csr", "post-a.csr", "--host", "gw.a")

    assert {"key": "post-a.key", "csr": "post-a.csr", "made": True} == {
        name: made[name] for name in ("key", "csr", "made")
    }
    assert 0o600 == stat.S_IMODE(Path("post-a.key").stat().st_mode)
    assert (made["key_id"], ["b.c"]) == (row["key_id"], row["passed_over"])
    leaf, issuing = load_certificates(Path(row["file"]).read_bytes())
    assert "post-a" == party_of(leaf)
    assert load_certificates((place / "authority/issuing.pem").read_bytes()) == [issuing]


def test_both_sides_print_the_same_name_of_the_key(place: Path) -> None:
    asked = run("certs", "request", "post-a").output.splitlines()[-1]

    given = run("party", "enrol", "post-a", "--csr", "post-a.csr").output.splitlines()

    assert asked.replace("the key is", "for the key") in given


def test_who_is_not_in_the_registry_yet_is_told_the_way_that_works(place: Path) -> None:
    (place / "registry.toml").touch()
    run("certs", "request", "shop", "--purpose", "signing")
    enrol = ("party", "enrol", "shop", "--csr", "shop-signing.csr", "--purpose", "signing")

    told = run(*enrol, "--registry", "registry.toml", ok=False).output

    said = "luxor party add shop --registry registry.toml --certificate shop-signing.pem"
    assert said in told
    run(*enrol)
    run(*said.split()[1:], "--must-sign")


def test_a_key_that_is_there_is_kept(place: Path) -> None:
    first = document("certs", "request", "post-a")

    second = document("certs", "request", "post-a")

    assert (first["key_id"], False) == (second["key_id"], second["made"])
    Path("post-a.key").chmod(0o644)
    assert "others than its owner have access" in run("certs", "request", "post-a", ok=False).output


def test_a_file_is_not_written_over(place: Path) -> None:
    enrolled()

    told = run("party", "enrol", "post-a", "--csr", "post-a.csr", ok=False).output
    assert "is there already" in told
    run("party", "enrol", "post-a", "--csr", "post-a.csr", "--force")


def test_a_signing_certificate_goes_into_the_registry_where_it_belongs(place: Path) -> None:
    file = place / "registry.toml"
    (place / "other").mkdir()
    (place / "other/root.pem").write_bytes((place / "authority/root.pem").read_bytes())
    file.write_text(REGISTRY)
    run("certs", "request", "post-a", "--purpose", "signing", "--kind", "Ed25519")
    arguments = ("party", "enrol", "post-a", "--csr", "post-a-signing.csr", "--purpose", "signing")

    row = document(*arguments, "--registry", file)

    assert row["in_registry"] is True
    text = file.read_text()
    assert REGISTRY.replace("# the shop", "") == text.replace(
        '\n[[party.key]]\ncertificate = "post-a-signing.pem"\n', ""
    ).replace("# the shop", "")
    found = Registry.from_toml(text, lambda name: (place / name).read_bytes())
    (key,) = found.parties["post-a"].signing_keys  # type: ignore[index] # a PartyId
    assert "Ed25519" == key.algorithm
    again = document(*arguments, "--registry", file, "--force")
    assert again["in_registry"] is False
    revoked = document("party", "revoke", "post-a", "--registry", file)
    assert [key.kid] == revoked["registry_keys"]


def test_a_key_of_another_party_of_the_registry_is_refused(place: Path) -> None:
    file = place / "registry.toml"
    (place / "other").mkdir()
    (place / "other/root.pem").write_bytes((place / "authority/root.pem").read_bytes())
    file.write_text(REGISTRY)
    run("certs", "request", "post-a", "--purpose", "signing")
    run(
        *("party", "enrol", "post-a", "--csr", "post-a-signing.csr", "--purpose", "signing"),
        *("--registry", file),
    )
    run("authority", "init", "--dir", "second", "--title", "Second", "--key", "P-256")
    run("certs", "request", "shop-1", "--purpose", "signing", "--key", "post-a-signing.key")

    told = run(
        *("party", "enrol", "shop-1", "--csr", "shop-1-signing.csr", "--purpose", "signing"),
        *("--authority-dir", "second", "--registry", file),
        ok=False,
    ).output

    assert "the registry has this key for party 'post-a'" in told


def test_enrolling_says_when_the_registry_does_not_trust_the_authority(place: Path) -> None:
    file = place / "registry.toml"
    (place / "other").mkdir()
    (place / "other/root.pem").write_bytes((place / "authority/root.pem").read_bytes())
    file.write_text(REGISTRY)

    row = enrolled("post-a", "--registry", file)

    assert "does not let authority 'luxor' vouch for post-a" in row["notes"][0]


def test_renewing_overlaps_and_revoking_takes_all(place: Path) -> None:
    first = enrolled()
    second = document("party", "renew", "post-a", "--out", "new.pem")
    assert ["good", "good"] == [
        row["standing"] for row in document("party", "certificates", "post-a")
    ]

    one = document(
        "party", "revoke", "post-a", "--serial", first["serial"], "--reason", "superseded"
    )
    assert [first["serial"]] == [row["serial"] for row in one["revoked"]]
    rest = document("party", "revoke", "post-a")

    assert [second["serial"]] == [row["serial"] for row in rest["revoked"]]
    assert ["revoked (superseded)", "revoked (unspecified)"] == [
        row["standing"] for row in document("party", "certificates", "post-a")
    ]
    assert "nothing of 'post-a' is left" in run("party", "revoke", "post-a", ok=False).output


def test_a_certificate_can_be_had_again(place: Path) -> None:
    row = enrolled()

    printed = run("party", "certificates", "post-a", "--pem", row["serial"]).output

    assert Path("post-a.pem").read_text() == printed
    begun = run("party", "certificates", "post-a", "--pem", row["serial"][:8]).output
    assert Path("post-a.pem").read_text() == begun


def test_less_than_eight_digits_of_a_serial_name_none(place: Path) -> None:
    row = enrolled()

    revoked = run("party", "revoke", "post-a", "--serial", row["serial"][:7], ok=False)

    assert "has no certificate" in revoked.output
    assert ["good"] == [each["standing"] for each in document("party", "certificates", "post-a")]
    run("party", "revoke", "post-a", "--serial", row["serial"][:8])
    assert "revoked" in run("party", "certificates", "post-a").output


def test_that_nothing_was_issued_is_said(place: Path) -> None:
    assert "no certificates\n" == run("party", "certificates", "nobody").output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("party", "enrol", "../x", "--csr", "post-a.csr"), "no id of a party"),
        (("party", "enrol", "shop-1", "--csr", "post-a.csr"), "names another party"),
        (
            ("party", "enrol", "post-a", "--csr", "post-a.key", "--force"),
            "not a certificate signing",
        ),
        (("party", "renew", "nobody"), "has no tls certificate"),
        (("party", "revoke", "nobody"), "has no certificate of this authority"),
        (("party", "revoke", "post-a", "--serial", "12"), "has no certificate 12"),
        (("party", "certificates", "post-a", "--pem", "12"), "has no certificate 12"),
        (("party", "renew", "post-a", "--authority-dir", "nowhere"), "no authority in nowhere"),
        (("party", "renew", "post-a", "--days", "900"), "lasts 1 to 90 days"),
        (("certs", "request", "x", "--kind", "Ed25519"), "EC or RSA key"),
        (("authority", "init", "--title", "Again"), "is there already"),
        (("authority", "init", "--dir", "x", "--title", "X", "--id", "No Id"), "id"),
        (("authority", "install"), "give --root and --issuing"),
        (("authority", "install", "--root", "authority/root.pem"), "together"),
    ],
)
def test_what_cannot_be_done_is_said(place: Path, arguments: tuple[str, ...], told: str) -> None:
    enrolled()

    result = run(*arguments, ok=False)

    assert told in result.output
    assert "Traceback" not in result.output
    assert result.exit_code in (1, 2)


def test_the_registry_block_is_one_that_a_registry_takes(place: Path) -> None:
    for more in ((), ("--online",), ("--for", "etc")):
        block = run("authority", "registry", *more).output
        folder = place / ("etc" if "--for" in more else ".")

        found = Registry.from_toml(block, lambda name, at=folder: (at / name).read_bytes())  # type: ignore[misc] # a default binds it

        authority = found.authorities["luxor"]
        assert 2 == len(authority.certificates)
        if "--online" in more:
            assert (("http://pki:1/ocsp",), "ocsp") == (authority.ocsp, authority.require)
        else:
            assert all((folder / name).is_file() for name in authority.crls)


def test_lists_are_published_and_listed(place: Path) -> None:
    assert [] == document("authority", "publish")["written"]
    assert 2 == len(document("authority", "publish", "--anew")["written"])
    enrolled()
    assert ["authority", "authority", "tls"] == [
        row["purpose"] for row in document("authority", "list")
    ]
    assert "post-a" in run("authority", "list").output
    assert ["issuing.pem"] == document("authority", "renew")["written"]
    assert "good" in run("authority", "serve", "--check").output


@pytest.mark.parametrize(
    "command",
    [
        *[("authority", name) for name in ("init", "install", "publish", "renew", "list")],
        *[("authority", name) for name in ("registry", "serve")],
        *[("party", name) for name in ("enrol", "renew", "revoke", "certificates")],
        ("certs", "request"),
        ("certs", "status"),
    ],
)
def test_every_command_has_examples(command: tuple[str, str]) -> None:
    assert "Examples:" in run(*command, "--help").output
