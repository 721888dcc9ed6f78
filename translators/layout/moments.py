"""Dates, times and instants on the wire: ISO 8601 profiles, or letters such as YYYYMMDD.

A local date, a local time, a local date with time and an instant are four types; only the last
has an offset, and must have it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
_WHOLE = "[0-9]{2}:[0-9]{2}:[0-9]{2}"
_OFFSET = r"(Z|[+\-](0[0-9]|1[0-3]):[0-5][0-9]|[+\-]14:00)"
"""XML Schema 1.0 part 2, 3.2.7.3: offsets reach from -14:00 to +14:00."""
_LETTERS = {
    "YYYY": "(?P<year>[0-9]{4})",
    "MM": "(?P<month>[0-9]{2})",
    "DD": "(?P<day>[0-9]{2})",
    "hh": "(?P<hour>[0-9]{2})",
    "mm": "(?P<minute>[0-9]{2})",
    "ss": "(?P<second>[0-9]{2})",
    "Z": "(?P<zone>Z|[+\\-][0-9]{2})",
}
_NEEDED = {
    "date": {"YYYY", "MM", "DD"},
    "time": {"hh", "mm"},
    "local": {"YYYY", "MM", "DD", "hh", "mm"},
    "instant": {"YYYY", "MM", "DD", "hh", "mm", "Z"},
}


@dataclass(frozen=True)
class Moment:
    """How one type stands on the wire. ``parse`` and ``format`` raise ValueError."""

    pattern: str
    base: str
    parse: Callable[[str], str]
    format: Callable[[object], str]
    sample: Callable[[int], str]
    iso: bool


def _checked(check: Callable[[str], object]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        check(text)
        return text

    return parse


def _date_text(value: object) -> str:
    assert isinstance(value, date)
    return value.isoformat()


def _time_text(value: object) -> str:
    assert isinstance(value, time)
    return value.isoformat()


def _local_text(value: object) -> str:
    assert isinstance(value, datetime)
    if value.tzinfo is not None:
        raise ValueError("has an offset")
    return value.isoformat()


def _instant_text(value: object) -> str:
    assert isinstance(value, datetime)
    if value.utcoffset() is None:
        raise ValueError("has no offset")
    text = value.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text


DATE = Moment(
    _DAY, "date", _checked(date.fromisoformat), _date_text, lambda n: f"2026-11-{n % 28 + 1:02}",
    iso=True,
)  # fmt: skip
TIME = Moment(
    _CLOCK, "time", _checked(time.fromisoformat), _time_text, lambda n: f"09:{n % 60:02}:00",
    iso=True,
)  # fmt: skip
LOCAL = Moment(
    f"{_DAY}T{_CLOCK}", "dateTime", _checked(datetime.fromisoformat), _local_text,
    lambda n: f"2026-11-{n % 28 + 1:02}T09:30:00", iso=True,
)  # fmt: skip
INSTANT = Moment(
    f"{_DAY}T{_CLOCK}{_OFFSET}", "dateTime", _checked(datetime.fromisoformat), _instant_text,
    lambda n: f"2026-11-{n % 28 + 1:02}T09:30:00Z", iso=True,
)  # fmt: skip


def _to_second(value: object) -> str:
    assert isinstance(value, datetime)
    if value.microsecond:
        raise ValueError("finer than the format")
    return _instant_text(value)


def _in_utc(value: object) -> str:
    assert isinstance(value, datetime)
    if value.utcoffset() is None:
        raise ValueError("has no offset")
    return _to_second(value.astimezone(UTC))


PROFILES = {
    "utc": replace(INSTANT, pattern=f"{_DAY}T{_WHOLE}Z", format=_in_utc),
    "seconds": replace(INSTANT, pattern=f"{_DAY}T{_WHOLE}{_OFFSET}", format=_to_second),
}
"""Instants of standards that are stricter: UTC alone, or no fractions of a second."""


def moment(kind: str, letters: str) -> Moment:
    """A type written in letters, such as ``YYYYMMDDhhmmssZ``; raises ValueError."""
    marks = re.findall("YYYY|MM|DD|hh|mm|ss|Z|.", letters)
    named = [mark for mark in marks if mark in _LETTERS]
    if len(set(named)) != len(named):
        raise ValueError(f"a letter stands twice in {letters!r}")
    if any(mark.isalnum() and mark not in _LETTERS and mark != "T" for mark in marks):
        raise ValueError(f"unknown letters in {letters!r}")
    if not _NEEDED[kind] <= set(named) or ("Z" in named and kind != "instant"):
        raise ValueError(f"{letters!r} is no {kind}")
    pattern = re.compile("".join(_LETTERS.get(mark) or re.escape(mark) for mark in marks))

    def parse(text: str) -> str:
        match = pattern.fullmatch(text)
        if match is None:
            raise ValueError("another form")
        return _iso(kind, match.groupdict())

    def written(value: object) -> str:
        if getattr(value, "microsecond", 0) or ("ss" not in named and getattr(value, "second", 0)):
            raise ValueError("finer than the format")
        return "".join(_letter(mark, value) for mark in marks)

    return Moment(
        pattern=re.sub(r"\?P<\w+>", "", pattern.pattern),
        base="token",
        parse=parse,
        format=written,
        sample=lambda number: written(_SAMPLES[kind](number)),
        iso=False,
    )


_SAMPLES: dict[str, Callable[[int], object]] = {
    "date": lambda number: date(2026, 11, number % 28 + 1),
    "time": lambda number: time(9, number % 60),
    "local": lambda number: datetime(2026, 11, number % 28 + 1, 9, 30),  # noqa: DTZ001  # local
    "instant": lambda number: datetime(2026, 11, number % 28 + 1, 9, 30, tzinfo=timezone.utc),  # noqa: UP017
}


def _iso(kind: str, found: dict[str, str | None]) -> str:
    """Canonical spelling; raises ValueError for days and hours that do not exist."""
    clock = [int(found.get(name) or 0) for name in ("hour", "minute", "second")]
    if kind == "time":
        return time(clock[0], clock[1], clock[2]).isoformat()
    day = date(int(found["year"] or 0), int(found["month"] or 0), int(found["day"] or 0))
    if kind == "date":
        return day.isoformat()
    zone = found.get("zone")
    tzinfo = None
    if zone is not None:
        tzinfo = timezone(timedelta(hours=0 if zone == "Z" else int(zone)))
    moment_ = datetime.combine(day, time(clock[0], clock[1], clock[2], tzinfo=tzinfo))
    return moment_.isoformat()


def _letter(mark: str, value: object) -> str:
    if mark == "Z":
        return _zone(value)
    if mark not in _LETTERS:
        return mark
    name = {"YYYY": "year", "MM": "month", "DD": "day", "hh": "hour", "mm": "minute"}
    number: int = getattr(value, name.get(mark, "second"))
    return f"{number:04}" if mark == "YYYY" else f"{number:02}"


def _zone(value: object) -> str:
    assert isinstance(value, datetime)
    offset = value.utcoffset()
    if offset is None or offset.total_seconds() % 3600:
        raise ValueError("the offset must be whole hours")
    hours = int(offset.total_seconds() // 3600)
    return f"{hours:+03}" if hours else "Z"
