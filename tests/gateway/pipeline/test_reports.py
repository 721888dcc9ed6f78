"""What was not simply carried is kept, counted for the sender, and told of each attempt."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from gateway.config.layouts import read_layout
from gateway.core.records import Attempt, Delivery, Lease, Result, Settlement, Stored
from gateway.core.reports import Fate, Report
from gateway.pipeline.settings import Limits
from gateway.routing import Endpoint, Endpoints, Route, Routes
from tests import samples
from tests.gateway.pipeline.conftest import FORMATS, JSON, Middle, endpoint, outcomes
from tests.gateway.pipeline.noting import NOTING, Noting
from translators.canonical import Interchange, Message
from translators.faults import Note, NoteKind
from translators.registry import Registry
from translators.translator import encode

DROPPED = Note(kind=NoteKind.DROPPED, source_path="/items/0/colour", detail="no place for it")
DEFAULTED = Note(kind=NoteKind.DEFAULTED, path="/nature", detail="sale")
CONTRADICTS = Note(kind=NoteKind.CONTRADICTS, path="/gross_weight", detail="not the sum")
BAD = samples.item(gross_weight=Decimal(0))


@pytest.fixture
def noting() -> Noting:
    return Noting()


@pytest.fixture
def speaking(middles: Callable[..., Middle], noting: Noting) -> Callable[..., Middle]:
    """A middle that speaks the noting format, and delivers to risk in it."""

    def make(**settings: object) -> Middle:
        middle = middles(**settings)
        endpoints = [endpoint("risk", NOTING), endpoint("clearance", "luxor.json.1")]
        middle.network = msgspec.structs.replace(
            middle.network,
            formats=Registry([*FORMATS, noting]),
            endpoints=Endpoints.of(
                [*endpoints, endpoint("gateway-pn", "luxor.json.1", answers=True)]
            ),
        )
        return middle

    return make


async def send(middle: Middle, *messages: Message) -> Stored:
    """Messages in the noting format."""
    content = encode(FORMATS.get(JSON), Interchange(messages=messages))
    return await middle.send("post-a", content=content, format_id=NOTING)


async def test_the_sender_is_told_how_much_was_not_simply_carried(
    speaking: Callable[..., Middle], noting: Noting
) -> None:
    noting.noted_on_reading = (DROPPED, DEFAULTED, CONTRADICTS)
    stored = await send(speaking(), samples.ITEM)

    (outcome,) = outcomes(stored)
    assert (1, 1, 1) == (outcome.not_carried, outcome.defaulted, outcome.contradicting)


async def test_what_was_simply_carried_costs_the_outcome_list_nothing(
    speaking: Callable[..., Middle],
) -> None:
    stored = await send(speaking(), samples.ITEM)

    assert b"not_carried" not in stored.outcomes


@pytest.mark.parametrize("limits", [Limits(), Limits(staged_from=10, chunk=2)])
async def test_the_reports_of_reading_are_kept_of_accepted_and_refused_messages(
    speaking: Callable[..., Middle], noting: Noting, limits: Limits
) -> None:
    noting.noted_on_reading = (DROPPED,)
    middle = speaking(limits=limits)
    good = [samples.item(item_id=samples.s10(number)) for number in range(3)]
    stored = await send(middle, *good, BAD)

    kept = await middle.journal.reports(stored.record)
    assert [1, 2, 3, 4] == [one.ordinal for one in kept]
    assert {(NOTING, "ItemDeclaration")} == {(r.report.format, r.report.kind) for r in kept}
    assert ["/items/0/colour"] == [v.source_path for v in kept[3].report.values()]


@pytest.mark.parametrize("limits", [Limits(), Limits(staged_from=10, chunk=2)])
async def test_the_reports_of_a_refused_interchange_are_kept(
    speaking: Callable[..., Middle], noting: Noting, limits: Limits
) -> None:
    noting.noted_on_reading = (DROPPED,)
    middle = speaking(limits=limits)
    stored = await send(middle, BAD, BAD, BAD)

    assert [1, 2, 3] == [one.ordinal for one in await middle.journal.reports(stored.record)]


EXAMPLES = Path(__file__).parents[3] / "examples"


async def test_what_a_partners_dialect_has_no_place_for_is_told_with_its_place(
    middle: Middle,
) -> None:
    dialect = read_layout(EXAMPLES / "layouts/example.flat-items.1.toml")
    middle.network = msgspec.structs.replace(middle.network, formats=Registry([*FORMATS, dialect]))
    content = (EXAMPLES / "messages/flat-items.xml").read_bytes()
    stored = await middle.send("post-a", content=content, format_id=dialect.id)

    kept = await middle.journal.reports(stored.record)
    told = [value for one in kept for value in one.report.values()]
    places = [v.source_path for v in told if v.kind is Fate.DROPPED]
    assert ["/Items/Item[1]/SortingLane[1]"] == places
    counted = sum(outcome.not_carried for outcome in outcomes(stored))
    assert len(places) == counted


async def prepared(middle: Middle, name: str) -> tuple[Lease, Delivery, Report]:
    found: Endpoint = middle.network.endpoints.get(name)
    lease = await middle.journal.lease(name, limit=1, seconds=60, now=middle.now)
    assert lease is not None
    delivery = lease.deliveries[0]
    return lease, delivery, (await middle.preparer.prepare(delivery, found)).report


async def test_a_delivery_says_what_its_format_did_not_carry(
    speaking: Callable[..., Middle], noting: Noting
) -> None:
    noting.noted_on_writing = (Note(kind=NoteKind.DROPPED, path="/pieces/0/hs", detail="no"),)
    middle = speaking()
    await middle.send("post-a", samples.ITEM)
    _, _, report = await prepared(middle, "risk")

    assert (NOTING, "ItemDeclaration") == (report.format, report.kind)
    assert [(Fate.DROPPED, "/pieces/0/hs")] == [(v.kind, v.path) for v in report.values()]


async def test_what_an_agreement_withheld_stands_beside_what_the_format_dropped(
    speaking: Callable[..., Middle],
) -> None:
    assert samples.ADDRESSEE.address is not None
    lisbon = msgspec.structs.replace(samples.ADDRESSEE.address, country="PT")
    addressee = msgspec.structs.replace(samples.ADDRESSEE, address=lisbon)
    middle = speaking()
    await middle.send("post-a", samples.item(addressee=addressee))
    _, _, report = await prepared(middle, "gateway-pn")

    told = {v.path for v in report.values() if v.kind is Fate.WITHHELD}
    assert {"/sender/name", "/addressee/address/lines/0", "/pieces/0/hs"} <= told
    assert JSON == report.format


async def test_what_the_gateway_itself_adds_to_a_delivery_is_not_in_its_report(
    speaking: Callable[..., Middle], noting: Noting
) -> None:
    own = ("/header/control_reference", "/provenance/message_id", "/provenance")
    noting.noted_on_writing = tuple(Note(kind=NoteKind.DROPPED, path=path) for path in own)
    middle = speaking()
    await middle.send("post-a", samples.ITEM)
    _, _, report = await prepared(middle, "risk")

    assert () == report.lines


@pytest.mark.parametrize(("country", "lost"), [("LU", []), ("BE", ["/destination_country"])])
async def test_what_the_gateway_has_filled_in_is_lost_only_where_it_says_something_else(
    speaking: Callable[..., Middle], noting: Noting, country: str, lost: list[str]
) -> None:
    noting.noted_on_writing = (Note(kind=NoteKind.DROPPED, path="/destination_country"),)
    middle = speaking()
    everywhere = (Route(name="items", kinds=("*",), to=("risk",)),)
    middle.network = msgspec.structs.replace(middle.network, routes=Routes(everywhere))
    await middle.send("post-a", samples.item(destination_country=country))
    _, _, report = await prepared(middle, "risk")

    assert lost == [line.path for line in report.lines]


async def test_the_journal_has_the_report_of_an_attempt(
    speaking: Callable[..., Middle], noting: Noting
) -> None:
    noting.noted_on_writing = (DEFAULTED,)
    middle = speaking()
    await middle.send("post-a", samples.ITEM)
    lease, delivery, report = await prepared(middle, "risk")
    settlement = Settlement(delivery=delivery, result=Result.DELIVERED, report=report)
    await middle.journal.settle(lease, [settlement], now=middle.now)

    (entry,) = await middle.journal.trace(samples.ITEM.item_id)
    (attempt,) = entry.attempts
    assert isinstance(attempt, Attempt)
    assert report == attempt.report
