"""``luxor translate --header``: what the written document says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import luxor
from translators.canonical import Header, ItemDeclaration
from translators.registry import standard
from translators.translator import FormatId, decode

EXAMPLES = Path(__file__).parents[3] / "examples"
FLAT = ("--layout", str(EXAMPLES / "layouts" / "example.flat-items.1.toml"))


def translated(*headers: str) -> Result:
    """The flat example, which names no recipient, as CUSITM."""
    named = [word for header in headers for word in ("--header", header)]
    document = str(EXAMPLES / "messages" / "flat-items.xml")
    formats = ("--from", "example.flat-items.1", "--to", "upu.cusitm.1")
    return CliRunner().invoke(luxor, ["translate", document, *FLAT, *formats, *named])


def test_what_the_target_needs_and_the_source_does_not_say_is_given_by_hand() -> None:
    result = translated("recipient=LUA", "test=true")

    assert 0 == result.exit_code
    cusitm = standard().get(FormatId("upu.cusitm.1"))
    found = decode(cusitm, result.stdout_bytes)
    assert ("LUA", True) == (found.header.recipient, found.header.test)
    assert [ItemDeclaration] * 2 == [type(message) for message in found.messages]
    assert Header().sender != found.header.sender


def test_without_it_the_command_says_that_nothing_whole_was_written() -> None:
    result = translated()

    assert 1 == result.exit_code
    assert "/header/recipient" in result.stderr
    assert "upu.cusitm.1 could not be written to its end" in result.stderr


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("colour=red", "colour=red: KEY=VALUE, where KEY is one of sender, recipient"),
        ("recipient", "recipient: KEY=VALUE, where KEY is one of sender, recipient"),
        ("addressed_country=france", "addressed_country: "),
        ("declarant={", "declarant: Input data was truncated"),
    ],
)
def test_a_header_that_is_none_is_told_before_anything_is_read(header: str, told: str) -> None:
    result = translated(header)

    assert 2 == result.exit_code
    assert told in " ".join(result.stderr.split())
