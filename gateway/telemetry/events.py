"""Events with fields, as JSON lines or for a console; never content, never personal data.

Levels: INFO may be read by an operator, WARNING is retried by itself, ERROR needs a person. A
field is a name, a number, an id or a code that this project chose. The text of an exception is
none of these (it may quote what somebody sent), so an exception is logged as its type and the
places it went through: :func:`frames`.
"""

from __future__ import annotations

import io
import logging
import traceback
from typing import Any, Literal, TextIO, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

EventLog = FilteringBoundLogger
"""What events are written to: ``log.info("message.accepted", kind=...)``."""

Rendering = Literal["json", "console"]


def frames(error: BaseException, *, limit: int = 40) -> list[str]:
    """The type of ``error`` and the places it went through (``module:line function``)."""
    places = [type(error).__name__]
    places += [
        f"{frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_name}"
        for frame, line in tuple(traceback.walk_tb(error.__traceback__))[-limit:]
    ]
    cause = error.__cause__ or error.__context__
    if cause is not None and cause is not error:
        places.append(f"from {type(cause).__name__}")
    return places


def _without_text(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace an exception in the event by the places it went through."""
    error = event.pop("error", None)
    if isinstance(error, BaseException):
        event["error"] = frames(error)
    elif error is not None:
        event["error"] = error
    return event


def _in_order(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Time, level and name first, so that a line can be read from its beginning."""
    first = {name: event.pop(name) for name in ("at", "level", "event") if name in event}
    return {**first, **event}


def event_log(*, stream: TextIO, rendering: Rendering = "json", level: str = "info") -> EventLog:
    """A log that writes to ``stream``; nothing is configured globally.

    ``level`` is the least level written: debug, info, warning or error. An unknown one raises
    ``KeyError``.
    """
    last: Processor = (
        structlog.processors.JSONRenderer(sort_keys=False)
        if rendering == "json"
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    lasting = _Lasting(stream)
    log: EventLog = structlog.wrap_logger(
        structlog.PrintLogger(cast("TextIO", lasting)),
        processors=[
            _without_text,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            lasting.tell_lost,
            _in_order,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_level(level)),
        cache_logger_on_first_use=True,
    ).bind()
    return log


class _Lasting(io.TextIOBase):
    """A stream whose disk may be full: events are lost then, and nothing else.

    The first that is written again says how many: ``lost_before``.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lost = 0
        self._told = 0
        self._failed = False

    def write(self, text: str) -> int:
        """One line. Whether it was kept is known when it is flushed."""
        try:
            self._stream.write(text)
        except OSError:
            self._failed = True
        return len(text)

    def flush(self) -> None:
        """Write it out, or count it as lost."""
        try:
            self._stream.flush()
        except OSError:
            self._failed = True
        if self._failed:
            self._lost += 1
        else:
            self._lost -= self._told
        self._failed, self._told = False, 0

    def tell_lost(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        """A processor: how many events before this one were lost."""
        if self._lost:
            self._told = self._lost
            event["lost_before"] = self._lost
        return event


class _Bridge(logging.Handler):
    """Passes records of libraries on as events: who spoke, the constant text, never its arguments.

    Only the first line: asyncio appends the representation of tasks with their exceptions.
    """

    def __init__(self, log: EventLog) -> None:
        super().__init__(level=logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; its unformatted message is the library's own constant text."""
        fields: dict[str, Any] = {"library": record.name, "text": str(record.msg).split("\n", 1)[0]}
        if record.exc_info and record.exc_info[1] is not None:
            fields["error"] = record.exc_info[1]
        write = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        write("library.said", **fields)


def capture_libraries(log: EventLog) -> None:
    """Send what libraries log (WARNING and above) to ``log``; once, at the start of a process."""
    # Its warnings are verdicts, which are told as refusals, with names of certificates in them.
    logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)
    root = logging.getLogger()
    for handler in tuple(root.handlers):
        root.removeHandler(handler)
    root.addHandler(_Bridge(log))
    root.setLevel(logging.WARNING)


def _level(name: str) -> int:
    return {"debug": 10, "info": 20, "warning": 30, "error": 40}[name]
