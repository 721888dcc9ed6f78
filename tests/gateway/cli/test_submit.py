from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import Result

from gateway.cli.submit import default_id
from gateway.client import development
from gateway.demo.generator import header, items, orders, spoil, write
from tests.gateway.cli.conftest import Command, Running
from translators.canonical import Message
from trust import receipt

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
ITMATT = "upu.itmatt.1"
JSON = "luxor.json.1"


def document(format_id: str, messages: list[Message], reference: str) -> bytes:
    head = header(reference, sender="FRA", recipient="LUA", at=AT)
    return b"".join(write(format_id, head, messages))


@pytest.fixture
def good(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Three items that nobody has sent yet."""
    file = tmp_path / "items.xml"
    name = request.node.name
    file.write_bytes(document(ITMATT, [*items(name, 3, at=AT)], name[:70]))
    return file


@pytest.fixture
def mixed(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Ten items of which seven are wrong."""
    file = tmp_path / "mixed.xml"
    name = request.node.name
    head = header(name[:70], sender="FRA", recipient="LUA", at=AT)
    file.write_bytes(spoil(items(name, 10, at=AT), head=head, seed=name).content)
    return file


@pytest.fixture
def submit(command: Command, running: Running) -> Callable[..., Result]:
    def run(file: Path | str, *arguments: str | Path, stdin: bytes | None = None) -> Result:
        defaults = ("--certs", running.certs, "--as", "post-a", "--format", ITMATT)
        given = ("submit", file, *defaults, "--to", running.https, *arguments)
        return command(*given, stdin=stdin)

    return run


def told(result: Result) -> Any:
    return msgspec.json.decode(result.stdout)


def test_an_accepted_file_ends_well_with_a_proved_receipt(
    submit: Callable[..., Result], good: Path
) -> None:
    result = submit(good)
    assert result.exit_code == 0, result.output
    assert "3 of 3 messages accepted" in result.stdout
    assert "proved" in result.stdout
    assert "Look next: luxor trace items-" in result.stdout


def test_what_to_look_at_next_can_be_typed_as_it_stands(
    submit: Callable[..., Result], command: Callable[..., Result], good: Path
) -> None:
    line = next(line for line in submit(good).stdout.splitlines() if "Look next" in line)
    words = shlex.split(line.removeprefix("Look next: luxor "))

    seen = command(*words)

    assert seen.exit_code == 0, seen.output
    assert "ItemDeclaration" in seen.stdout


def test_as_json_it_is_one_object(submit: Callable[..., Result], good: Path) -> None:
    result = submit(good, "--json")
    answer = told(result)
    assert result.exit_code == 0
    assert (answer["status"], answer["accepted"], answer["refused"]) == ("accepted", 3, 0)
    assert (answer["gateway"], answer["party"]) == ("gateway-lx", "post-a")
    assert (answer["proved"], answer["repeated"]) == (True, False)
    assert [outcome["status"] for outcome in answer["outcomes"]] == ["accepted"] * 3


def test_the_same_file_again_gives_the_same_receipt(
    submit: Callable[..., Result], good: Path
) -> None:
    first, second = told(submit(good, "--json")), told(submit(good, "--json"))
    assert second["receipt"] == first["receipt"]
    assert second["repeated"]


def test_over_grpc_it_is_the_same(
    submit: Callable[..., Result], good: Path, running: Running
) -> None:
    first = told(submit(good, "--json"))
    result = submit(good, "--to", running.grpc, "--json")
    assert result.exit_code == 0
    assert told(result)["receipt"] == first["receipt"]


def test_every_fault_of_every_refused_message_is_named(
    submit: Callable[..., Result], mixed: Path
) -> None:
    result = submit(mixed)
    assert result.exit_code == 1
    assert "3 of 10 messages accepted" in result.stdout
    for expected in (
        "s10.check-digit",
        "country.unknown",
        "value.too-long",
        "element.missing",
        "decimal.invalid",
        "date.invalid",
        "/sender/address/city",
        "/pieces/0/amount/amount",
        "currency.unknown",
    ):
        assert expected in result.stdout


def test_faults_of_a_wholly_refused_file_are_told_over_both_transports(
    submit: Callable[..., Result], tmp_path: Path, running: Running
) -> None:
    file = tmp_path / "refused.json"
    file.write_bytes(b'[{"type": "ItemDeclaration", "item_id": "EE471108151FR"}]')
    for url in (running.https, running.grpc):
        result = submit(file, "--format", JSON, "--to", url)
        assert result.exit_code == 1
        assert "0 of 1 message accepted" in result.stdout
        assert "/mail_class" in result.stdout
        assert "Nothing was kept" in result.stdout


def test_a_file_that_is_no_document_of_its_format_is_refused_as_a_whole(
    submit: Callable[..., Result], good: Path
) -> None:
    result = submit(good, "--format", JSON)
    assert result.exit_code == 1
    assert "The document as a whole was refused" in result.stdout
    assert "json.malformed" in result.stdout


def test_a_file_in_no_known_format_is_a_problem_with_its_code(
    submit: Callable[..., Result], good: Path
) -> None:
    result = submit(good, "--format", "no.such.format")
    assert result.exit_code == 1
    assert "format.unknown" in result.stderr
    told_again = told(submit(good, "--format", "no.such.format", "--json"))
    assert (told_again["status"], told_again["code"]) == ("refused", "format.unknown")


def test_a_platform_that_must_sign_signs(submit: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "orders.json"
    made = orders("cli", 2, items("cli", 20, at=AT), at=AT)
    file.write_bytes(document(JSON, [*made.placed], "orders-1"))
    platform = ("--as", "platform-shop", "--format", JSON)
    unsigned = submit(file, *platform, "--no-sign", "--json")
    assert (unsigned.exit_code, told(unsigned)["code"]) == (1, "signature.missing")
    assert submit(file, *platform).exit_code == 0


def test_standard_input_is_sent_under_an_id_of_ones_own(
    submit: Callable[..., Result], good: Path
) -> None:
    result = submit("-", "--id", "my-own-id", "--json", stdin=good.read_bytes())
    assert result.exit_code == 0, result.output
    assert told(result)["interchange_id"] == "my-own-id"


def test_the_receipt_can_be_saved_and_proved_later(
    submit: Callable[..., Result], good: Path, tmp_path: Path, certs: Path
) -> None:
    saved = tmp_path / "receipt.jws"
    assert submit(good, "--save", saved).exit_code == 0
    _, gateway = development(certs, "post-a")
    claims = receipt.verify(saved.read_text().strip(), gateway.keys)
    assert (claims.party, claims.accepted) == ("post-a", 3)


def test_on_a_terminal_a_large_file_shows_how_much_has_left(
    submit: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich's way to take a file for a terminal
    file = tmp_path / "large.xml"
    file.write_bytes(document(ITMATT, [*items("large", 300, at=AT)], "large"))
    result = submit(file)
    assert result.exit_code == 0, result.output
    assert "sending" in result.stderr
    assert "judging" in result.stderr
    assert submit(file, "--json").stderr == ""


def test_a_gateway_that_is_not_there_may_be_tried_again(
    submit: Callable[..., Result], good: Path
) -> None:
    result = submit(good, "--to", "https://localhost:1")
    assert result.exit_code == 3
    assert "Not sent" in result.stderr
    assert "Repeating the same command is safe" in result.stderr
    again = submit(good, "--to", "https://localhost:1", "--json")
    assert (again.exit_code, told(again)["status"]) == (3, "unavailable")


def test_a_gateway_of_another_authority_is_told_with_the_reason(
    submit: Callable[..., Result], good: Path, certs: Path
) -> None:
    result = submit(good, "--ca", certs / "partner/root.pem")
    assert result.exit_code == 3
    assert "is not accepted: unable to get local issuer certificate" in " ".join(
        result.stderr.split()
    )


def test_who_shows_no_certificate_where_one_is_needed_is_told_so(
    command: Command, running: Running, good: Path
) -> None:
    network = running.certs / "luxor"
    key = network / "parties/platform-shop/signing.key"
    signing = ("--sign", "http", "--sign-key", key, "--ca", network / "root.pem")
    sender = ("--as", "platform-shop", "--to", running.https, "--format", ITMATT)
    result = command("submit", good, *sender, *signing)
    assert result.exit_code == 3
    assert "we showed no client certificate" in result.stderr


def test_without_the_folder_of_development_it_is_told_what_to_give(
    command: Command, good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = command("submit", good, "--as", "post-a", "--format", ITMATT, "--to", "https://a:1")
    assert result.exit_code == 2
    assert "--cert, --key and --ca, or --sign http" in " ".join(result.stderr.split())


def test_a_receipt_without_proof_is_no_success(
    submit: Callable[..., Result], good: Path, certs: Path
) -> None:
    wrong = certs / "partner/parties/gateway-pn/signing.pub"
    result = submit(good, "--gateway", "gateway-lx", "--gateway-key", wrong)
    assert result.exit_code == 3
    assert "no proof" in result.stderr
    right = certs / "luxor/parties/gateway-lx/signing.pub"
    both = ("--gateway-key", wrong, "--gateway-key", right)
    assert submit(good, "--gateway", "gateway-lx", *both).exit_code == 0


def test_files_of_ones_own_take_the_place_of_the_folder(
    command: Command, running: Running, good: Path
) -> None:
    own = running.certs / "luxor/parties/post-a"
    files = (
        *("--cert", own / "tls.pem", "--key", own / "tls.key"),
        *("--ca", running.certs / "luxor/root.pem", "--to", running.https),
    )
    result = command("submit", good, "--format", ITMATT, *files)
    assert result.exit_code == 0, result.output
    assert "not proved" in result.stdout
    signing = ("--sign-key", own / "signing.key")
    refused = command("submit", good, "--format", ITMATT, *files, *signing)
    assert refused.exit_code == 2
    key = running.certs / "luxor/parties/gateway-lx/signing.pub"
    gateway = ("--gateway", "gateway-lx", "--gateway-key", key)
    proved = command("submit", good, "--format", ITMATT, *files, *signing, *gateway, "--json")
    assert told(proved)["proved"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--to", "http://localhost:1"), "--to wants"),
        (("--as", "post-x"), "no certificate of post-x"),
        (("--certs", "/no/such/folder"), "luxor certs dev"),
        (("--id", ".hidden"), "--id has"),
        (("--id", "with blank"), "--id has"),
        (("--cert", __file__), "belong together"),
        (("--gateway-key", __file__), "needs --gateway"),
        (("--save", "/no/such/folder/receipt"), "no folder"),
    ],
)
def test_wrong_usage_is_said_and_nothing_is_sent(
    submit: Callable[..., Result], good: Path, arguments: tuple[str, ...], said: str
) -> None:
    result = submit(good, *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_file_that_is_not_there_is_wrong_usage(submit: Callable[..., Result]) -> None:
    assert submit("/no/such/file").exit_code == 2


@pytest.mark.parametrize(
    ("name", "start"),
    [("items", "items-"), ("My päckli (1)", "My-p-ckli-1-"), ("...", "file-"), ("a" * 200, "aaa")],
)
def test_a_default_id_is_made_of_name_and_content(name: str, start: str, tmp_path: Path) -> None:
    file = tmp_path / "content"
    file.write_bytes(b"one")
    first = default_id(name, file)
    assert first.startswith(start)
    assert first == default_id(name, file)
    assert len(first) <= 120
    file.write_bytes(b"two")
    assert first != default_id(name, file)


def test_help_has_examples_and_exit_statuses(command: Command) -> None:
    result = command("submit", "--help")
    assert result.exit_code == 0
    assert "luxor submit items.xml" in result.stdout
    assert "Exit status" in result.stdout
