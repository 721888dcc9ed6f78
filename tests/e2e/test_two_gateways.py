"""Two administrations exchange over gRPC and HTTPS, and nothing is lost, doubled or overtaken."""

from __future__ import annotations

import asyncio
import random
import shlex
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from gateway.cli.main import luxor
from gateway.core.errors import Unavailable
from tests.e2e import documents
from tests.e2e.administrations import Administration, blocks, both, free_ports, replaced
from tests.e2e.network import GatewayProcess
from tests.samples import s10

HANG_SECONDS = 120.0
KILLS = 3
ITEMS, VERSIONS = 6, 6
ROOT = Path(__file__).parents[2]
Sides = tuple[Administration, Administration]


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Sides]:
    with both(tmp_path_factory.mktemp("two"), certs) as found:
        yield found


async def until(reached: Callable[[], object]) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while not reached():  # noqa: ASYNC110 - other processes get there
            await asyncio.sleep(0.05)


async def submitted(side: Administration, party: str, name: str, content: bytes, form: str) -> str:
    """Send until it has its receipt, whatever is killed meanwhile; its first message id."""
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            try:
                async with side.client(party) as client:
                    answer = await client.submit(content, interchange_id=name, format=form)
                message_id = answer.outcomes[0].message_id
                assert message_id is not None, answer.outcomes
                return message_id
            except Unavailable:
                await asyncio.sleep(0.05)


async def send_versions(
    side: Administration, party: str, country: str, serial: int, receipts: dict[str, str]
) -> None:
    """One item again and again; each version once the one before has its receipt."""
    item = s10(serial)
    for version in range(VERSIONS):
        name = f"{party}-{serial}-{version}"
        content = documents.itmatt(
            documents.item(item, country=country, description=f"woollen socks, kind {version:02}"),
            control=name,
        )
        receipts[await submitted(side, party, name, content, "upu.itmatt.1")] = name


def upstream(messages: list[dict[str, Any]]) -> list[str]:
    return [str(message["provenance"]["upstream_id"]) for message in messages]


async def test_what_has_a_receipt_arrives_once_and_in_order_though_both_are_killed(
    sides: Sides,
) -> None:
    lx, pn = sides
    out, back = dict[str, str](), dict[str, str]()
    chosen = random.Random(5)

    async def kill_now_and_then() -> None:
        for _ in range(KILLS):
            await asyncio.sleep(chosen.uniform(0.2, 1.0))
            victim = chosen.choice(sides).process
            await asyncio.to_thread(victim.kill)
            await asyncio.to_thread(victim.start)

    async with asyncio.TaskGroup() as group:
        for n in range(ITEMS):
            group.create_task(send_versions(lx, "post-a", "FR", 100 + n, out))
            group.create_task(send_versions(pn, "post-b", "LU", 200 + n, back))
        group.create_task(kill_now_and_then())
    await until(lambda: len(pn.archive()) >= len(out) and len(lx.archive()) >= len(back))

    assert ITEMS * VERSIONS == len(out) == len(back)
    for side, sent in ((pn, out), (lx, back)):
        arrived = side.archive()
        assert Counter(sent.keys()) == Counter(upstream(arrived))
        for item in {message["item_id"] for message in arrived}:
            kinds = [m["pieces"][0]["description"] for m in arrived if m["item_id"] == item]
            assert sorted(kinds) == kinds, item


async def inbox(side: Administration, party: str) -> list[dict[str, Any]]:
    """What waits for a party, acknowledged."""
    async with asyncio.timeout(HANG_SECONDS), side.client(party) as client:
        while True:
            page = await client.inbox(wait=1)
            if page.messages:
                assert page.cursor is not None
                await client.acknowledge(page.cursor)
                return [msgspec.json.decode(m.content)["messages"][0] for m in page.messages]


def referral(regards: str, item: str, **fields: Any) -> bytes:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    message = {
        "type": "Referral",
        "reference": "PN-RFI-000000017",
        "kind": "RFI",
        "issued_at": now,
        "authority": {"code": "XB000001"},
        "item_ids": [item],
        "regards": regards,
        **fields,
    }
    return msgspec.json.encode([message])


async def test_a_question_and_its_answer_pass_both_gateways_each_by_its_own_ids(
    sides: Sides,
) -> None:
    lx, pn = sides
    item, now = s10(301), datetime.now(UTC).isoformat(timespec="seconds")
    content = documents.itmatt(documents.item(item, country="FR"), control="asked")
    sent = await submitted(lx, "post-a", "asked", content, "upu.itmatt.1")
    await until(lambda: item in [m["item_id"] for m in pn.archive()])
    (declared,) = (m for m in pn.archive() if m["item_id"] == item)
    theirs = declared["provenance"]["message_id"]

    question = referral(theirs, item, questions=[{"text": "Of what wool?"}])
    await submitted(pn, "customs-pn-risk", "question", question, "luxor.json.1")
    (asked,) = await inbox(lx, "post-a")
    answered = {"item_id": item, "answered_at": now, "information": [{"text": "Of sheep"}]}
    answer = referral(asked["provenance"]["message_id"], item, answers=[answered])
    await submitted(lx, "post-a", "answer", answer, "luxor.json.1")
    (final,) = await inbox(pn, "customs-pn-risk")

    assert sent == asked["regards"]
    assert sent != theirs
    assert [{"text": "Of sheep"}] == final["answers"][0]["information"]
    story = traced(pn, item)
    assert {sent} == {m["upstream_id"] for m in story if m["kind"] == "ItemDeclaration"}
    assert [m["message_id"] for m in story if m["interchange_id"] == "question"] == [
        final["regards"]
    ]


