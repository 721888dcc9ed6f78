"""Code tables: the wire's spelling on the left, ours on the right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class CodeTable:
    """One table. Open tables pass unknown codes in their original spelling; closed refuse.

    ``wire`` maps the wire's spelling to ours, ``ours`` back. An unknown code that is spelled
    like a known one of the other side would come out changed on the way back: it is ambiguous.
    """

    name: str
    wire: Mapping[str, str]
    closed: bool = False
    ours: Mapping[str, str] = field(default_factory=dict)

    @property
    def exact(self) -> Mapping[str, str]:
        """The codes that are written as they were read; the others are read-only."""
        return {code: name for code, name in self.wire.items() if self.ours.get(name) == code}


def table(
    name: str, codes: Mapping[str, str], read_only: tuple[str, ...], *, closed: bool
) -> tuple[CodeTable, tuple[str, ...]]:
    """Make a table; the second value names mistakes."""
    ours: dict[str, str] = {}
    mistakes = [
        f"read-only code {code!r} is not in the table" for code in read_only if code not in codes
    ]
    for wire, name_with_us in codes.items():
        if wire in read_only:
            continue
        if name_with_us in ours:
            mistakes.append(
                f"{ours[name_with_us]!r} and {wire!r} both mean {name_with_us!r}: "
                "make one of them read-only"
            )
        ours.setdefault(name_with_us, wire)
    mistakes += [
        f"{codes[wire]!r} has only read-only codes"
        for wire in read_only
        if wire in codes and codes[wire] not in ours
    ]
    return CodeTable(name, dict(codes), closed, ours), tuple(mistakes)
