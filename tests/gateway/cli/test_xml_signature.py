"""``luxor xml``: signing a document on the command line, and proving it again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.cli.main import luxor
from tests.gateway.pipeline.test_xml_signed import LAYOUT, PLAIN, WRAPPED
from tests.trust.signatures.xml_documents import certificate
from trust.authority import generate_key, private_key_pem
from trust.keys import public_key_pem

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in a folder with a document, a key and its certificate."""
    monkeypatch.chdir(tmp_path)
    key = generate_key("P-256")
    Path("signing.key").write_bytes(private_key_pem(key))
    Path("signing.key").chmod(0o600)
    Path("signing.pub").write_bytes(public_key_pem(key))
    Path("signing.pem").write_bytes(certificate(key).public_bytes(Encoding.PEM))
    Path("items.xml").write_bytes(PLAIN)
    return lambda *arguments, **given: CliRunner().invoke(luxor, ["xml", *arguments], **given)


def signed(run: Run, *more: str) -> Path:
    """The document, signed."""
    result = run("sign", "items.xml", "--key", "signing.key", "--out", "signed.xml", *more)
    assert result.exit_code == 0, result.output
    return Path("signed.xml")


def test_what_was_signed_is_proved_and_given_out(run: Run) -> None:
    signed(run)

    result = run(
        "verify", "signed.xml", "--key", "signing.pub", "--content", "content.xml", "--json"
    )

    told = json.loads(result.output)
    assert (result.exit_code, told["status"], told["signing_time"]) == (0, "valid", None)
    assert told["signed_bytes"] == Path("content.xml").stat().st_size
    assert b"Signature" not in Path("content.xml").read_bytes()


def test_a_certificate_makes_it_say_when(run: Run) -> None:
    signed(run, "--certificate", "signing.pem")

    result = run("verify", "signed.xml", "--key", "signing.pub")

    assert result.exit_code == 0
    assert "It says that it was made at 20" in result.output


def test_one_changed_value_and_it_is_refused_with_its_code(run: Run) -> None:
    document = signed(run)
    document.write_bytes(document.read_bytes().replace(b"0.750", b"0.751"))

    result = run("verify", "signed.xml", "--key", "signing.pub", "--json")

    assert (result.exit_code, json.loads(result.output)["code"]) == (1, "signature.invalid")


def test_a_registry_gives_the_keys_of_a_party(run: Run) -> None:
    signed(run)
    Path("registry.toml").write_text(
        '[[party]]\nid = "post-a"\n[[party.key]]\npublic_key = "signing.pub"\n'
    )

    known = run("verify", "signed.xml", "--registry", "registry.toml", "--party", "post-a")
    unknown = run("verify", "signed.xml", "--registry", "registry.toml", "--party", "post-b")

    assert (known.exit_code, unknown.exit_code) == (0, 2)
    assert "registry.toml: the registry has no such party" in unknown.output


def test_a_format_with_an_envelope_has_its_signature_there(run: Run) -> None:
    Path("test.enveloped.1.toml").write_text(LAYOUT)
    Path("items.xml").write_bytes(WRAPPED)
    how = ("--layout", "test.enveloped.1.toml", "--format", "test.enveloped.1")
    signed(run, *how)

    found = run("verify", "signed.xml", "--key", "signing.pub", "--content", "content.xml", *how)
    elsewhere = run("verify", "signed.xml", "--key", "signing.pub")

    assert (found.exit_code, elsewhere.exit_code) == (0, 1)
    assert Path("content.xml").read_bytes() == (
        b'<Declaration xmlns="urn:d" Id="one"></Declaration>'
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("verify", "items.xml"), 2, "give --key, or --registry and --party"),
        (("verify", "items.xml", "--key", "signing.pub"), 1, "one signature, not 0"),
        (("verify", "signing.key", "--key", "signing.pub"), 1, "xml.malformed"),
        (("verify", "items.xml", "--key", "items.xml"), 2, "--key: not a PEM public key"),
        (("sign", "items.xml", "--key", "nowhere"), 1, "nowhere: No such file"),
        (("sign", "items.xml", "--key", "signing.key", "--json"), 2, "--json wants --out"),
        (("sign", "items.xml", "--key", "k", "--format", "luxor.json.1"), 2, "no format of XML"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_said_in_a_line(
    run: Run, arguments: tuple[str, ...], code: int, said: str
) -> None:
    result = run(*arguments)

    assert (result.exit_code, said in result.output) == (code, True), result.output


def test_a_document_goes_through_standard_input_and_output(run: Run) -> None:
    made = run("sign", "-", "--key", "signing.key", input=PLAIN)
    proved = run("verify", "-", "--key", "signing.pub", input=made.stdout_bytes)

    assert (made.exit_code, proved.exit_code) == (0, 0), made.output + proved.output
