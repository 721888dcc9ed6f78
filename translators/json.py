"""The strict entry of JSON (RFC 8259): what parsers let pass and a gateway must not.

One way in for every format that is JSON: encoding, depth and repeated names are judged here, and
:func:`parse` reads numbers without a float in between. msgspec decodes; it takes the last of two
equal names silently, therefore :func:`members` counts what was written.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final

import msgspec

from translators.faults import Fault, TranslationError
from translators.pointer import child

MAX_DEPTH: Final = 32
"""Objects and lists inside each other; our deepest message needs twelve."""
MAX_NUMBER_DIGITS: Final = 40
"""Longer integers are no numbers of ours; converting them would cost more than they are worth."""

_SLICE: Final = 1 << 16
"""Bytes that are decoded at once to check them: a large document is not held twice."""
_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_BYTE: Final = re.compile(r"\(byte (\d+)\)")
_STRUCTURE: Final = b'":[]{}'
_OTHERS: Final = bytes(set(range(256)) - set(_STRUCTURE))
_BRACKETS: Final = bytes.maketrans(b"{}", b"[]")
_NUMBERS: Final = bytes(
    ord("0") if byte in b"0123456789._" else ord("e") if byte in b"eE" else byte
    for byte in range(256)
)
_SPACE_AND_SIGNS: Final = b" \t\r\n+-"
_EXPONENT: Final = re.compile(rb'[:\[,]\s*"?\s*[-+0-9._]+[eE][-+]?[0-9_]+\s*"?\s*[]},]')


class Parsed(msgspec.Struct, frozen=True):
    """A value read exactly, with the pointers of the names that an object has twice."""

    value: Any
    repeated: tuple[str, ...]


def encoding_fault(content: bytes) -> Fault | None:
    """What is wrong with the encoding: JSON is UTF-8 without a mark (RFC 8259 section 8.1)."""
    if content.startswith(_MARKS):
        return Fault(code="json.encoding", detail="a byte order mark; JSON is UTF-8 without one")
    if b"\0" in content[:4]:  # RFC 4627 section 3
        return Fault(code="json.encoding", detail="UTF-16 or UTF-32; JSON is UTF-8")
    if content.isascii():
        return None
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(content), _SLICE):
        try:
            decoder.decode(content[start : start + _SLICE], start + _SLICE >= len(content))
        except UnicodeDecodeError:
            line = content.count(b"\n", 0, start) + 1
            return Fault(code="json.encoding", detail="bytes that are no UTF-8", line=line)
    return None


def outline(content: bytes) -> bytes:
    """Brackets and colons outside strings, both kinds of brackets written as ``[]``."""
    if b"\\" in content:
        content = content.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = content.translate(_BRACKETS, _OTHERS).replace(b'""', b"")
    if b'"' in marks:  # Strings that hold marks themselves are left: every second part is one.
        marks = b"".join(marks.split(b'"')[::2])
    return marks


def members(content: bytes) -> int:
    """How many members the objects of well-formed JSON have together, as written."""
    return outline(content).count(b":")


def distinct_members(content: bytes) -> int:
    """How many members are left when equal names of an object are taken once."""
    return _distinct_members(msgspec.json.decode(content))


def _distinct_members(value: Any) -> int:
    if type(value) is dict:
        below, count = value.values(), len(value)
    else:
        below, count = value, 0
    for entry in below:
        if type(entry) is dict or type(entry) is list:
            count += _distinct_members(entry)
    return count


def is_too_deep(content: bytes) -> bool:
    """Whether brackets stand more than :data:`MAX_DEPTH` deep, told without parsing.

    Brackets that do not match say nothing here: the parser refuses them.
    """
    marks = outline(content).replace(b":", b"")
    if marks.count(b"[") <= MAX_DEPTH:
        return False
    for _ in range(MAX_DEPTH):
        if b"[" * (MAX_DEPTH + 1) in marks:
            return True
        shorter = marks.replace(b"[]", b"")
        if len(shorter) == len(marks):
            return False
        marks = shorter
    return bool(marks)


class Skimmed:
    """Well-formed JSON seen in one pass, for bounds that are cheaper than what they bound."""

    __slots__ = ("_content", "_marks")

    def __init__(self, content: bytes) -> None:
        self._content = content
        # Without white space, also inside strings, so that a colon follows the name it is for.
        self._marks = content.translate(_NUMBERS, _SPACE_AND_SIGNS)

    def members_at_most(self) -> int:
        """No fewer than :func:`members`; as many, unless a string begins with a colon or has one
        behind a quote."""
        return self._marks.count(b'":')

    def has_exponent(self) -> bool:
        """What :func:`has_exponent` says."""
        return b"0e0" in self._marks and has_exponent(self._content)


def has_exponent(content: bytes) -> bool:
    """Whether a number or a text that is one may be written with an exponent."""
    return _EXPONENT.search(content) is not None


def parse(content: bytes) -> Parsed:
    """Read exactly: integers and decimals as such, a number with an exponent as a float.

    Raises :class:`TranslationError` with ``json.encoding``, ``json.depth`` or ``json.malformed``.
    """
    fault = encoding_fault(content)
    if fault is not None:
        raise TranslationError([fault])
    if is_too_deep(content):
        raise TranslationError([depth_fault()])
    repeated: list[Any] = []
    try:
        _check(content)
        value = json.loads(
            content.decode(),
            object_pairs_hook=_collector(repeated),
            parse_float=_number,
            parse_int=_integer,
            parse_constant=_constant,
        )
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise TranslationError([malformed(content, error)]) from error
    return Parsed(value, tuple(_repeated(value, "")) if repeated else ())


def _check(content: bytes) -> None:
    """Refuse what is not JSON as msgspec does, which knows more than the parser of Python."""
    try:
        msgspec.json.decode(content, type=msgspec.Raw)
        if (
            b"\\u" in content
        ):  # Python lets half of a surrogate pair through (RFC 8259 section 8.2).
            msgspec.json.decode(content)
    except msgspec.ValidationError:
        return  # a number beyond its range, which is JSON


def depth_fault() -> Fault:
    """The fault of a document that is nested too deep."""
    return Fault(code="json.depth", detail=f"nested deeper than {MAX_DEPTH}")


def malformed(content: bytes, error: Exception) -> Fault:
    """The fault of a document that is not JSON, with the line where that shows."""
    if isinstance(error, RecursionError):
        return depth_fault()
    found = _BYTE.search(str(error))
    end = int(found[1]) if found else len(content)
    reason = _BYTE.sub("", str(error)).removeprefix("JSON is malformed: ").strip()
    line = content[:end].rstrip().count(b"\n") + 1
    return Fault(code="json.malformed", detail=reason, line=line)


class _Repeated(dict[str, Any]):
    """An object of which some names were written more than once; it holds the last of each."""

    __slots__ = ("names",)
    names: tuple[str, ...]


def _collector(repeated: list[Any]) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        plain = dict(pairs)
        if len(plain) == len(pairs):
            return plain
        marked = _Repeated(plain)
        written = Counter(name for name, _ in pairs)
        marked.names = tuple(name for name in plain if written[name] > 1)
        repeated.append(marked)
        return marked

    return collect


def _repeated(value: object, path: str) -> Iterator[str]:
    if isinstance(value, _Repeated):
        yield from (child(path, name) for name in value.names)
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _repeated(below, child(path, name))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _repeated(below, child(path, index))


def _number(text: str) -> Decimal | float:
    return float(text) if "e" in text or "E" in text else Decimal(text)


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= MAX_NUMBER_DIGITS else Decimal(text)


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")  # RFC 8259 section 6
