"""A gateway takes over a changed configuration while it works: all of it, or nothing."""

from __future__ import annotations

import asyncio
import io
import itertools
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from click.testing import CliRunner

from gateway.cli.main import luxor
from tests.e2e import documents
from tests.e2e.callers import Answer, client_context, get, metric, post
from tests.e2e.network import CONFIG, GatewayProcess
from tests.samples import s10

HANG_SECONDS = 60.0
ITMATT = {"Luxor-Format": "upu.itmatt.1"}
RELOADS = 20
SECOND = """
[[destination]]
id = "second"
party = "customs-risk"
transport = "folder"
address = "second"
format = "luxor.json.1"

[[route]]
name = "second"
kinds = ["ItemDeclaration"]
destination_countries = ["FR"]
to = ["second"]
"""
GONE = """
[[destination]]
id = "elsewhere"
party = "customs-risk"
transport = "https"
address = "https://localhost:9/nobody"
ca = "{certs}/luxor/root.pem"
format = "luxor.json.1"

[[route]]
name = "elsewhere"
kinds = ["ItemDeclaration"]
destination_countries = ["DE"]
to = ["elsewhere"]
"""
BACK = GONE.replace('"https"', '"folder"').replace("https://localhost:9/nobody", "second")
serials = itertools.count(1)


class Changing:
    """A gateway with the file that it is configured by."""

    def __init__(self, process: GatewayProcess) -> None:
        self.process = process
        self.first = process.config.read_text("utf-8")

    def write(self, text: str) -> None:
        self.process.config.write_text(
            text.replace("{certs}", str(self.process.certs)), encoding="utf-8"
        )

    def reload(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """``luxor reload``: its exit status and what it prints."""
        result = CliRunner().invoke(
            luxor,
            [
                *("reload", "--config", str(self.process.config), "--json"),
                *("--url", f"http://127.0.0.1:{self.process.ports.operations}"),
                *arguments,
            ],
        )
        return result.exit_code, msgspec.json.decode(result.output)

    def loaded(self, text: str) -> dict[str, Any]:
        """The answer of a reload that must succeed."""
        self.write(text)
        status, told = self.reload()
        assert (0, "loaded") == (status, told["result"]), told
        return told

    async def asked(self, path: str) -> dict[str, Any]:
        """``POST`` of a control."""
        url = f"http://127.0.0.1:{self.process.ports.operations}{path}"
        async with aiohttp.ClientSession() as session, session.post(url, json={}) as answer:
            found: dict[str, Any] = await answer.json()
        return found

    async def in_force(self) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.process.ports.operations}/control/configuration"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            found: dict[str, Any] = await answer.json()
        return found

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = self.process.log.read_bytes().splitlines()
        events = [msgspec.json.decode(line) for line in lines if line.startswith(b"{")]
        return [event for event in events if event["event"] == name]

    async def send(self, country: str) -> tuple[Answer, str]:
        """A new item to that country; the answer and the item."""
        item = s10(next(serials))
        content = documents.itmatt(documents.item(item, country=country), control=item)
        answer = await post(self.process, "post-a", content, identifier=f"r-{item}", headers=ITMATT)
        return answer, item

    def taken(self, folder: str) -> list[str]:
        """Items in a folder that is delivered to."""
        files = (self.process.folder / folder).glob("*.json")
        return [msgspec.json.decode(f.read_bytes())["messages"][0]["item_id"] for f in files]

    async def until(self, reached: Callable[[], object]) -> None:
        async with asyncio.timeout(HANG_SECONDS):
            while not reached():  # noqa: ASYNC110 - another process gets there
                await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[GatewayProcess]:
    registry = (certs / "luxor/registry.toml").read_text("utf-8")
    (certs / "luxor/registry-reload.toml").write_text(registry, "utf-8")
    config = (
        CONFIG.replace("[ingress.https]\nport = 0", "[ingress.https]\nport = 1")
        .replace("luxor/registry.toml", "luxor/registry-reload.toml")
        .replace("poll = 0.2", "poll = 60")  # nobody but a reload looks at the registry
    )
    process = GatewayProcess(tmp_path_factory.mktemp("reload"), certs, config)
    (process.folder / "second").mkdir()
    try:
        process.start("ingress.https.port=0")
        yield process
    finally:
        process.stop()


@pytest.fixture
def gateway(process: GatewayProcess) -> Iterator[Changing]:
    """The running gateway, with the same configuration before and after each test."""
    changing = Changing(process)
    yield changing
    changing.loaded(changing.first)


async def test_a_new_destination_and_its_route_hold_from_the_next_message_on(
    gateway: Changing,
) -> None:
    before, _ = await gateway.send("FR")
    told = gateway.loaded(gateway.first + SECOND)
    after, item = await gateway.send("FR")
    await gateway.until(lambda: item in gateway.taken("second"))

    assert (422, 202) == (before.status, after.status)
    assert {"started": ["second"], "reopened": [], "stopped": []} == told["changes"]
    assert told["digest"] == (await gateway.in_force())["digest"]


