"""Record numbers sort by time and fit JSON; message ids carry where a message lies."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.identifiers import (
    EPOCH,
    MessageId,
    first_record,
    message_id,
    record_number,
    record_time,
    resolve,
    short_reference,
)

NOW = datetime(2026, 11, 21, 12, 30, 15, tzinfo=UTC)


@given(
    gateway=st.integers(0, (1 << 37) - 1),
    record=st.integers(0, (1 << 53) - 1),
    ordinal=st.integers(1, (1 << 32) - 1),
)
def test_a_message_id_resolves_to_gateway_record_and_ordinal(
    gateway: int, record: int, ordinal: int
) -> None:
    identifier = message_id(gateway, record, ordinal)

    assert (gateway, record, ordinal) == resolve(identifier)
    assert str(UUID(identifier)) == identifier


def test_a_message_id_is_a_version_8_uuid() -> None:
    identifier = UUID(message_id(7, record_number(NOW, 99), 3))

    assert (identifier.version, identifier.variant) == (8, "specified in RFC 4122")


@pytest.mark.parametrize(
    "foreign",
    ["", "x", "4c8a8f1e-6d0b-4a0a-9f6e-3b8f4f3f2a11", "00000000-0000-8000-8000-000000000000"],
)
def test_what_is_no_message_id_resolves_to_nothing(foreign: str) -> None:
    assert resolve(foreign) is None


def test_record_numbers_sort_by_time_and_are_exact_in_json() -> None:
    earlier, later = record_number(NOW, (1 << 22) - 1), record_number(NOW + timedelta(seconds=1), 0)

    assert earlier < later < 1 << 53
    assert record_time(earlier) == NOW


def test_a_time_before_the_epoch_has_no_record_number() -> None:
    with pytest.raises(ValueError, match="outside the range"):
        record_number(datetime(2025, 12, 31, tzinfo=UTC), 0)


@pytest.mark.parametrize("since", [None, datetime(2020, 1, 1, tzinfo=UTC)])
def test_before_the_first_record_every_record_was_drawn_later(since: datetime | None) -> None:
    assert 0 == first_record(since)


def test_records_since_a_time_are_those_drawn_in_its_second_or_later() -> None:
    at = EPOCH + timedelta(days=10)
    since = first_record(at)

    assert record_number(at - timedelta(seconds=1), 4_000_000) < since <= record_number(at, 0)


def test_since_a_far_future_nothing_was_drawn() -> None:
    assert record_number(EPOCH + timedelta(days=365 * 50), 0) < first_record(
        datetime(9999, 1, 1, tzinfo=UTC)
    )


@given(
    gateway=st.integers(0, 36**4 - 1),
    record=st.integers(0, (1 << 53) - 1),
    ordinal=st.integers(1, 36**5 - 1),
)
def test_a_short_reference_has_at_most_22_characters_and_all_of_the_id(
    gateway: int, record: int, ordinal: int
) -> None:
    reference = short_reference(message_id(gateway, record, ordinal))

    assert len(reference) <= 22
    assert [gateway, record, ordinal] == [int(part, 36) for part in reference.split("-")]


def test_what_is_no_id_of_ours_is_its_own_reference() -> None:
    assert "f0000000000040008000000000000001" == short_reference(
        MessageId("f0000000-0000-4000-8000-000000000001")
    )
