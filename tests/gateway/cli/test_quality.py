"""Findings on their way: into the receipt with their places, into the counts of their sender."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import Result

from gateway.cli.quality import share_of
from gateway.core.quality import JudgedCount
from tests.gateway.cli.conftest import Command, Running
from trust.identity import PartyId

ITMATT = "upu.itmatt.1"
POOR = """<?xml version="1.0" encoding="UTF-8"?>
<itmatt xmlns="urn:luxor:layout:upu.itmatt.1">
  <interchange><from>FRA</from><to>LUA</to><control-ref>POOR-{0}</control-ref>
    <prepared>2026-11-21T12:00:00Z</prepared></interchange>
  <item>
    <item-id>{0}</item-id><mail-class>C</mail-class>
    <nature-type>11</nature-type>
    <gross-weight>0.750</gross-weight>
    <sender>
      <name>Atelier Exemple</name><address-line>12 rue des Essais</address-line>
      <city>Lyon</city><country>FR</country>
    </sender>
    <addressee>
      <name>Muster Beispiel</name><address-line>3 um Beispill</address-line>
      <city>xxx</city><country>LU</country>
    </addressee>
    <content-piece>
      <number>1</number><pieces>2</pieces>
      <description>Gift</description>
      <net-weight>0.6</net-weight>
      <amount currency="EUR">{1}</amount>
    </content-piece>
  </item>
</itmatt>
"""


@pytest.fixture(scope="module")
def sent(running: Running, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The answer to an accepted item with poor data; a second one was refused."""
    from click.testing import CliRunner

    from gateway.cli.main import luxor

    folder = tmp_path_factory.mktemp("poor")
    answers: list[dict[str, Any]] = []
    for item_id, amount in (("EE471108151FR", "0.00"), ("EE471108152FR", "24.50")):
        file = folder / f"{item_id}.xml"
        file.write_text(POOR.format(item_id, amount), "utf-8")
        given = ["submit", str(file), "--certs", str(running.certs), "--as", "post-a"]
        result = CliRunner().invoke(
            luxor, [*given, "--format", ITMATT, "--to", running.https, "--json"]
        )
        answers.append(msgspec.json.decode(result.stdout))
    assert "accepted" == answers[0]["status"]
    assert "refused" == answers[1]["status"]
    return answers[0]


def quality(command: Command, *arguments: str | Path) -> Any:
    return msgspec.json.decode(command("quality", *arguments, "--json").stdout)


def test_the_receipt_tells_each_finding_with_its_place(sent: dict[str, Any]) -> None:
    (outcome,) = sent["outcomes"]

    assert "accepted" == outcome["status"]
    found = {fault["code"]: fault for fault in outcome["faults"]}
    assert {
        "quality.description-vague",
        "quality.value-zero",
        "quality.hs-missing",
        "quality.placeholder",
    } == set(found)
    assert {"warning"} == {fault["severity"] for fault in found.values()}
    places = {
        code: (fault["path"], fault["source_path"], fault["line"]) for code, fault in found.items()
    }
    assert {
        "quality.description-vague": (
            "/pieces/0/description",
            "/itmatt/item[1]/content-piece[1]/description",
            19,
        ),
        "quality.value-zero": (
            "/pieces/0/amount/amount",
            "/itmatt/item[1]/content-piece[1]/amount",
            21,
        ),
        "quality.hs-missing": (
            "/pieces/0/hs",
            "/itmatt/item[1]/content-piece[1]",  # where it should stand
            17,
        ),
        "quality.placeholder": (
            "/addressee/address/city",
            "/itmatt/item[1]/addressee/city",
            15,
        ),
    } == places


@pytest.mark.usefixtures("sent")
def test_an_operator_counts_by_party_kind_and_code(command: Command, running: Running) -> None:
    told = quality(command, "--config", running.config)

    today = datetime.now(UTC).date()
    assert (str(today - timedelta(days=29)), str(today)) == (told["since"], told["until"])
    assert [{"party": "post-a", "kind": "ItemDeclaration", "messages": 2, "refused": 1}] == told[
        "judged"
    ]
    counts = {row["code"]: (row["messages"], row["findings"]) for row in told["found"]}
    assert {
        "quality.description-vague": (2, 2),
        "quality.hs-missing": (2, 2),
        "quality.placeholder": (2, 2),
        "quality.value-zero": (1, 1),
        "s10.check-digit": (1, 1),
    } == counts


@pytest.mark.usefixtures("sent")
def test_a_party_counts_its_own_alone(command: Command, running: Running) -> None:
    def asked(party: str) -> Any:
        return quality(command, "--to", running.https, "--as", party, "--certs", running.certs)

    assert quality(command, "--config", running.config, "--party", "post-a") == asked("post-a")
    assert [] == asked("platform-shop")["judged"]


@pytest.mark.usefixtures("sent")
def test_days_can_be_told_apart(command: Command, running: Running) -> None:
    daily = quality(command, "--config", running.config, "--daily")

    days = {date.fromisoformat(row["day"]) for row in daily["found"]}
    assert 1 <= len(days) <= 2  # the tests may run over midnight
    before = ("--until", "2026-01-01")
    assert [] == quality(command, "--config", running.config, *before)["judged"]


@pytest.mark.parametrize(
    ("some", "expected"), [(1, "< 0.1 %"), (10, "0.1 %"), (9_999, "> 99.9 %"), (10_000, "100.0 %")]
)
def test_a_share_of_one_in_thousands_is_not_none_of_them(some: int, expected: str) -> None:
    judged = JudgedCount(party=PartyId("a"), kind="Order", messages=10_000, refused=0)
    assert expected == share_of(some, judged)


@pytest.mark.usefixtures("sent")
def test_a_person_reads_shares(command: Command, running: Running) -> None:
    text = command("quality", "--config", running.config).output

    assert "quality.description-vague" in text
    assert "100.0 %" in text
    assert "50.0 %" in text
    nothing = command("quality", "--config", running.config, "--party", "platform-shop").output
    assert "nothing was judged" in nothing


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "either --config FILE"),
        (["--config", "CONFIG", "--to", "https://localhost:1"], "either --config FILE"),
        (["--to", "https://localhost:1", "--party", "x"], "--party goes with --config"),
        (["--config", "CONFIG", "--since", "2026-02-01", "--until", "2026-01-01"], "a period has"),
        (["--config", "CONFIG", "--since", "2020-01-01"], "a period has"),
        (["--config", "CONFIG", "--since", "yesterday"], "does not match"),
        (["--config", "CONFIG", "--until", "0001-01-01"], "the calendar begins"),
        (["--to", "grpc://localhost:1", "--as", "post-a", "--certs", "CERTS"], "over HTTPS"),
    ],
)
def test_wrong_usage_is_said(
    command: Command, running: Running, arguments: list[str], said: str
) -> None:
    known = {"CONFIG": str(running.config), "CERTS": str(running.certs)}
    result: Result = command("quality", *(known.get(word, word) for word in arguments))

    assert 2 == result.exit_code
    assert said in result.output


def test_validate_says_the_same_before_anything_is_sent(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "poor.xml"
    file.write_text(POOR.format("EE471108151FR", "0.00"), "utf-8")

    result = command("validate", file, "--format", ITMATT, "--json")

    faults = msgspec.json.decode(result.stdout)["faults"]
    assert 0 == result.exit_code, "warnings refuse nothing"
    assert {
        ("quality.description-vague", 19),
        ("quality.value-zero", 21),
        ("quality.hs-missing", 17),
        ("quality.placeholder", 15),
    } == {(fault["code"], fault["line"]) for fault in faults}
