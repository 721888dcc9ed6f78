from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import Result

from gateway.client import PartyClient, development
from gateway.core.records import PlannedMessage, Subject
from gateway.demo.generator import header, items, spoil, write
from gateway.demo.generator.spoil import Spoiled
from gateway.store.sqlite import open_sqlite
from gateway.store.sqlite.journal import SqliteJournal
from tests.gateway.cli.conftest import CONFIG, Command, Running
from tests.gateway.store.samples import acceptance, legs
from translators.canonical import ItemDeclaration, RiskAssessment
from trust.identity import PartyId

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
ITMATT = "upu.itmatt.1"
JSON = "luxor.json.1"
SENT = "first-items"


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What happened before the tests: ten items of which seven were wrong, then one repaired."""

    spoiled: Spoiled
    good: tuple[ItemDeclaration, ...]
    repaired: ItemDeclaration
    item_message: str


@pytest.fixture(scope="module")
def history(running: Running) -> History:
    made = items("trace", 10, at=AT)
    head = header("trace-1", sender="FRA", recipient="LUA", at=AT)
    spoiled = spoil(made, head=head, seed="trace")
    wrong = {defect.ordinal for defect in spoiled.defects}
    good = tuple(item for at, item in enumerate(made, start=1) if at not in wrong)
    again = header("trace-2", sender="FRA", recipient="LUA", at=AT)
    repaired = b"".join(write(ITMATT, again, spoiled.repaired[:1]))

    async def happen() -> str:
        credentials, gateway = development(running.certs, "post-a")
        async with PartyClient(running.https, credentials, gateway=gateway) as post:
            answer = await post.submit(spoiled.content, interchange_id=SENT, format=ITMATT)
            await post.submit(repaired, interchange_id="second-items", format=ITMATT)
        found = {outcome.key: outcome.message_id for outcome in answer.outcomes}
        regards = found[good[0].item_id]
        assert regards is not None
        await _assess(running, good[0].item_id, regards)
        return regards

    return History(
        spoiled=spoiled,
        good=good,
        repaired=spoiled.repaired[0],
        item_message=asyncio.run(happen()),
    )


async def _assess(running: Running, item_id: str, regards: str) -> None:
    """The risk back end takes what waits for it and answers one message."""
    assessment = RiskAssessment(
        outcome="hold", level="high", assessed_at=AT, item_id=item_id, regards=regards
    )
    head = header("risk-1", sender="RISK", recipient="LUA", at=AT)
    credentials, gateway = development(running.certs, "customs-risk")
    async with PartyClient(running.https, credentials, gateway=gateway) as risk:
        async with asyncio.timeout(30):
            page = await risk.inbox(wait=5)
        assert page.cursor is not None
        await risk.acknowledge(page.cursor)
        content = b"".join(write(JSON, head, [assessment]))
        answer = await risk.submit(content, interchange_id="risk-1", format=JSON)
        assert answer.accepted == 1


@pytest.fixture
def operator(command: Command, running: Running, history: History) -> Callable[..., Result]:
    return lambda value, *more: command("trace", value, "--config", running.config, *more)


@pytest.fixture
def party(command: Command, running: Running, history: History) -> Callable[..., Result]:
    certs = ("--certs", running.certs)
    return lambda value, *more: command(
        "trace", value, *certs, "--as", "post-a", "--to", running.https, *more
    )


def told(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    messages: list[dict[str, Any]] = msgspec.json.decode(result.stdout)["messages"]
    return messages


def test_an_operator_sees_the_item_its_ways_and_the_answer_below_it(
    operator: Callable[..., Result], history: History
) -> None:
    result = operator(history.good[0].item_id)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    (item,) = [at for at, line in enumerate(lines) if "  post-a  ItemDeclaration" in line]
    (way,) = [at for at, line in enumerate(lines) if "→ inbox:customs-risk  delivered" in line]
    (answer,) = [at for at, line in enumerate(lines) if "customs-risk  RiskAssessment" in line]
    assert item < way < answer
    assert indent(lines[item]) < indent(lines[answer])
    assert "hold, high" in lines[answer]
    assert "attempt 1 delivered" in result.stdout


def indent(line: str) -> int:
    """How deep a line of the tree stands."""
    return next(at for at, sign in enumerate(line) if sign.isalnum())


def test_it_says_who_sent_what_in_which_format_and_what_it_was(
    operator: Callable[..., Result], history: History
) -> None:
    item = history.good[0]
    first = told(operator(item.item_id, "--json"))[0]
    assert (first["party"], first["kind"], first["status"]) == (
        "post-a",
        "ItemDeclaration",
        "accepted",
    )
    assert (first["format"], first["transport"], first["interchange_id"]) == (
        ITMATT,
        "https",
        SENT,
    )
    assert first["summary"].startswith(f"{item.nature}, {item.gross_weight} kg")
    assert {way["destination"] for way in first["ways"]} == {"archive", "inbox:customs-risk"}


def test_no_personal_data_is_told(operator: Callable[..., Result], history: History) -> None:
    item = history.good[0]
    output = operator(item.item_id).stdout + operator(item.item_id, "--json").stdout
    for private in (item.addressee.email, item.addressee.name, item.addressee.last_name):
        assert private is None or private not in output


def test_what_an_agreement_withholds_is_told(
    operator: Callable[..., Result], running: Running, history: History
) -> None:
    item = history.good[0].item_id
    archive = running.config.parent / "archive"
    wait_for(lambda: len(list(archive.glob("*.json"))) > len(history.good))
    (first, *_) = told(operator(item, "--json"))
    (way,) = [way for way in first["ways"] if way["destination"] == "archive"]
    assert {"/sender/address/city", "/addressee/address/city"} <= set(withheld(way))
    assert "/item_id" not in withheld(way)
    assert "withheld /" in operator(item).stdout


def withheld(way: dict[str, Any]) -> list[str]:
    """What the receiver of a way did not get."""
    return [path for attempt in way["tries"] for path in attempt.get("withheld", ())]


def wait_for(condition: Callable[[], object]) -> None:
    """Wait for something that another thread does; 30 seconds are a hang."""
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_an_answer_says_what_it_regards(operator: Callable[..., Result], history: History) -> None:
    (answer,) = [
        said
        for said in told(operator(history.good[0].item_id, "--json"))
        if said["kind"] == "RiskAssessment"
    ]
    assert answer["regards"] == history.item_message
    assert [way["destination"] for way in answer["ways"]] == ["inbox:post-a"]


def test_an_interchange_shows_all_its_messages_and_every_fault(
    operator: Callable[..., Result], history: History
) -> None:
    messages = told(operator(SENT, "--json"))
    accepted = [said for said in messages if said["status"] == "accepted"]
    refused = [said for said in messages if said["status"] == "refused"]
    assert len(accepted) == len(history.good)
    assert {said["key"] for said in refused} == {d.written_id for d in history.spoiled.defects}
    found = sorted(
        (fault["code"], fault["path"])
        for said in refused
        for fault in said["faults"]
        if fault.get("severity") != "warning"
    )
    assert sorted(pair for d in history.spoiled.defects for pair in d.faults) == found


def test_a_message_id_leads_to_the_story_of_its_item(
    operator: Callable[..., Result], history: History
) -> None:
    by_item = told(operator(history.good[0].item_id, "--json"))
    assert told(operator(history.item_message, "--json")) == by_item


def test_a_repaired_item_has_a_story_of_its_own(
    operator: Callable[..., Result], history: History
) -> None:
    (said,) = told(operator(history.repaired.item_id, "--json"))
    assert said["interchange_id"] == "second-items"


def test_an_interchange_that_was_wholly_refused_is_told(
    operator: Callable[..., Result], party: Callable[..., Result], running: Running
) -> None:
    async def send() -> None:
        credentials, gateway = development(running.certs, "post-a")
        async with PartyClient(running.https, credentials, gateway=gateway) as post:
            await post.submit(b"[{}]", interchange_id="refused-1", format=JSON)

    asyncio.run(send())
    for tell in (operator, party):
        (said,) = told(tell("refused-1", "--json"))
        assert (said["status"], said["interchange_id"]) == ("refused", "refused-1")
        assert said["faults"]
        assert "refused" in tell("refused-1").stdout


@pytest.mark.parametrize("transport", ["https", "grpc"])
def test_a_party_sees_its_own_item_and_its_ways(
    party: Callable[..., Result], running: Running, history: History, transport: str
) -> None:
    result = party(history.good[0].item_id, "--to", getattr(running, transport))
    assert result.exit_code == 0, result.output
    assert f"post-a  ItemDeclaration {history.good[0].item_id} original 1" in result.stdout
    assert "another party  RiskAssessment" in result.stdout
    assert "→ inbox:customs-risk  delivered" in result.stdout
    assert "attempt 1 delivered" in result.stdout


@pytest.mark.parametrize("transport", ["https", "grpc"])
def test_a_party_sees_the_faults_of_its_interchange(
    party: Callable[..., Result], running: Running, history: History, transport: str
) -> None:
    messages = told(party(SENT, "--to", getattr(running, transport), "--json"))
    codes = {fault["code"] for said in messages for fault in said.get("faults", ())}
    assert {code for d in history.spoiled.defects for code, _ in d.faults} <= codes


def test_a_party_sees_nothing_of_others(
    command: Command, running: Running, history: History
) -> None:
    result = command(
        *("trace", SENT, "--certs", running.certs, "--as", "customs-revenue"),
        *("--to", running.https, "--json"),
    )
    statuses = {said["status"] for said in msgspec.json.decode(result.stdout)["messages"]}
    assert "refused" not in statuses


def test_what_nobody_knows_is_said(
    operator: Callable[..., Result], party: Callable[..., Result]
) -> None:
    for tell in (operator, party):
        result = tell("EE471108151FR")
        assert result.exit_code == 1
        assert "Nothing is known" in result.stderr
        assert msgspec.json.decode(tell("EE471108151FR", "--json").stdout)["messages"] == []


def test_two_gateways_make_one_story(
    operator: Callable[..., Result], running: Running, history: History, tmp_path: Path
) -> None:
    item = history.good[0].item_id
    partner = tmp_path / "partner.toml"
    config = CONFIG.replace("number = 1", "number = 2").replace("gateway-lx", "gateway-pn")
    partner.write_text(config)
    (tmp_path / "data").mkdir()
    asyncio.run(passed_on(tmp_path / "data", item, upstream=history.item_message))
    messages = told(operator(item, "--config", partner, "--json"))
    (there,) = [said for said in messages if said["gateway"] == "gateway-pn"]
    assert there["upstream_id"] == history.item_message
    lines = operator(item, "--config", partner).stdout.splitlines()
    (here,) = [line for line in lines if "post-a  ItemDeclaration" in line]
    (below,) = [line for line in lines if "gateway-lx  ItemDeclaration" in line]
    assert indent(here) < indent(below)


async def passed_on(folder: Path, item: str, *, upstream: str) -> None:
    """A journal of the partner, in which the item came from the first gateway."""
    journal: SqliteJournal = await open_sqlite(
        folder / "journal.db", gateway=2, clock=lambda: datetime.now(UTC)
    )
    planned = PlannedMessage(
        ordinal=1,
        kind="ItemDeclaration",
        body=b'{"type":"NotOfThisModel"}',
        subjects=(Subject("item", item, item[-2:]),),
        legs=legs("inbox:customs-pn"),
        upstream_id=upstream,
    )
    record = await journal.reserve()
    await journal.commit(
        acceptance(
            record,
            "from-lx",
            messages=[planned],
            party=PartyId("gateway-lx"),
            received_at=datetime.now(UTC),
        )
    )
    await journal.close()


def test_a_party_of_another_authority_is_not_let_in(
    party: Callable[..., Result], running: Running, history: History
) -> None:
    stranger = running.certs / "partner/parties/post-b"
    files = ("--cert", stranger / "tls.pem", "--key", stranger / "tls.key")
    result = party(SENT, *files, "--ca", running.certs / "luxor/root.pem")
    assert result.exit_code == 3
    assert re.search("Refused|Not read", result.stderr)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("X",), "--config FILE is needed"),
        (("X", "--to", "https://localhost:1"), "--as PARTY is needed"),
        (("X", "--config", __file__), "is not TOML"),
    ],
)
def test_wrong_usage_is_said(
    command: Command,
    arguments: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = command("trace", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_operator_and_party_are_not_mixed(
    operator: Callable[..., Result], running: Running
) -> None:
    result = operator("X", "--to", running.https, "--as", "post-a")
    assert result.exit_code == 2
    assert "not both" in result.stderr


def test_a_gateway_that_never_ran_has_no_journal_and_gets_none(
    command: Command, tmp_path: Path
) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG)
    result = command("trace", "X", "--config", config)
    assert result.exit_code == 2
    assert "no journal yet" in result.stderr
    assert not (tmp_path / "data").exists()


def test_a_journal_of_another_gateway_is_not_read(
    command: Command, running: Running, history: History, tmp_path: Path
) -> None:
    config = tmp_path / "gateway.toml"
    data = running.config.parent / "data"
    text = CONFIG.replace("number = 1", "number = 9").replace('"data"', f'"{data}"')
    config.write_text(text)
    result = command("trace", "X", "--config", config)
    assert result.exit_code == 2
    assert "belongs to gateway 1" in result.stderr


def test_a_gateway_that_is_not_there_can_not_be_asked(command: Command, running: Running) -> None:
    for url in ("https://localhost:1", "grpc://localhost:1"):
        result = command("trace", "X", "--certs", running.certs, "--as", "post-a", "--to", url)
        assert result.exit_code == 3
        assert "Not read" in result.stderr
