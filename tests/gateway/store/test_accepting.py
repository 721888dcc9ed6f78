"""What a commit keeps, what it answers a second time, and what it refuses."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from gateway.core.errors import Refused
from gateway.core.identifiers import InterchangeId, MessageId, message_id, record_time, resolve
from gateway.core.ports import Journal
from gateway.core.records import State, Stored, Subject
from tests.gateway.store.samples import (
    GATEWAY,
    PLATFORM,
    POST,
    START,
    ManualClock,
    accept,
    acceptance,
    digest,
    ids,
    item,
    lease,
    legs,
    message,
    refusal,
)
from trust.identity import PartyId

FIRST = InterchangeId("first")
GATEWAY_PARTY = PartyId("gateway-lx")


async def test_what_was_committed_is_found_as_it_was_given(journal: Journal) -> None:
    given = acceptance(await journal.reserve())
    stored = await journal.commit(given)
    assert await journal.find(POST, FIRST) == stored
    for name in Stored.__struct_fields__:
        expected = False if name == "repeated" else getattr(given, name)
        assert expected == getattr(stored, name)


async def test_an_unknown_id_is_not_found(journal: Journal) -> None:
    assert await journal.find(POST, InterchangeId("other")) is None


async def test_of_many_who_ask_at_once_each_finds_its_own(journal: Journal) -> None:
    accepted = [await accept(journal, f"a-{n}", content=b"%d" % n) for n in range(5)]
    refused = await journal.commit(refusal(await journal.reserve(), "r-0"))
    again = await journal.commit(refusal(await journal.reserve(), "r-0", attempt=2))
    names = [f"a-{n}" for n in range(5)] + ["r-0", "unknown"]
    found = await asyncio.gather(
        *(journal.find(POST, InterchangeId(name)) for name in names * 50),
        *(journal.find(PLATFORM, InterchangeId(name)) for name in names),
    )
    assert refused.record != again.record
    assert list(found) == [*accepted, again, None] * 50 + [None] * 7


async def test_a_breach_harms_none_of_those_that_come_with_it(journal: Journal) -> None:
    whole = [acceptance(await journal.reserve(), f"i-{n}", content=b"%d" % n) for n in range(3)]
    broken = acceptance(await journal.reserve(), "broken", digest="none")
    first, breach, *others = await asyncio.gather(
        *(journal.commit(one) for one in (whole[0], broken, *whole[1:])), return_exceptions=True
    )
    assert isinstance(breach, ValueError)
    assert [first, *others] == [Stored.of(one) for one in whole]
    assert await journal.find(POST, InterchangeId("broken")) is None


async def test_an_id_belongs_to_its_party(journal: Journal) -> None:
    await accept(journal)
    assert await journal.find(PLATFORM, FIRST) is None
    other = await accept(journal, party=PLATFORM, content=b"other")
    assert not other.repeated


async def test_the_received_bytes_are_kept_slice_by_slice(journal: Journal) -> None:
    slices = (b"<a>" * 4_000, b"", bytes(range(256)))
    stored = await accept(journal, raw=slices)
    found = [await journal.raw(stored.record, at) for at in range(4)]
    assert found == [*slices, None]


async def test_the_same_content_again_is_a_repeat_that_writes_nothing(journal: Journal) -> None:
    first = await accept(journal)
    again = await accept(journal, receipt="another", messages=[message(9)])
    assert again == msgspec.structs.replace(first, repeated=True)
    assert ids(await lease(journal)) == ["first"]
    assert await journal.trace(item(9).value) == ()


async def test_other_content_under_an_accepted_id_is_a_conflict(journal: Journal) -> None:
    await accept(journal)
    with pytest.raises(Refused) as refused:
        await accept(journal, content=b"other")
    assert refused.value.code == "interchange.conflict"


async def test_concurrent_repeats_give_one_acceptance_and_the_same_answer(
    journal: Journal,
) -> None:
    answers = await asyncio.gather(*(accept(journal) for _ in range(20)))
    assert len({answer.record for answer in answers}) == 1
    assert [answer.repeated for answer in answers].count(False) == 1
    assert len((await lease(journal)).deliveries) == 1


async def test_concurrent_conflicts_leave_one_acceptance(journal: Journal) -> None:
    contents = [b"a", b"b", b"c", b"d"]
    answers = await asyncio.gather(
        *(accept(journal, content=content) for content in contents), return_exceptions=True
    )
    kept = [answer for answer in answers if isinstance(answer, Stored)]
    refused = [answer.code for answer in answers if isinstance(answer, Refused)]
    assert len(kept) == 1
    assert refused == ["interchange.conflict"] * 3


async def test_a_refused_attempt_is_found_and_leaves_the_id_free(journal: Journal) -> None:
    refused = await journal.commit(refusal(await journal.reserve()))
    assert await journal.find(POST, FIRST) == refused
    repaired = await accept(journal, attempt=2, content=b"repaired")
    assert await journal.find(POST, FIRST) == repaired
    assert await journal.refusals("first") == (refused,)


async def test_the_latest_refused_attempt_is_found(journal: Journal) -> None:
    for attempt in (1, 2, 3):
        await journal.commit(refusal(await journal.reserve(), attempt=attempt))
    found = await journal.find(POST, FIRST)
    assert found is not None
    assert found.attempt == 3
    assert len(await journal.refusals("first")) == 3
    assert len(await journal.refusals("first", limit=2)) == 2


async def test_a_refused_repeat_of_an_accepted_interchange_gets_the_acceptance(
    journal: Journal,
) -> None:
    first = await accept(journal)
    again = await journal.commit(refusal(await journal.reserve(), attempt=2))
    assert again == msgspec.structs.replace(first, repeated=True)


async def test_a_control_reference_is_used_once_per_party(journal: Journal) -> None:
    await accept(journal, control_reference="REF1")
    with pytest.raises(Refused) as refused:
        await accept(journal, "second", content=b"2", control_reference="REF1")
    assert refused.value.code == "interchange.control-reference"
    assert await journal.find(POST, InterchangeId("second")) is None
    await accept(journal, "second", party=PLATFORM, content=b"2", control_reference="REF1")


async def test_a_refused_attempt_uses_no_control_reference(journal: Journal) -> None:
    await journal.commit(refusal(await journal.reserve(), "bad", control_reference="REF1"))
    assert not (await accept(journal, control_reference="REF1")).repeated


async def test_concurrent_uses_of_a_control_reference_leave_one(journal: Journal) -> None:
    answers = await asyncio.gather(
        *(accept(journal, f"id{n}", content=b"%d" % n, control_reference="REF1") for n in range(6)),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, Stored) for answer in answers) == 1


async def test_messages_carry_the_ids_made_of_record_and_ordinal(journal: Journal) -> None:
    stored = await accept(journal, messages=[message(1), message(2)])
    found = await journal.message(stored.record, 2)
    assert found is not None
    assert resolve(found.message_id) == (GATEWAY, stored.record, 2)
    assert found.body is None
    assert await journal.message(stored.record, 3) is None


async def test_a_message_is_kept_with_what_it_answers(journal: Journal) -> None:
    regards: MessageId = message_id(GATEWAY, 5, 1)
    planned = message(
        deadline=START + timedelta(hours=2),
        regards=regards,
        on_behalf_of=PLATFORM,
        upstream_id="up-1",
        function="amendment",
        legs=legs("risk", "revenue"),
    )
    stored = await accept(journal, messages=[planned])
    found = await journal.message(stored.record, 1)
    assert found is not None
    assert found.regards == regards
    assert found.on_behalf_of == PLATFORM
    assert found.upstream_id == "up-1"
    assert found.function == "amendment"
    assert found.destinations == ("risk", "revenue")
    assert found.accepted_at == START
    assert found.key == item(1)


async def test_versions_count_by_party_and_key(journal: Journal) -> None:
    found = []
    for n, party in enumerate((POST, POST, PLATFORM, POST)):
        stored = await accept(journal, f"id{n}", party=party, content=b"%d" % n)
        kept = await journal.message(stored.record, 1)
        assert kept is not None
        found.append((kept.version, kept.function))
    assert found == [
        (1, "original"),
        (2, "replacement"),
        (1, "original"),
        (3, "replacement"),
    ]


async def test_versions_of_one_kind_do_not_count_for_another(journal: Journal) -> None:
    event = msgspec.structs.replace(message(1, about=item(1)), kind="TransportEvent")
    await accept(journal, "event", messages=[event])
    stored = await accept(journal, "item", messages=[message(1, about=item(1))], content=b"item")
    kept = await journal.message(stored.record, 1)
    assert kept is not None
    assert (kept.version, kept.function) == (1, "original")


async def test_versions_count_within_one_interchange(journal: Journal) -> None:
    about = item(1)
    stored = await accept(journal, messages=[message(n, about=about) for n in (1, 2, 3)])
    kept = [await journal.message(stored.record, n) for n in (1, 2, 3)]
    assert [m.version for m in kept if m is not None] == [1, 2, 3]


async def test_equal_values_of_other_kind_or_origin_are_other_subjects(journal: Journal) -> None:
    subjects = [Subject("item", "X1", "NL"), Subject("item", "X1", "DE"), Subject("order", "X1")]
    stored = await accept(
        journal, messages=[message(n, about=subject) for n, subject in enumerate(subjects, 1)]
    )
    kept = [await journal.message(stored.record, n) for n in (1, 2, 3)]
    assert [m.version for m in kept if m is not None] == [1, 1, 1]
    assert len(await journal.trace("X1")) == 3


async def test_a_value_seen_again_after_a_year_is_another_item(
    journal: Journal, clock: ManualClock
) -> None:
    versions = []
    for n, days in enumerate((0, 365, 1)):
        clock.move(days=days)
        stored = await accept(journal, f"id{n}", content=b"%d" % n)
        kept = await journal.message(stored.record, 1)
        assert kept is not None
        versions.append(kept.version)
    assert versions == [1, 2, 1]
    assert len((await lease(journal)).deliveries) == 3
    assert len(await journal.trace(item(1).value)) == 3


async def test_an_answer_is_ordered_by_the_key_of_what_it_answers(journal: Journal) -> None:
    asked = await accept(journal, "asked", messages=[message(about=item(1))])
    answer = message(about=Subject("referral", "R-1"), key_of=(asked.record, 1), kind="Referral")
    answered = await accept(journal, "answered", messages=[answer], content=b"2")
    kept = await journal.message(answered.record, 1)
    assert kept is not None
    assert kept.key == item(1)
    taken = await lease(journal)
    assert [d.key for d in taken.deliveries] == [taken.deliveries[0].key] * 2
    assert ids(taken) == ["asked", "answered"]
    assert len(await journal.trace(item(1).value)) == 2
    assert len(await journal.trace("R-1")) == 1


async def test_an_answer_may_name_a_message_of_its_own_interchange(journal: Journal) -> None:
    record = await journal.reserve()
    answer = message(2, about=Subject("referral", "R-1"), key_of=(record, 1))
    await journal.commit(acceptance(record, messages=[message(1, about=item(1)), answer]))
    kept = await journal.message(record, 2)
    assert kept is not None
    assert kept.key == item(1)


@pytest.mark.parametrize(
    "changes",
    [
        {"messages": [message(subjects=())]},
        {"messages": [message(legs=legs("risk", lane=4))]},
        {"messages": [message(legs=legs("risk", "risk"))]},
        {"messages": [message(1), message(1)]},
        {"messages": [message(0)]},
        {"messages": [message(key_of=(1, 1))]},
        {"digest": "abc"},
        {"state": State.STAGED},
        {"state": State.REFUSED},
        {"staged": True},
        {"received_at": START.replace(tzinfo=None)},
    ],
)
async def test_a_breach_of_the_contract_is_an_error_and_leaves_nothing(
    journal: Journal, changes: dict[str, object]
) -> None:
    record = await journal.reserve()
    with pytest.raises(ValueError):  # noqa: PT011 - each breach has its own sentence
        await journal.commit(
            msgspec.structs.replace(
                acceptance(record),
                **{k: tuple(v) if isinstance(v, list) else v for k, v in changes.items()},
            )
        )
    assert await journal.find(POST, FIRST) is None
    assert await journal.raw(record, 0) is None
    assert await journal.lease("risk", limit=1, seconds=1, now=START) is None


async def test_record_numbers_rise_and_stay_up_when_the_clock_is_set_back(
    journal: Journal, clock: ManualClock
) -> None:
    before = [await journal.reserve() for _ in range(3)]
    clock.move(minutes=-10)
    after = [await journal.reserve() for _ in range(3)]
    numbers = [*before, *after]
    assert numbers == sorted(set(numbers))
    assert record_time(before[0]) == START


async def test_a_key_keeps_its_window_when_the_clock_is_set_back(
    journal: Journal, clock: ManualClock
) -> None:
    await accept(journal, "a")
    clock.move(hours=-3)
    stored = await accept(journal, "b", content=b"2", received_at=clock.at)
    kept = await journal.message(stored.record, 1)
    assert kept is not None
    assert kept.version == 2
    assert ids(await lease(journal)) == ["a", "b"]


async def test_one_message_may_be_large(journal: Journal) -> None:
    body = b'{"content":"' + bytes(range(32, 127)) * 10_000 + b'"}'
    await accept(journal, messages=[message(body=body)], content=body, raw=(body,))
    assert (await lease(journal)).deliveries[0].message.body == body


async def test_the_digest_of_what_comes_back_is_that_of_what_went_in(journal: Journal) -> None:
    content = "地址 Straße №5".encode() * 500
    stored = await accept(journal, content=content)
    assert digest(await journal.raw(stored.record, 0) or b"") == stored.digest


async def test_control_references_belong_to_who_sent_for_whom(journal: Journal) -> None:
    await accept(journal, control_reference="REF1")
    await accept(journal, "2", content=b"2", control_reference="REF1", on_behalf_of=PLATFORM)
    await accept(journal, "3", content=b"3", control_reference="REF1", on_behalf_of=GATEWAY_PARTY)
    await accept(journal, "4", content=b"4", control_reference="REF1", party=PLATFORM)

    with pytest.raises(Refused) as refused:
        await accept(journal, "5", content=b"5", control_reference="REF1", on_behalf_of=PLATFORM)

    assert refused.value.code == "interchange.control-reference"


async def test_versions_belong_to_who_sent_it_or_in_whose_name(journal: Journal) -> None:
    for number, (party, principal) in enumerate(
        [(POST, None), (PLATFORM, POST), (PLATFORM, None), (GATEWAY_PARTY, POST)]
    ):
        name = str(number)
        await accept(
            journal,
            name,
            content=name.encode(),
            party=party,
            on_behalf_of=principal,
            messages=[message(1, on_behalf_of=principal)],
        )

    entries = await journal.trace(item(1).value)
    assert [entry.message.version for entry in entries] == [1, 2, 1, 3]