async def test_a_mistake_is_told_with_its_path_and_leaves_everything_as_it_was(
    gateway: Changing,
) -> None:
    digest = (await gateway.in_force())["digest"]
    gateway.write(gateway.first.replace('to = ["archive"]', 'to = ["nowhere"]') + SECOND)
    status, told = gateway.reload()
    answer, item = await gateway.send("LU")
    await gateway.until(lambda: item in gateway.taken("archive"))
    elsewhere, _ = await gateway.send("FR")

    assert (2, "refused") == (status, told["result"])
    assert [("route[0].to", "no destination is called nowhere")] == [
        (mistake["path"], mistake["text"]) for mistake in told["mistakes"]
    ]
    assert (202, 422) == (answer.status, elsewhere.status)
    found = await gateway.in_force()
    assert (digest, told["mistakes"]) == (found["digest"], found["refused"])
    assert "route[0].to" == gateway.events("configuration.refused")[-1]["mistakes"][0]["path"]
    assert 1.0 == await metric(gateway.process, "luxor_configuration_refused")


async def test_what_is_no_toml_is_refused_by_the_gateway_too(gateway: Changing) -> None:
    gateway.write("[gateway\n")
    refused = gateway.reload()
    answer, _ = await gateway.send("LU")

    assert (2, "refused") == (refused[0], refused[1]["result"])
    assert "is not TOML" in refused[1]["mistakes"][0]["text"]
    assert 202 == answer.status


async def test_what_needs_a_restart_is_named_and_nothing_beside_it_is_taken(
    gateway: Changing,
) -> None:
    changed = gateway.first.replace("number = 1", 'number = 2\ndata = "other"')
    gateway.write(changed.replace("poll = 60", "poll = 30") + SECOND)
    status, told = gateway.reload()
    answer, _ = await gateway.send("FR")

    assert 2 == status
    assert ["gateway.data", "gateway.number", "registry.poll"] == [
        mistake["path"] for mistake in told["mistakes"]
    ]
    assert {"restart needed: it can not change while it runs"} == {
        mistake["text"] for mistake in told["mistakes"]
    }
    assert 422 == answer.status


async def test_judging_alone_changes_nothing(gateway: Changing) -> None:
    gateway.write(gateway.first + SECOND)
    good = gateway.reload("--check")
    gateway.write(gateway.first.replace('to = ["archive"]', 'to = ["nowhere"]'))
    bad = gateway.reload("--check")
    answer, _ = await gateway.send("FR")

    assert (0, "judged") == (good[0], good[1]["result"])
    assert (2, "refused") == (bad[0], bad[1]["result"])
    assert 422 == answer.status
    assert [] == (await gateway.in_force())["refused"]


async def test_a_signal_loads_the_configuration_too_with_the_changes_of_the_command_line(
    gateway: Changing,
) -> None:
    loads = len(gateway.events("configuration.loaded"))
    gateway.write(gateway.first + SECOND)  # its port, 1, is not the one that was started with
    running = gateway.process._process
    assert running is not None
    os.kill(running.pid, signal.SIGHUP)
    await gateway.until(lambda: len(gateway.events("configuration.loaded")) > loads)
    answer, _ = await gateway.send("FR")

    assert 202 == answer.status


async def test_what_waits_for_a_destination_that_goes_waits_on_and_goes_when_it_is_back(
    gateway: Changing,
) -> None:
    gateway.loaded(gateway.first + GONE)
    answer, item = await gateway.send("DE")
    gone = gateway.loaded(gateway.first)
    orphans = (await gateway.in_force())["orphans"]
    back = gateway.loaded(gateway.first + BACK)
    await gateway.until(lambda: item in gateway.taken("second"))

    assert 202 == answer.status
    assert ["elsewhere"] == gone["changes"]["stopped"]
    assert [{"destination": "elsewhere", "keys": 1}] == gone["orphans"] == orphans
    assert ([], ["elsewhere"]) == (back["orphans"], back["changes"]["started"])


async def test_a_destination_that_changes_is_opened_anew_and_the_others_are_left_alone(
    gateway: Changing,
) -> None:
    gateway.loaded(gateway.first + GONE)
    _, item = await gateway.send("DE")
    told = gateway.loaded(gateway.first + BACK)
    await gateway.until(lambda: item in gateway.taken("second"))
    again = gateway.loaded(gateway.first + BACK)

    assert {"started": [], "reopened": ["elsewhere"], "stopped": []} == told["changes"]
    assert {"started": [], "reopened": [], "stopped": []} == again["changes"]


async def test_an_agreement_that_is_withdrawn_holds_for_what_waits_already(
    gateway: Changing,
) -> None:
    own = CONFIG[CONFIG.index("[[agreement]]") : CONFIG.index("[[route]]")]
    gateway.loaded(gateway.first + GONE)
    answer, item = await gateway.send("DE")
    orders = own.replace('["ItemDeclaration", "Order"]', '["Order"]')
    narrowed = gateway.first.replace(own, orders).replace(
        'kinds = ["ItemDeclaration", "Order"]\ndestination', 'kinds = ["Order"]\ndestination'
    )
    backlog = BACK[: BACK.index("[[route]]")]
    gateway.loaded(narrowed + backlog)
    leg: dict[str, Any] = {}
    async with asyncio.timeout(HANG_SECONDS):
        while leg.get("state") != "buried":
            (leg,) = (await get(gateway.process, "post-a", f"/v1/interchanges/r-{item}")).body[
                "legs"
            ]

    assert 202 == answer.status
    assert item not in gateway.taken("second")


