"""What translation reports cost: microseconds of a delivery, and bytes of the journal a message.

``python -m bench.reports [MESSAGES]``. Items are made up by the demonstration's generator. The
withheld paths are those of an agreement that hides both parties of an item.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from bench.timing import least
from gateway.agreements import Minimiser
from gateway.core.records import Result
from gateway.core.reports import Fate, Report, report_of
from gateway.demo.generator import header, items
from gateway.store.sqlite import open_sqlite
from tests.gateway.store.samples import acceptance, item, lease, legs, message, settled
from translators.canonical import ItemDeclaration
from translators.faults import Note
from translators.registry import standard
from translators.translator import FormatId, Translator

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
USUAL = 2_000
"""Messages."""
SEEN = (
    "item_id",
    "mail_class",
    "nature",
    "gross_weight",
    "declared_value",
    "sender/address/country",
    "addressee/address/country",
    "pieces/**",
)


def written(translator: Translator, made: Sequence[ItemDeclaration], *, told: bool) -> None:
    """Each item as a document of its own, as deliveries are."""
    head = header("bench", sender="FRA", recipient="LUA", at=AT)
    for one in made:
        notes: list[Note] = []
        b"".join(translator.write(head, (one,), notes.append if told else None))
        if told:
            report_of(notes, format_id=translator.id, kind="ItemDeclaration")


def reports(translator: Translator, made: Sequence[ItemDeclaration]) -> list[Report]:
    """The report of each item, minimised before."""
    head = header("bench", sender="FRA", recipient="LUA", at=AT)
    minimiser, found = Minimiser(SEEN), []
    for one in made:
        notes: list[Note] = []
        b"".join(translator.write(head, (one,), notes.append))
        own = (note for note in notes if not note.path.startswith(("/header/", "/provenance")))
        withheld = minimiser.minimise(one).dropped
        found.append(
            report_of(own, format_id=translator.id, kind="ItemDeclaration", withheld=withheld)
        )
    return found


async def journal(told: Sequence[Report | None]) -> tuple[float, float]:
    """Bytes of the journal a message, and microseconds of its settlement."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        opened = await open_sqlite(path, gateway=1, clock=lambda: AT)
        planned = [message(n, about=item(n), legs=legs("risk")) for n in range(1, len(told) + 1)]
        await opened.commit(acceptance(await opened.reserve(), messages=planned))
        at, cpu = 0, 0.0
        while at < len(told):
            taken = await lease(opened, now=AT, limit=64)
            found = zip(taken.deliveries, told[at : at + 64], strict=True)
            made = [settled(d, Result.DELIVERED, report=report) for d, report in found]
            began = time.process_time()
            await opened.settle(taken, made, now=AT)
            cpu += time.process_time() - began
            at += len(taken.deliveries)
        await opened.close()
        return path.stat().st_size / len(told), cpu / len(told) * 1e6


def main(count: int) -> None:
    """Print both tables."""
    made = items("bench", count, at=AT)
    print(f"{count} items\n\nencoding, µs a message      without      with report")
    for name in ("luxor.json.1", "luxor.proto.1", "upu.itmatt.1", "upu.cusitm.1"):
        translator = standard().get(FormatId(name))
        written(translator, made[:50], told=True)
        plain, with_report = least(
            count,
            partial(written, translator, made, told=False),
            partial(written, translator, made, told=True),
            rounds=2,
        )
        print(f"{name:24} {plain:10.1f} {with_report:14.1f}")
    print("\njournal                     bytes a message   µs a settlement   distinct reports")
    told = reports(standard().get(FormatId("upu.cusitm.1")), made)
    kinds: dict[str, list[Report | None]] = {
        "no report": [None] * count,
        "upu.cusitm.1": list(told),
        "the same, all different": _different(count),
    }
    for name, found in kinds.items():
        size, cpu = asyncio.run(journal(found))
        distinct = len({report.digest for report in found if report is not None})
        print(f"{name:24} {size:18.0f} {cpu:17.1f} {distinct:18}")
    withheld = [[v.path for v in report.values() if v.kind is Fate.WITHHELD] for report in told]
    text = sum(len(msgspec.json.encode(paths)) for paths in withheld) / count
    print(f"\n(the withheld paths of upu.cusitm.1 alone, as text: {text:.0f} bytes a message)")


def _different(count: int) -> list[Report | None]:
    """No two reports alike: 20 of 60 lines each, other ones in each message."""
    paths = [f"/pieces/0/field_{number}" for number in range(60)]
    return [
        report_of(
            (),
            format_id=FormatId("upu.cusitm.1"),
            kind="ItemDeclaration",
            withheld=random.Random(n).sample(paths, 20),
        )
        for n in range(count)
    ]


def show() -> None:
    """Print the figures of the usual size."""
    main(USUAL)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else USUAL)
