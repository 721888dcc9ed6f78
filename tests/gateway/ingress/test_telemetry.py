"""Events carry fields and never the text of an exception."""

from __future__ import annotations

import io
import logging

import msgspec
import pytest

from gateway.telemetry import capture_libraries, event_log, frames


def fail() -> None:
    raise ValueError("Jane Roe")


def caught() -> Exception:
    try:
        fail()
    except ValueError as error:
        return error
    raise AssertionError


def test_exception_is_its_type_and_its_places() -> None:
    told = frames(caught())

    assert told[0] == "ValueError"
    assert told[-1].endswith(" fail")
    assert "Jane" not in str(told)


def test_cause_is_named_by_its_type() -> None:
    error = RuntimeError("outer")
    error.__cause__ = caught()

    assert frames(error)[-1] == "from ValueError"


def test_json_line_has_event_level_time_and_fields() -> None:
    stream = io.StringIO()
    event_log(stream=stream).bind(part="test").error("thing.failed", error=caught(), code="x")

    line = msgspec.json.decode(stream.getvalue())
    assert (line["event"], line["level"], line["part"], line["code"]) == (
        "thing.failed",
        "error",
        "test",
        "x",
    )
    assert line["at"].endswith("Z")
    assert "Jane" not in stream.getvalue()


def test_level_bounds_what_is_written() -> None:
    stream = io.StringIO()
    log = event_log(stream=stream, level="warning")

    log.info("quiet")
    log.warning("loud")

    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()


def test_unknown_level_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        event_log(stream=io.StringIO(), level="shout")


def test_console_is_readable() -> None:
    stream = io.StringIO()
    event_log(stream=stream, rendering="console").info("thing.done", n=1)

    assert "thing.done" in stream.getvalue()
    assert "n=1" in stream.getvalue()


def test_library_records_become_events_without_their_arguments() -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    try:
        capture_libraries(event_log(stream=stream))
        logging.getLogger("some.library").error("cannot handle %s", "Jane Roe")
        logging.getLogger("some.library").info("not interesting")
    finally:
        root.handlers[:] = before
        root.setLevel(level)

    [line] = [msgspec.json.decode(text) for text in stream.getvalue().splitlines()]
    assert (line["event"], line["library"]) == ("library.said", "some.library")
    assert line["text"] == "cannot handle %s"


class Disk(io.StringIO):
    """A stream that writes line by line, and fails while the disk is full."""

    full = False

    def flush(self) -> None:
        if self.full:
            raise OSError(28, "No space left on device")

    def write(self, text: str) -> int:
        self.flush()
        return super().write(text)


def test_what_a_full_disk_loses_of_the_log_is_counted_and_stops_nobody() -> None:
    disk = Disk()
    log = event_log(stream=disk)

    disk.full = True
    log.info("first.lost")
    log.info("second.lost")
    disk.full = False
    log.info("third.written")
    log.info("fourth.written")

    told = [msgspec.json.decode(line) for line in disk.getvalue().splitlines()]
    assert ["third.written", "fourth.written"] == [event["event"] for event in told]
    assert [2, None] == [event.get("lost_before") for event in told]
