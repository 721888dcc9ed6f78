"""Every mistake in a configuration is named with its path, all at once, and nothing starts."""

import asyncio
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from string import Template

import msgspec
import pytest
from click.testing import CliRunner

from gateway.cli.main import luxor
from gateway.config import Config, ConfigError, load
from gateway.config.assemble import formats_of, regimes_of
from gateway.config.check import check
from gateway.demo.topology import PORTS
from gateway.store.sqlite import open_sqlite
from tests.e2e.network import make_pki
from trust.identity import PartyId
from trust.party import Registry

NETWORK = Path(__file__).parents[3] / "gateway/demo/network"


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A development PKI."""
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def file(tmp_path: Path, certs: Path) -> Path:
    """The demonstration's configuration, which is a good one."""
    text = (NETWORK / "gateway-lx.toml").read_text("utf-8")
    (tmp_path / "gateway").mkdir()
    (tmp_path / "post-a/responses").mkdir(parents=True)
    target = tmp_path / "gateway/gateway.toml"
    target.write_text(Template(text).substitute({"certs": str(certs), **PORTS}), "utf-8")
    (target.parent / "regime-lu.toml").write_bytes((NETWORK / "regime-lu.toml").read_bytes())
    return target


def change(file: Path, old: str, new: str) -> Path:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")
    return file


def mistakes(file: Path, certs: Path) -> list[str]:
    """Everything that stops the start, as it is printed."""
    try:
        config = load(file)
        formats = formats_of(config)
        regimes_of(config)
    except ConfigError as error:
        return [f"{mistake.path}: {mistake.text}" for mistake in error.mistakes]
    return [f"{m.path}: {m.text}" for m in check(config, formats=formats, parties=parties(certs))]


def parties(certs: Path) -> Registry:
    folder = certs / "luxor"
    return Registry.from_toml(
        (folder / "registry.toml").read_text("utf-8"), lambda name: (folder / name).read_bytes()
    )


def test_the_demonstrations_configuration_is_good(file: Path, certs: Path) -> None:
    assert [] == mistakes(file, certs)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("number = 1", "number = 1\nnumbr = 2", "gateway: Object contains unknown field `numbr`"),
        ("[signing]", "[sining]", "sining: unknown key"),
        ('id = "gateway-lx"', 'id = "nobody"', "gateway.id: nobody is not in the registry"),
        ('party = "customs-risk"', 'party = "risc"', "destination[0].party: risc is not in"),
        ('format = "luxor.proto.1"', 'format = "x.1"', "destination[0].format: unknown format x.1"),
        ('transport = "grpc"', 'transport = "smtp"', "destination[0].transport: Invalid enum"),
        ('to = ["risk", "revenue", "clearance"]', 'to = ["risc"]', "no destination is called risc"),
        ('kinds = ["ItemDeclaration"]', 'kinds = ["Items"]', "no message kind is called Items"),
        ('role = "backend"', 'role = "nothing"', "no agreement lets customs-risk get"),
        ('to = ["@origin"]\nlane', 'to = ["post-a-folder"]\nlane = 7\n#', "lanes are 0"),
        ('address = "../post-a/responses"', 'address = "nowhere"', "no such folder: nowhere"),
        ('file = "regime-lu.toml"', 'file = "regime-xx.toml"', "regime[0].file"),
        ('"outcome", "assessed_at",', '"outcome",', "withhold /assessed_at"),
        ('destination = "risk"', 'destination = "rusk"', "no destination is called rusk"),
        ('destination = "risk"', 'party = "nobody"', "expect[0].party: nobody is not in the"),
        ('destination = "risk"', "", "expect[0]: name either the destination or the party"),
        ('answers = ["RiskAssessment"]', 'answers = ["Yes"]', "expect[0].answers: no message kind"),
        ("within = 600", "within = 0", "within: Expected `float` > 0"),
        ("within = 600", 'within = 600\nescalate = "shout"', "escalate: Invalid enum value"),
        ("lane = 1", 'lane = "urgent"', "lane: Expected `int`, got `str`"),
        ("gateway-lx/tls.pem", "gateway-lx/nope.pem", "tls.certificate: no such file"),
        ("gateway-lx/tls.pem", "gateway-lx/tls.key", "tls: certificate and key can not be used"),
        ("gateway-lx/tls.key", "post-a/tls.key", "tls: certificate and key can not be used"),
        ('luxor/root.pem"', 'luxor/registry.toml"', "destination[0].ca"),
        (
            "[tls]",
            "[dispatch]\nlease = 9\n[tls]",
            "dispatch.lease: must be longer than timeout, 15",
        ),
        ("[tls]", "[dispatch]\nattempts = 0\n[tls]", "dispatch.attempts: Expected `int` >= 1"),
        ("[tls]", "[limits]\nraw_slice = -1\n[tls]", "limits.raw_slice: Expected `int` >= 1"),
        ("[ingress.grpc]", "[ingress.grpc]\nlimits.window = 0", "Expected `int` >= 1"),
        (
            "[tls]",
            "[quality]\nleast_euro_per_kg = 9\nmost_euro_per_kg = 1\n[tls]",
            "quality.least_euro_per_kg: is above most_euro_per_kg, 1",
        ),
        (
            "[tls]",
            '[severity]\n"quality.value-on" = "error"\n[tls]',
            "severity.quality.value-on: there is no such fault",
        ),
        ("[tls]", '[severity]\n"regime.*" = "error"\n[tls]', "severity.regime.*: there is no such"),
        (
            "[tls]",
            '[severity]\n"permission.kind" = "ignore"\n[tls]',
            "severity.permission.kind: always refuses",
        ),
    ],
)
def test_each_mistake_is_named_with_its_path(
    file: Path, certs: Path, old: str, new: str, expected: str
) -> None:
    found = mistakes(change(file, old, new), certs)

    assert any(expected in mistake for mistake in found), found


