"""Evidence: asked for once, kept while it holds, never replaced by what is worse."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from prometheus_client import CollectorRegistry

from gateway.config.evidence import RETRY, Evidence, fetched_names, file_name
from gateway.egress.evidence import FetchFailed, Listed
from gateway.telemetry import event_log
from gateway.telemetry.metrics import Metrics
from tests.trust.ocsp_answers import GOOD, REVOKED, UNKNOWN, Told, answer, own
from tests.trust.town import NOW, Town, der, party
from trust.authenticator import Authenticator
from trust.authority import Issuer, issue_crl
from trust.chain import Link
from trust.errors import TrustError
from trust.members import Authority
from trust.ocsp import Answer
from trust.party import Registry
from trust.revocation import Revocations

OCSP, CRL = "http://ocsp.example/", "http://crl.example/list"
MINUTE = timedelta(minutes=1)


class Web:
    """The rest of the world: what it says, and how often it was asked."""

    def __init__(self) -> None:
        self.answer: Callable[[], bytes] | None = None
        self.list: Listed | None = None
        self.down = False
        self.asked: list[str] = []
        self.tags: list[str] = []
        self.wait: asyncio.Event | None = None

    async def ask(self, url: str, question: bytes) -> bytes:
        """What the responder says."""
        self.asked.append(url)
        if self.wait is not None:
            await self.wait.wait()
        if self.down or self.answer is None:
            raise FetchFailed("status 500")
        return self.answer()

    async def fetch(self, url: str, *, tag: str = "") -> Listed | None:
        """The list that is there."""
        self.tags.append(tag)
        if self.down or self.list is None:
            raise FetchFailed("status 404")
        return None if tag and tag == self.list.tag else self.list


class World:
    """A gate, the evidence behind it, and a clock that the test moves."""

    def __init__(self, town: Town, folder: Path, **more: Any) -> None:
        authority = Authority(id="luxor", certificates=town.authority.certificates, **more)
        self.town, self.now, self.web = town, NOW, Web()
        self.log = io.StringIO()
        self.metrics = Metrics(CollectorRegistry())
        self.leaf = town.certificate()
        files = {"root": town.crls()["luxor-root.crl"]}
        self.gate = Authenticator(
            Registry(authorities=[authority], parties=[party()]),
            Revocations.from_files([authority], files),
        )
        self.folder = folder
        self.evidence = Evidence(
            authenticator=lambda: self.gate,
            install=self.install,
            client=self.web,
            folder=folder,
            refresh=5 * MINUTE,
            clock=lambda: self.now,
            metrics=self.metrics,
            log=event_log(stream=self.log),
        )
        self.web.answer = self.say(GOOD)

    def install(self, answers: Mapping[Link, Answer]) -> None:
        """Put answers into force."""
        self.gate = self.gate.with_revocations(self.gate.revocations.with_answers(answers))

    def say(
        self,
        status: ocsp.OCSPCertStatus,
        *,
        lasts: timedelta = 10 * MINUTE,
        by: Issuer | None = None,
    ) -> Callable[[], bytes]:
        """A responder that always says this, of the time that it is."""
        return lambda: answer(
            Told(
                certificate=self.leaf,
                issuer=self.town.issuing.certificate,
                status=status,
                this_update=self.now,
                next_update=self.now + lasts,
            ),
            by=own(by or self.town.issuing),
        )

    def crl(self, *, number: int = 1, age: timedelta = MINUTE, by: Issuer | None = None) -> bytes:
        """A list of the issuing CA, with nothing on it."""
        return issue_crl(
            by or self.town.issuing,
            number=number,
            revoked={},
            this_update=self.now - age,
            next_update=self.now + timedelta(days=1),
        ).public_bytes(Encoding.DER)

    @property
    def file(self) -> Path:
        """Where the fetched list is kept."""
        return self.folder / file_name(CRL)

    async def code(self) -> str:
        """What the gate says of the certificate, after asking if need be; empty if it counts."""
        for _ in range(2):
            try:
                self.gate.identify(der(self.leaf), now=self.now)
            except TrustError as error:
                code = error.code
                if code != "revocation.unavailable" or not await self.evidence.seek(der(self.leaf)):
                    return code
            else:
                return ""
        return code

    def count(self, kind: str, result: str) -> float:
        """How often that came of fetching."""
        sample = self.metrics.registry.get_sample_value(
            "luxor_revocation_fetches_total",
            {"authority": "luxor", "kind": kind, "result": result},
        )
        return sample or 0


@pytest.fixture(scope="module")
def town() -> Town:
    """An authority."""
    return Town("luxor")


@pytest.fixture
def world(town: Town, tmp_path: Path) -> World:
    """An authority that goes by answers."""
    return World(town, tmp_path / "lists", require="ocsp", ocsp=(OCSP,))


@pytest.fixture
def listed(town: Town, tmp_path: Path) -> World:
    """An authority that goes by a list to be fetched."""
    return World(town, tmp_path / "lists", crl_urls=(CRL,))


async def test_an_answer_is_asked_for_when_it_is_needed_and_kept(world: World) -> None:
    assert "" == await world.code()
    assert "" == await world.code()

    assert [OCSP] == world.web.asked
    assert 1 == world.count("answer", "fetched")


async def test_all_who_wait_share_one_question(world: World) -> None:
    world.web.wait = asyncio.Event()
    waiting = [asyncio.ensure_future(world.code()) for _ in range(20)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    world.web.wait.set()

    assert [""] * 20 == await asyncio.gather(*waiting)
    assert [OCSP] == world.web.asked


async def test_when_the_caller_that_asked_goes_away_another_asks(world: World) -> None:
    world.web.wait = asyncio.Event()
    first, second = (asyncio.ensure_future(world.code()) for _ in range(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()

    await asyncio.wait([first])
    world.web.wait.set()

    assert "" == await second
    assert [OCSP] * 2 == world.web.asked


async def test_after_a_failure_the_responder_rests(world: World) -> None:
    world.web.down = True

    assert "revocation.unavailable" == await world.code()
    assert "revocation.unavailable" == await world.code()
    assert 1 == len(world.web.asked)
    world.web.down, world.now = False, world.now + RETRY
    assert "" == await world.code()
    assert (1, 1) == (world.count("answer", "failed"), world.count("answer", "fetched"))


async def test_the_next_responder_is_asked_when_one_fails(town: Town, tmp_path: Path) -> None:
    world = World(town, tmp_path, require="ocsp", ocsp=("http://dead.example/", OCSP))
    good = world.say(GOOD)
    world.web.answer = lambda: good() if world.web.asked[-1] == OCSP else b"<html>"

    assert "" == await world.code()
    assert ["http://dead.example/", OCSP] == world.web.asked


async def test_an_answer_is_asked_for_again_before_it_is_old(world: World) -> None:
    await world.code()
    world.now += 4 * MINUTE
    await world.evidence.refresh()
    assert 1 == len(world.web.asked)
    world.web.answer = world.say(REVOKED)
    world.now += MINUTE
    await world.evidence.refresh()

    assert "certificate.revoked" == await world.code()


async def test_an_outage_is_not_felt_until_the_answer_ends(world: World) -> None:
    await world.code()
    world.web.down = True
    for _ in range(9):
        world.now += MINUTE
        await world.evidence.refresh()
        assert "" == await world.code()
    world.now += MINUTE
    await world.evidence.refresh()

    assert "revocation.unavailable" == await world.code()
    said = [line for line in world.log.getvalue().splitlines() if "not-fetched" in line]
    assert 1 == len(said), "once, and not at each attempt"


async def test_a_forged_answer_takes_no_place(world: World) -> None:
    stranger = Issuer(world.town.root.certificate, world.town.root.key)
    await world.code()
    world.web.answer = world.say(REVOKED, by=stranger)
    world.now += 5 * MINUTE
    await world.evidence.refresh()

    assert "" == await world.code()
    assert 1 == world.count("answer", "failed")


async def test_unknown_is_refused(world: World) -> None:
    world.web.answer = world.say(UNKNOWN)

    assert "revocation.unavailable" == await world.code()


async def test_a_certificate_that_does_not_count_makes_nobody_ask(world: World) -> None:
    foreign = Town("foreign").certificate()

    assert not await world.evidence.seek(der(foreign))
    assert not await world.evidence.seek(b"no certificate")
    assert [] == world.web.asked


async def test_the_age_of_answers_is_measured(world: World) -> None:
    await world.code()
    world.now += 3 * MINUTE
    await world.evidence.refresh()

    age = world.metrics.registry.get_sample_value(
        "luxor_revocation_age_seconds", {"authority": "luxor"}
    )
    assert 180 == age


async def test_a_list_is_fetched_and_asked_for_again_by_its_tag(listed: World) -> None:
    listed.web.list = Listed(listed.crl(), '"1"')
    await listed.evidence.prime(seconds=1)
    listed.now += 5 * MINUTE
    await listed.evidence.refresh()

    assert listed.web.list.content == listed.file.read_bytes()
    assert (file_name(CRL),) == fetched_names(listed.gate.registry.authorities.values())
    assert ["", '"1"'] == listed.web.tags


async def replaced(listed: World, worse: bytes) -> bool:
    """Whether something took the place of a good list."""
    good = listed.crl(number=5)
    listed.web.list = Listed(good)
    await listed.evidence.prime(seconds=1)
    assert good == listed.file.read_bytes()
    listed.web.list = Listed(worse)
    listed.now += 5 * MINUTE
    await listed.evidence.refresh()
    assert 1 == listed.count("list", "failed")
    return good != listed.file.read_bytes()


async def test_an_older_list_takes_no_place(listed: World) -> None:
    assert not await replaced(listed, listed.crl(number=4, age=timedelta(hours=1)))


async def test_a_list_of_somebody_else_takes_no_place(listed: World) -> None:
    assert not await replaced(listed, listed.crl(number=6, by=Town("foreign").issuing))


async def test_what_is_no_list_takes_no_place(listed: World) -> None:
    assert not await replaced(listed, b"<html>")


async def test_a_newer_list_does(listed: World) -> None:
    listed.web.list = Listed(listed.crl())
    await listed.evidence.prime(seconds=1)
    newer = listed.crl(number=2, age=timedelta(0))
    listed.web.list = Listed(newer)
    listed.now += 5 * MINUTE
    await listed.evidence.refresh()

    assert newer == listed.file.read_bytes()


async def test_a_list_that_cannot_be_had_does_not_stop_the_start(listed: World) -> None:
    await listed.evidence.prime(seconds=1)

    assert not listed.file.exists()
    assert 1 == listed.count("list", "failed")
