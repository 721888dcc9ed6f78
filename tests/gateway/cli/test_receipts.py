"""``luxor receipt`` and ``luxor evidence`` against a running gateway."""

from __future__ import annotations

import stat
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import Result

from gateway.demo.generator import header, items, write
from tests.gateway.cli.conftest import Command, Running

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
ITMATT = "upu.itmatt.1"
ID = "kept"


@pytest.fixture(scope="module")
def sent(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what was sent, the bundle that came, and the fetched outcomes."""
    from click.testing import CliRunner

    from gateway.cli.main import luxor

    folder = tmp_path_factory.mktemp("sent")
    head = header("receipts", sender="FRA", recipient="LUA", at=AT)
    (folder / "items.xml").write_bytes(b"".join(write(ITMATT, head, [*items("r", 3, at=AT)])))
    who = ["--certs", str(running.certs), "--as", "post-a", "--to", running.https]
    arguments = ["submit", str(folder / "items.xml"), "--format", ITMATT, "--id", ID, *who]
    result = CliRunner().invoke(luxor, [*arguments, "--bundle", str(folder / "bundle.json")])
    assert 0 == result.exit_code, result.output
    return folder


@pytest.fixture
def root(running: Running) -> Path:
    return running.certs / "luxor" / "root.pem"


@pytest.fixture
def get(command: Command, running: Running) -> Any:
    def run(address: str, *arguments: str | Path) -> Result:
        who = ("--certs", running.certs, "--as", "post-a", "--to", address)
        return command("receipt", "get", ID, *who, *arguments)

    return run


def told(result: Result) -> Any:
    return msgspec.json.decode(result.stdout)


def standing(result: Result) -> dict[str, str]:
    return {step["step"]: step["standing"] for step in told(result)["steps"]}


def test_the_bundle_of_a_submission_is_proved_offline(
    command: Command, sent: Path, root: Path
) -> None:
    bundle = sent / "bundle.json"
    result = command("receipt", "verify", bundle, "--ca", root, "--content", sent / "items.xml")

    assert 0 == result.exit_code, result.output
    assert "gateway-lx says: post-a sent kept (upu.itmatt.1" in result.stdout
    assert "The receipt is proved." in result.stdout
    assert "no revocation list was given" in result.stdout


def test_the_same_bytes_come_again_over_both_transports(
    get: Any, sent: Path, running: Running, tmp_path: Path
) -> None:
    for address in (running.https, running.grpc):
        name = address.partition(":")[0]
        result = get(address, "--out", tmp_path / name, "--outcomes", tmp_path / f"{name}.outcomes")
        assert 0 == result.exit_code, result.output

    first = (sent / "bundle.json").read_bytes()
    assert first == (tmp_path / "https").read_bytes() == (tmp_path / "grpc").read_bytes()
    outcomes = (tmp_path / "https.outcomes").read_bytes()
    assert outcomes == (tmp_path / "grpc.outcomes").read_bytes()


def test_outcomes_are_those_of_the_receipt(
    command: Command, get: Any, sent: Path, root: Path, running: Running, tmp_path: Path
) -> None:
    outcomes = tmp_path / "outcomes.json"
    get(running.https, "--outcomes", outcomes, "--out", tmp_path / "b.json")
    verify = ("receipt", "verify", sent / "bundle.json", "--ca", root, "--json")

    good = command(*verify, "--outcomes", outcomes)
    outcomes.write_bytes(outcomes.read_bytes().replace(b"accepted", b"Accepted", 1))
    bad = command(*verify, "--outcomes", outcomes)

    assert (0, "proved") == (good.exit_code, standing(good)["outcomes"])
    assert (1, "failed") == (bad.exit_code, standing(bad)["outcomes"])


def test_a_bare_token_with_the_gateways_key_or_certificate(
    command: Command, get: Any, root: Path, running: Running, tmp_path: Path
) -> None:
    token = tmp_path / "receipt.jws"
    get(running.grpc, "--token", "--out", token)
    own = running.certs / "luxor/parties/gateway-lx"

    by_key = command("receipt", "verify", token, "--key", own / "signing.pub")
    chain = command("receipt", "verify", token, "--certificate", own / "signing.pem", "--ca", root)
    bare = command("receipt", "verify", token, "--ca", root)

    assert (0, 0, 1) == (by_key.exit_code, chain.exit_code, bare.exit_code), chain.output
    assert "name its certificate or its key" in bare.stdout


def test_who_gave_it_to_whom_can_be_demanded(command: Command, sent: Path, root: Path) -> None:
    verify = ("receipt", "verify", sent / "bundle.json", "--ca", root, "--json")

    good = command(*verify, "--gateway", "gateway-lx", "--party", "post-a")
    bad = command(*verify, "--gateway", "gateway-xx", "--party", "post-a")

    assert ("proved", "proved") == (standing(good)["giver"], standing(good)["taker"])
    assert (1, "failed") == (bad.exit_code, standing(bad)["giver"])


def test_a_foreign_authority_and_a_list_that_is_too_old_prove_nothing(
    command: Command, sent: Path, root: Path, running: Running
) -> None:
    bundle = sent / "bundle.json"
    foreign = running.certs / "partner/root.pem"
    old = running.certs / "luxor/crl"

    by_foreign = command("receipt", "verify", bundle, "--ca", foreign, "--json")
    by_old = command(
        *("receipt", "verify", bundle, "--ca", root, "--json"),
        *("--crl", old / "root.crl", "--crl", old / "issuing.crl"),
    )

    assert (1, "failed") == (by_foreign.exit_code, standing(by_foreign)["authority"])
    assert (1, "failed") == (by_old.exit_code, standing(by_old)["revocation"])


def test_a_changed_token_is_not_proved(
    command: Command, sent: Path, root: Path, tmp_path: Path
) -> None:
    text = (sent / "bundle.json").read_text()
    kept = tmp_path / "changed.json"
    kept.write_text(text.replace('"receipt": "eyJ', '"receipt": "eyK'))

    result = command("receipt", "verify", kept, "--ca", root)

    assert 1 == result.exit_code
    assert "The receipt is not proved." in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [(), ("--ca", "{root}", "--key", "{key}"), ("--key", "{key}", "--crl", "{root}")],
)
def test_whom_to_trust_must_be_said_and_not_twice(
    command: Command, sent: Path, running: Running, root: Path, arguments: tuple[str, ...]
) -> None:
    key = running.certs / "luxor/parties/gateway-lx/signing.pub"
    given = [each.format(root=root, key=key) for each in arguments]

    assert 2 == command("receipt", "verify", sent / "bundle.json", *given).exit_code


def test_files_that_are_none_of_that_are_named(command: Command, sent: Path, root: Path) -> None:
    wrong = command("receipt", "verify", sent / "bundle.json", "--ca", sent / "items.xml")
    document = command("receipt", "verify", sent / "items.xml", "--ca", root)

    assert 2 == wrong.exit_code
    assert "items.xml: not a PEM certificate" in wrong.stderr
    assert 1 == document.exit_code
    assert "neither a receipt nor a bundle" in document.stdout


def test_what_was_never_sent_has_no_receipt(command: Command, running: Running) -> None:
    who = ("--certs", running.certs, "--as", "post-a", "--to", running.https)

    result = command("receipt", "get", "never", *who)

    assert 1 == result.exit_code
    assert "interchange.not-found" in result.stderr


# Evidence


@pytest.fixture(scope="module")
def exported(sent: Path, running: Running, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from click.testing import CliRunner

    from gateway.cli.main import luxor

    folder = tmp_path_factory.mktemp("evidence")
    for name in ("case", "case.zip"):
        arguments = ["evidence", "export", ID, "--party", "post-a", "--config"]
        result = CliRunner().invoke(
            luxor, [*arguments, str(running.config), "--out", str(folder / name)]
        )
        assert 0 == result.exit_code, result.output
    return folder


def test_a_package_is_proved_offline(
    command: Command, exported: Path, root: Path, running: Running
) -> None:
    sender = running.certs / "luxor/parties/post-a/signing.pub"
    for name in ("case", "case.zip"):
        result = command(
            *("evidence", "verify", exported / name, "--ca", root, "--sender-key", sender)
        )

        assert 0 == result.exit_code, result.output
        assert "Evidence of kept from post-a" in result.stdout
        assert "a JWS of the key" in result.stdout
        assert "All of it is proved." in result.stdout


def test_a_package_holds_the_bytes_as_received_for_its_owner_alone(
    exported: Path, sent: Path
) -> None:
    assert (exported / "case/content.bin").read_bytes() == (sent / "items.xml").read_bytes()
    assert 0o700 == stat.S_IMODE((exported / "case").stat().st_mode)
    assert 0o600 == stat.S_IMODE((exported / "case.zip").stat().st_mode)


def test_without_an_authority_the_exit_status_says_so(command: Command, exported: Path) -> None:
    result = command("evidence", "verify", exported / "case.zip")

    assert 3 == result.exit_code
    assert "name whom you trust" in result.stdout


def test_a_changed_package_is_not_proved(
    command: Command, exported: Path, root: Path, tmp_path: Path
) -> None:
    changed = tmp_path / "changed.zip"
    with zipfile.ZipFile(exported / "case.zip") as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(
                name, content.replace(b"FRA", b"FRB") if name == "content.bin" else content
            )

    result = command("evidence", "verify", changed, "--ca", root, "--json")

    assert 1 == result.exit_code
    assert "content.bin was changed" in told(result)["steps"][0]["said"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip at all"])
def test_what_is_no_zip_is_no_evidence(
    command: Command, tmp_path: Path, root: Path, content: bytes
) -> None:
    file = tmp_path / "case.zip"
    file.write_bytes(content)

    result = command("evidence", "verify", file, "--ca", root)

    assert 1 == result.exit_code
    assert "evidence.invalid" in result.stdout


def test_a_name_twice_in_an_archive_is_refused(
    command: Command, exported: Path, root: Path, tmp_path: Path
) -> None:
    file = tmp_path / "twice.zip"
    file.write_bytes((exported / "case.zip").read_bytes())
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("content.bin", b"another")

    result = command("evidence", "verify", file, "--ca", root)

    assert 1 == result.exit_code
    assert "twice" in result.stdout


def test_export_writes_over_nothing_and_knows_what_it_has(
    command: Command, exported: Path, running: Running, tmp_path: Path
) -> None:
    export = ("evidence", "export", ID, "--config", running.config, "--party")

    again = command(*export, "post-a", "--out", exported / "case")
    nobody = command(*export, "post-b", "--out", tmp_path / "case")
    nowhere = command(*export, "post-a", "--out", tmp_path / "no" / "case")

    assert (2, 1, 2) == (again.exit_code, nobody.exit_code, nowhere.exit_code)
    assert "has no interchange kept of post-b" in nobody.stderr
    assert not (tmp_path / "case").exists()