def test_the_severities_of_a_party_name_faults_that_there_are(file: Path, certs: Path) -> None:
    config, registry = load(file), parties(certs)
    post = msgspec.structs.replace(
        registry.party(PartyId("post-a")),
        severities={"quality.value-one": "ignore", "regime.lu-1": "warning", "s10.chek": "error"},
    )
    found = check(config, formats=formats_of(config), parties=registry.with_party(post))

    assert ["registry: post-a.severities.s10.chek"] == [mistake.path for mistake in found]


def test_several_mistakes_are_named_at_once(file: Path, certs: Path) -> None:
    change(file, 'transport = "grpc"', 'transport = "smtp"')
    change(file, "lane = 1", 'lane = "urgent"')
    change(file, "[signing]", "[sining]")

    assert {"destination[0].transport", "sining", "signing"} <= {
        mistake.partition(":")[0] for mistake in mistakes(file, certs)
    }


def test_a_file_that_is_no_toml_or_not_there(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("[gateway", "utf-8")

    with pytest.raises(ConfigError, match="is not TOML"):
        load(broken)
    with pytest.raises(ConfigError, match="can not be read"):
        load(tmp_path / "missing.toml")


def test_values_can_be_replaced_from_outside(file: Path) -> None:
    config: Config = load(file, changes={"ingress.https.port": 0, "gateway.log": "console"})

    assert config.ingress.https is not None
    assert (0, "console") == (config.ingress.https.port, config.gateway.log)


def test_serve_check_ends_with_status_2_and_every_mistake(file: Path) -> None:
    change(file, 'to = ["risk", "revenue", "clearance"]', 'to = ["risc"]')

    result = CliRunner().invoke(luxor, ["serve", "--config", str(file), "--check"])

    assert 2 == result.exit_code
    assert "route[0].to: no destination is called risc" in result.output


def served(file: Path, *changes: str) -> str:
    """What ``luxor serve`` says when it does not start."""
    arguments = [sys.executable, "-m", "gateway", "serve", "--config", str(file)]
    for change_ in (*changes, "ingress.https.port=0", "ingress.grpc.port=0"):
        arguments += ["--set", change_]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert 2 == ended.returncode, ended.stderr
    return ended.stderr


def test_a_signing_key_that_is_none_is_named_with_its_path(file: Path) -> None:
    assert "signing.key: " in served(file, "signing.key=gateway.toml")


def test_a_port_that_is_taken_is_named_with_its_path(file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        said = served(file, f"ingress.operations.port={port}")

    assert "ingress.operations.port: " in said
    assert "address already in use" in said


def test_a_folder_that_can_not_be_made_is_named_with_its_path(file: Path) -> None:
    (file.parent / "a-file").write_bytes(b"")

    assert "gateway.data: Not a directory" in served(file, "gateway.data=a-file/data")


async def test_the_journal_of_another_gateway_is_named_with_its_path(file: Path) -> None:
    (file.parent / "data").mkdir()
    journal = await open_sqlite(
        file.parent / "data/journal.db", gateway=9, clock=lambda: datetime.now(UTC)
    )
    await journal.close()

    assert "gateway.data: " in await asyncio.to_thread(served, file)