def traced(side: Administration, value: str) -> list[dict[str, Any]]:
    """``luxor trace`` of this side's operator."""
    arguments = ["trace", value, "--config", str(side.process.config), "--json"]
    result = CliRunner().invoke(luxor, arguments)
    assert 0 == result.exit_code, result.output
    messages: list[dict[str, Any]] = msgspec.json.decode(result.output)["messages"]
    return messages


def pinged(side: Administration, name: str, *more: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """``luxor ping``: its exit status, and by step what came of it."""
    arguments = ["ping", name, "--config", str(side.process.config), "--json", *more]
    result = CliRunner().invoke(luxor, arguments)
    (tested,) = msgspec.json.decode(result.stdout)
    return result.exit_code, {s["name"]: (s["result"], s["detail"]) for s in tested["steps"]}


@pytest.mark.parametrize(("side", "name", "us"), [(0, "partner", "lx"), (1, "gateway-lx", "pn")])
def test_a_ping_proves_both_sides_and_leaves_nothing_behind(
    sides: Sides, side: int, name: str, us: str
) -> None:
    before = [journaled(each) for each in sides]
    status, steps = pinged(sides[side], name)

    assert (0, {"ok"}) == (status, {result for result, _ in steps.values()}), steps
    assert ["name", "connection", "tls", "own certificate", "answer", "identity"] == list(steps)[:6]
    assert f"knows us as gateway-{us} (administration)" in steps["answer"][1]
    assert "may send * as luxor.* for *" == steps["identity"][1]
    assert before == [journaled(each) for each in sides]


def journaled(side: Administration) -> int:
    """How many interchanges the journal has, refused ones too."""
    path = side.process.folder / "data" / "journal.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
        return int(file.execute("SELECT count(*) FROM interchange").fetchone()[0])


@pytest.mark.parametrize(
    ("changes", "step", "reason"),
    [
        ({"localhost:{grpc}": "nowhere.invalid:1"}, "name", "nowhere.invalid"),
        ({"localhost:{grpc}": "localhost:{free}"}, "connection", "refused"),
        ({"partner/root.pem": "luxor/root.pem"}, "tls", "certificate is not accepted"),
        (
            {"luxor/parties/gateway-lx/tls": "strangers/unknown-ca/tls"},
            "own certificate",
            "does not take our certificate",
        ),
        (
            {"luxor/parties/gateway-lx/tls": "luxor/parties/post-a/tls"},
            "answer",
            "party.unknown",
        ),
        (
            {"luxor/parties/gateway-lx/signing": "luxor/parties/post-a/signing"},
            "answer",
            "signature.key-unknown",
        ),
    ],
)
def test_a_ping_tells_at_which_step_it_fails_and_why(
    sides: Sides, tmp_path: Path, changes: dict[str, str], step: str, reason: str
) -> None:
    lx, pn = sides
    text = lx.process.config.read_text("utf-8")
    free = free_ports()["8443"]
    for old, new in changes.items():
        was, becomes = (
            part.replace("{grpc}", str(pn.process.ports.grpc)).replace("{free}", free)
            for part in (old, new)
        )
        assert was in text
        text = text.replace(was, becomes)
    other = Administration(GatewayProcess(tmp_path, lx.process.certs, text))
    status, steps = pinged(other, "partner", "--timeout", "3")

    assert (1, "failed") == (status, steps[step][0]), steps
    assert reason in steps[step][1]
    assert 1 == [result for result, _ in steps.values()].count("failed")


def test_a_folder_is_tested_too_and_nothing_stays_in_it(sides: Sides) -> None:
    folder = sides[0].process.folder / "archive"
    before = set(folder.iterdir())
    status, steps = pinged(sides[0], "archive")

    assert (0, ["ok", "ok"]) == (status, [result for result, _ in steps.values()])
    assert before == set(folder.iterdir())


def test_the_page_leads_to_two_gateways_that_exchange(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    ports = free_ports()
    configs = [replaced(text, ports) for text in blocks("toml")]
    running: list[GatewayProcess] = []
    ran = []
    try:
        for line in "".join(blocks("")).splitlines():
            words = shlex.split(replaced(line, ports))
            ran.append(words[1])
            if words[0] == "mkdir":
                Path(words[1]).mkdir()
            elif words[1:3] == ["serve", "--config"] and len(words) == 4:
                folder = tmp_path / Path(words[3]).parent
                running.append(GatewayProcess(folder, tmp_path / "certs", configs[len(running)]))
                running[-1].start()
            else:
                if words[-1] == "--check":
                    name = words[3]
                    Path(name).write_text(configs[name.startswith("partner")], "utf-8")
                until = time.monotonic() + HANG_SECONDS
                while (result := CliRunner().invoke(luxor, words[1:])).exit_code != 0:
                    arriving = words[1] == "trace" and time.monotonic() < until
                    assert arriving, f"{line}\n{result.output}"
                    time.sleep(0.2)
    finally:
        for process in running:
            process.stop()

    assert ["ping", "ping", "submit", "trace", "trace"] == ran[-5:]
    assert 2 == len(list((tmp_path / "luxor/archive").glob("*.json")))