async def test_folders_are_watched_and_left(gateway: Changing) -> None:
    watched = '\n[[ingress.folder]]\nparty = "post-a"\npath = "drop"\nformat = "upu.itmatt.1"\n'
    folder = gateway.process.folder / "drop"
    gateway.loaded(gateway.first + watched + "poll = 0.05\n")
    (folder / "in" / "f-1.xml").write_bytes(documents.good(next(serials), control="f-1"))
    await gateway.until((folder / "done" / "f-1.xml.receipt.json").exists)
    gateway.loaded(gateway.first)
    (folder / "in" / "f-2.xml").write_bytes(documents.good(next(serials), control="f-2"))
    await gateway.send("LU")
    left = (folder / "in" / "f-2.xml").exists()
    gateway.loaded(gateway.first + watched + "poll = 0.06\n")
    await gateway.until((folder / "done" / "f-2.xml.receipt.json").exists)

    assert left


async def test_requests_that_come_while_it_is_loaded_again_and_again_are_all_taken_and_delivered(
    gateway: Changing,
) -> None:
    before = set(gateway.taken("archive"))
    dispatch = gateway.first + "\n[dispatch]\nbatch = {}\n"
    sent = list[str]()
    done = asyncio.Event()

    async def sender(session: aiohttp.ClientSession) -> None:
        while not done.is_set():
            item = s10(next(serials))
            async with session.post(
                f"https://localhost:{gateway.process.ports.https}/v1/interchanges",
                data=io.BytesIO(documents.itmatt(documents.item(item), control=item)),
                headers={"Luxor-Interchange-Id": f"l-{item}", **ITMATT},
                ssl=context,
            ) as answer:
                assert 202 == answer.status, await answer.text()
            sent.append(item)

    context = client_context(gateway.process, "post-a")
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(sender(session))
        reopened = []
        for n in range(RELOADS):
            gateway.write(dispatch.format(n + 1))
            reopened += (await gateway.asked("/control/reload"))["changes"]["reopened"]
        done.set()
    await gateway.until(lambda: len(set(gateway.taken("archive")) - before) >= len(sent))

    assert ["archive"] * RELOADS == reopened
    assert len(sent) > RELOADS
    taken = Counter(item for item in gateway.taken("archive") if item not in before)
    assert Counter(sent) == taken


async def test_reloads_that_are_asked_for_at_once_run_one_after_the_other(
    gateway: Changing,
) -> None:
    gateway.write(gateway.first + SECOND)
    told = await asyncio.gather(*(gateway.asked("/control/reload") for _ in range(4)))

    assert ["loaded"] * 4 == [answer["result"] for answer in told]
    assert 1 == len({answer["digest"] for answer in told})
    assert [["second"], [], [], []] == sorted(
        (answer["changes"]["started"] for answer in told), reverse=True
    )


NEWCOMER = """
[[party]]
id = "newcomer"
roles = ["backend"]
"""
FOR_NEWCOMER = """
[[route]]
name = "newcomer"
kinds = ["ItemDeclaration"]
destination_countries = ["IT"]
to = ["inbox:newcomer"]
"""


async def test_a_party_and_the_routes_to_it_come_into_force_together(gateway: Changing) -> None:
    registry = gateway.process.certs / "luxor/registry-reload.toml"
    text = registry.read_text("utf-8")
    gateway.write(gateway.first + FOR_NEWCOMER)
    alone = gateway.reload()
    registry.write_text(text + "[[party]\n", "utf-8")
    broken = gateway.reload()
    registry.write_text(text + NEWCOMER, "utf-8")
    together = gateway.reload()
    answer, item = await gateway.send("IT")
    status = await get(gateway.process, "post-a", f"/v1/interchanges/r-{item}")

    assert (2, "route[1].to") == (alone[0], alone[1]["mistakes"][0]["path"])
    assert (2, "refused") == (broken[0], broken[1]["result"])
    assert (0, "loaded") == (together[0], together[1]["result"])
    assert 202 == answer.status
    assert ["inbox:newcomer"] == [leg["destination"] for leg in status.body["legs"]]


async def test_all_workers_take_it_over(tmp_path: Path, certs: Path) -> None:
    process = GatewayProcess(tmp_path, certs)
    (process.folder / "second").mkdir()
    try:
        process.start("gateway.workers=2")
        gateway = Changing(process)
        gateway.loaded(gateway.first + SECOND)
        answers = [(await gateway.send("FR"))[0].status for _ in range(12)]
        loads = gateway.events("configuration.loaded")
    finally:
        process.stop()

    assert [202] * 12 == answers, "a connection each: some go to the one, some to the other"
    assert 2 == len(loads)
    assert 1 == len({event["digest"] for event in loads})
