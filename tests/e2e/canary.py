"""Values that must stay where they belong, and the search for them everywhere else.

A canary is a text that nothing else contains. It is looked for as it is and in every form in
which it could leak without being seen: other encodings, base64 at each alignment, hexadecimal.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

MARK = "QZKANARY"
"""In every canary that is a text; letters alone, so that JSON and URLs leave it as it is."""
DIGITS = ("9173104455", "91731001")
"""In every canary that is a number: telephones, and amounts of money."""
EXCERPT = 60


def _forms(text: str) -> Iterator[bytes]:
    plain = text.encode()
    yield plain
    yield plain.lower()
    yield from (text.encode(name) for name in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"))
    yield plain.hex().encode()
    yield plain.hex().upper().encode()
    for start in range(3):  # whichever byte of three the canary begins at
        yield base64.b64encode(plain[start : start + (len(plain) - start) // 3 * 3])
    yield "".join(f"%{byte:02X}" for byte in plain).encode()
    yield "".join(f"&#{byte};" for byte in plain).encode()
    yield "".join(f"\\u{byte:04x}" for byte in plain).encode()


FORMS = tuple(dict.fromkeys(form for text in (MARK, *DIGITS) for form in _forms(text)))


def leaks_in(content: bytes, forms: Iterable[bytes] = FORMS) -> list[str]:
    """What stands around each canary in some content; empty without one."""
    found = []
    for form in forms:
        at = content.find(form)
        if at >= 0:
            found.append(repr(content[max(at - EXCERPT, 0) : at + len(form) + EXCERPT]))
    return found


def leaks_below(folder: Path, *, may_hold: Callable[[Path], bool]) -> tuple[list[str], int]:
    """Canaries in any file or file name below, but where they belong; how many were searched."""
    found, searched = [], 0
    for file in sorted(folder.rglob("*")):
        if not file.is_file() or may_hold(file.relative_to(folder)):
            continue
        searched += 1
        content = str(file.relative_to(folder)).encode() + b"\n" + file.read_bytes()
        found += [f"{file.relative_to(folder)}: {leak}" for leak in leaks_in(content)]
    return found, searched


class Brand:
    """Puts a canary into every personal value of a message; the same value gets the same one.

    ``spared`` are names that must stay, because something is found by them.
    """

    def __init__(self, spared: Iterable[str] = ()) -> None:
        self._spared = frozenset(spared)
        self._numbers: dict[str, int] = {}

    def __call__(self, value: Any, name: str = "") -> Any:
        """The value with canaries, to any depth."""
        if isinstance(value, tuple):
            return tuple(self(each, name) for each in value)
        if isinstance(value, msgspec.Struct):
            if name == "postage":
                return msgspec.structs.replace(value, amount=Decimal(DIGITS[1]))
            fields = {
                field: self(getattr(value, field), field) for field in value.__struct_fields__
            }
            return msgspec.structs.replace(value, **fields)
        if isinstance(value, str) and name in _BRANDS and value not in self._spared:
            return _BRANDS[name](value, self._numbers.setdefault(value, len(self._numbers)))
        return value


def _appended(value: str, number: int) -> str:
    return f"{value} {MARK}{number:04}"


_BRANDS: dict[str, Callable[[str, int], str]] = {
    **dict.fromkeys(
        ("name", "first_name", "last_name", "organisation", "lines", "city", "description",
         "statement", "evidence"),
        _appended,
    ),
    "telephone": lambda _, number: f"+{DIGITS[0]}{number:04}",
    "email": lambda _, number: f"{MARK}{number:04}@example.com",
    "buyer_id": lambda _, number: f"B-{MARK}{number:04}",
    "url": lambda value, number: f"{value}?{MARK}{number:04}",
}  # fmt: skip
