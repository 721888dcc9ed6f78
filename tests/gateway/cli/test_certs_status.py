"""``luxor certs status``: the worst level is the exit code."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.authority.founding import found
from gateway.authority.office import open_office
from gateway.cli.main import luxor
from trust.authority import (
    Issuer,
    Validity,
    generate_key,
    generate_tls_key,
    issue_crl,
    issue_root,
    issue_tls,
)
from trust.certificates import pem_of
from trust.enrolment import make_request
from trust.identity import PartyId

POST = PartyId("post-a")


def run(*arguments: object, code: int) -> Result:
    """Run the command; it must end with that exit code."""
    result = CliRunner().invoke(luxor, ["certs", "status", *map(str, arguments)])
    assert code == result.exit_code, result.output
    return result


def folder_with(folder: Path, days: float) -> Path:
    """A certificate that ends in so many days, and nothing else."""
    now = datetime.now(UTC)
    root = issue_root(
        generate_tls_key("P-256"),
        name="Root",
        validity=Validity(now - timedelta(days=900), now + timedelta(days=900)),
    )
    leaf = issue_tls(
        generate_tls_key("P-256"),
        issuer=root,
        name="post-a",
        party=POST,
        validity=Validity(now - timedelta(days=400), now + timedelta(days=days)),
    )
    folder.mkdir(exist_ok=True)
    (folder / "tls.pem").write_text(pem_of(leaf))
    return folder


@pytest.mark.parametrize(
    ("days", "level", "code"),
    [
        (61, "ok", 0),
        (59, "notice", 0),
        (29, "warning", 1),
        (6, "urgent", 2),
        (-1, "expired", 2),
    ],
)
def test_the_exit_code_tells_the_worst(tmp_path: Path, days: int, level: str, code: int) -> None:
    folder = folder_with(tmp_path, days + 0.5)

    told = json.loads(run("--dir", folder, "--json", code=code).output)

    (row,) = told["things"]
    assert (level, level, days) == (told["level"], row["level"], row["days"])
    assert ("certificate", "post-a", "tls.pem") == (row["kind"], row["name"], row["what"])
    assert level in run("--dir", folder, code=code).output


def test_within_shows_less_and_tells_the_same(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, 20)

    told = json.loads(run("--dir", folder, "--within", 10, "--json", code=1).output)

    assert ("warning", []) == (told["level"], told["things"])
    assert "1 not shown" in run("--dir", folder, "--within", 10, code=1).output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--dir", "nowhere"), "no folder nowhere"),
        (("--config", "gone.toml"), "can not be read"),
        (("--registry", "gone.toml"), "No such file"),
        (("--authority-dir", "nowhere"), "no authority in nowhere"),
        (("--within", "-1"), "Invalid value"),
        (("--nonsense",), "No such option"),
    ],
)
def test_what_cannot_be_told_is_no_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)

    assert told in run(*arguments, code=3).output


def test_a_registry_with_a_mistake_cannot_be_told(tmp_path: Path) -> None:
    file = tmp_path / "registry.toml"
    file.write_text('[[party]]\nid = "a"\nnonsense = 1\n')

    assert "party[0].nonsense" in run("--registry", file, code=3).output


def things(result: Result) -> set[tuple[str, str]]:
    """Kind and owner of everything."""
    return {(row["kind"], row["name"]) for row in json.loads(result.output)["things"]}


def test_a_gateway_tells_its_files_its_registry_and_its_lists(certs: Path, tmp_path: Path) -> None:
    registry = certs / "luxor/registry.toml"
    config = tmp_path / "gateway.toml"
    config.write_text(
        f"""
[gateway]
id = "gateway-lx"
number = 1
[tls]
certificate = "{certs}/luxor/parties/gateway-lx/tls.pem"
key = "{certs}/luxor/parties/gateway-lx/tls.key"
[signing]
key = "{certs}/luxor/parties/gateway-lx/signing.key"
certificate = "{certs}/luxor/parties/gateway-lx/signing.pem"
[registry]
file = "{registry}"
crls = "{certs}/luxor"
[[destination]]
id = "risk"
party = "customs-risk"
transport = "https"
address = "https://localhost:1"
format = "luxor.json.1"
ca = "{certs}/luxor/root.pem"
""",
        "utf-8",
    )

    found_ = things(run("--config", config, "--json", code=0))

    assert {
        ("tls", "gateway-lx"),
        ("signing", "gateway-lx"),
        ("pinned", "risk"),
        ("authority", "luxor"),
        ("authority", "partner"),
        ("crl", "luxor"),
        ("crl", "partner"),
    } == found_


def test_a_list_that_is_about_to_run_out_is_told(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    key = generate_tls_key("P-256")
    root = issue_root(
        key,
        name="Root",
        validity=Validity(now - timedelta(days=9), now + timedelta(days=900)),
    )
    crl = issue_crl(
        Issuer(root.certificate, key),
        number=1,
        revoked={},
        this_update=now - timedelta(days=6),
        next_update=now + timedelta(days=1),
    )
    from cryptography.hazmat.primitives.serialization import Encoding

    (tmp_path / "root.pem").write_text(pem_of(root.certificate))
    (tmp_path / "root.crl").write_bytes(crl.public_bytes(Encoding.PEM))
    (tmp_path / "registry.toml").write_text(
        '[[authority]]\nid = "a"\ncertificates = ["root.pem"]\ncrls = ["root.crl"]\n'
    )

    told = json.loads(run("--registry", tmp_path / "registry.toml", "--json", code=2).output)

    assert [("crl", "urgent"), ("authority", "ok")] == [
        (row["kind"], row["level"]) for row in told["things"]
    ]


def test_an_authority_tells_what_it_issued(tmp_path: Path) -> None:
    folder, now = tmp_path / "authority", datetime.now(UTC)
    found(folder, identifier="luxor", title="Test", now=now, key="P-256")
    with open_office(folder) as office:
        request = make_request(generate_key("P-256"), party=POST)
        office.enrol(POST, request, purpose="tls", now=now, days=20)

    found_ = json.loads(run("--authority-dir", folder, "--json", code=1).output)["things"]

    assert ("warning", "certificate", "post-a") == (
        found_[0]["level"],
        found_[0]["kind"],
        found_[0]["name"],
    )
    assert 5 == len(found_)
