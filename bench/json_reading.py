"""What reading JSON strictly costs beside a bare parse: `python -m bench.json_reading`.

Goal 2. The baseline is ``orjson.loads`` of the same bytes, which makes dicts, finds no name that is
given twice and checks no type. Figures: the same messages decoded to their types without that
check; and all that the format does, its encoding, names, decimals and checks included.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import msgspec
import orjson

from bench.itmatt import items
from bench.results import Goal, goal_of
from bench.timing import least
from gateway.demo.generator import header, orders
from gateway.demo.generator import items as declared
from translators.canonical import Header, Interchange, Message
from translators.registry import standard
from translators.translator import Entry, FormatId, encode

AT: Final = datetime(2026, 11, 23, 8, tzinfo=UTC)
FORMAT: Final = FormatId("luxor.json.1")
WITHOUT, WITH = 0.60, 0.25
COUNT: Final = 100


class Typed(msgspec.Struct, forbid_unknown_fields=True):
    """An interchange as msgspec alone reads it: the last of two equal names wins."""

    interchange: Header
    messages: list[Message]


def documents() -> dict[str, Interchange]:
    """Items, orders, and one order: what a platform sends."""
    made = declared("bench", 4 * COUNT, at=AT)
    placed = orders("bench", COUNT, made, at=AT).placed
    head = header("bench", sender="platform-shop", recipient="gateway-lx", at=AT)
    return {
        f"{COUNT} items": items(COUNT),
        f"{COUNT} orders": Interchange(header=head, messages=tuple(placed[:COUNT])),
        "one order": Interchange(header=head, messages=tuple(placed[:1])),
    }


def compare(name: str, interchange: Interchange, *, rounds: int) -> Iterator[Goal]:
    """Both figures of one document; a goal is what the many items show."""
    formats = standard()
    translator, count = formats.get(FORMAT), len(interchange.messages)
    content = encode(translator, interchange)
    decoder = msgspec.json.Decoder(Typed)
    repeated = max(1, COUNT // count)
    read = [one for one in translator.read(io.BytesIO(content)) if isinstance(one, Entry)]
    assert [one.message for one in read] == list(decoder.decode(content).messages)

    def strictly() -> None:
        for _ in range(repeated):
            for _ in translator.read(io.BytesIO(content)):
                continue

    def typed() -> None:
        for _ in range(repeated):
            decoder.decode(content)

    def bare() -> None:
        for _ in range(repeated):
            orjson.loads(content)

    base, quickly, all_of_it = least(count * repeated, bare, typed, strictly, rounds=rounds)
    print(
        f"  {name:<11} {len(content) // count:5} bytes each: orjson.loads {base:5.1f} µs,"
        f" typed {quickly:5.1f} ({base / quickly:4.0%}), all of it {all_of_it:5.1f}"
        f" ({base / all_of_it:4.0%})"
    )
    for what, figure, bar, said in (
        (
            "without the check of names",
            quickly,
            WITHOUT,
            "the same messages decoded to their types",
        ),
        ("with the check of names", all_of_it, WITH, "all that luxor.json.1 checks"),
    ):
        yield goal_of(
            f"2 JSON to canonical, {what}, {name}",
            baseline=base,
            figure=figure,
            ratio=base / figure,
            at_least=bar,
            unit="µs a message",
            what=f"orjson.loads of the same bytes; {said}",
        )


def measure(*, quick: bool) -> Iterator[Goal]:
    """Goal 2, for many messages and for one."""
    for name, interchange in documents().items():
        yield from compare(name, interchange, rounds=10 if quick else 80)


def main() -> None:
    """Print every figure."""
    for _ in measure(quick=False):
        continue


if __name__ == "__main__":
    main()
