"""Numbers and ids of the gateway: record numbers and message ids.

A record number has 53 bits, so that JSON carries it exactly: seconds since 2026-01-01 UTC times
2^22 plus a counter. It sorts by time and is unique, but numbers may be missing. A message id is a
version-8 UUID (RFC 9562, 5.8) made of the gateway's number, the record number and the message's
ordinal: stable for receivers and resolvable without an index.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import NewType
from uuid import UUID

InterchangeId = NewType("InterchangeId", str)
MessageId = NewType("MessageId", str)
RecordNumber = NewType("RecordNumber", int)

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
COUNTER_BITS = 22
RECORD_BITS = 53
ORDINAL_BITS = 32
GATEWAY_BITS = 37  # what is left of the 122 free bits of a version-8 UUID
_VERSION = 8 << 76
_VARIANT = 0b10 << 62
_ID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
"""As ids are written here; how else they may be written is for :class:`UUID` to say."""
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PAIRS = tuple(high + low for high in _DIGITS for low in _DIGITS)
"""Two digits in base 36 of each number below 1,296."""


def record_number(at: datetime, counter: int) -> RecordNumber:
    """The record number for ``counter`` (any non-negative integer) drawn at ``at``."""
    seconds = int((at - EPOCH).total_seconds())
    if not 0 <= seconds < 1 << (RECORD_BITS - COUNTER_BITS):
        raise ValueError(f"the time {at.isoformat()} lies outside the range of record numbers")
    return RecordNumber((seconds << COUNTER_BITS) | (counter & ((1 << COUNTER_BITS) - 1)))


def record_time(record: int) -> datetime:
    """When the record number was drawn, to the second."""
    return datetime.fromtimestamp(EPOCH.timestamp() + (record >> COUNTER_BITS), UTC)


def first_record(since: datetime | None) -> RecordNumber:
    """The least record number that may have been drawn since then; of ``None``, the least of all.

    Later than all numbers is the end of their range: nothing was drawn since then.
    """
    if since is None or since < EPOCH:
        return RecordNumber(0)
    seconds = int((since - EPOCH).total_seconds())
    return RecordNumber(min(seconds << COUNTER_BITS, 1 << RECORD_BITS))


def message_id(gateway: int, record: int, ordinal: int) -> MessageId:
    """The id of message ``ordinal`` (from 1) of ``record`` at the gateway with that number."""
    if not 0 <= gateway < 1 << GATEWAY_BITS or not 0 < ordinal < 1 << ORDINAL_BITS:
        raise ValueError("gateway number or ordinal out of range")
    free = (gateway << (RECORD_BITS + ORDINAL_BITS)) | (record << ORDINAL_BITS) | ordinal
    high, middle, low = free >> 74, (free >> 62) & 0xFFF, free & ((1 << 62) - 1)
    digits = f"{(high << 80) | _VERSION | (middle << 64) | _VARIANT | low:032x}"
    return MessageId(f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}")


def short_reference(identifier: MessageId) -> str:
    """A message id in at most 22 characters, for references of other systems (ICS2 LRN, an..22).

    Gateway, record and ordinal in base 36: as unique as the id itself. At gateways with a number
    above 1,679,615 it is longer; what is no id of ours is returned without its hyphens.
    """
    address = resolve(identifier)
    if address is None:
        return identifier.replace("-", "")
    gateway, record, ordinal = (_base36(number) for number in address)
    return f"{gateway}-{record.rjust(11, '0')}-{ordinal}"


@lru_cache(maxsize=1024)
def _base36(number: int) -> str:
    digits = ""
    while number:
        number, pair = divmod(number, len(_PAIRS))
        digits = _PAIRS[pair] + digits
    return digits.lstrip("0") or "0"


def resolve(identifier: str) -> tuple[int, RecordNumber, int] | None:
    """Gateway number, record and ordinal of a message id; ``None`` if it is not one of ours."""
    try:
        value = int(identifier.replace("-", ""), 16) if _ID(identifier) else UUID(identifier).int
    except ValueError:
        return None
    if (value >> 76) & 0xF != 8 or (value >> 62) & 0b11 != 0b10:
        return None
    free = ((value >> 80) << 74) | (((value >> 64) & 0xFFF) << 62) | (value & ((1 << 62) - 1))
    ordinal = free & ((1 << ORDINAL_BITS) - 1)
    record = (free >> ORDINAL_BITS) & ((1 << RECORD_BITS) - 1)
    if ordinal == 0:
        return None
    return free >> (RECORD_BITS + ORDINAL_BITS), RecordNumber(record), ordinal
