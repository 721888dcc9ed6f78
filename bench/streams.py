"""A format that becomes another while it is read: `python -m bench.streams`.

Goal 4, and of goal 11 that time grows as the items do. Baseline: ``iterparse`` with the walk of the
reader written by hand, which makes the same items and writes nothing.
"""

from __future__ import annotations

import io
import multiprocessing
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Final

from bench.itmatt import Reader, items
from bench.results import Goal, Series, Told, goal_of
from bench.timing import least
from translators.canonical import Message
from translators.registry import standard
from translators.translator import Entry, FormatId, Translator, encode

SOURCE: Final = FormatId("upu.itmatt.1")
TARGETS: Final = {
    "XML to XML": FormatId("upu.cusitm.1"),
    "XML to JSON": FormatId("luxor.json.1"),
}
OF_WALK, MOST_MIB, LINEAR = 0.55, 16.0, 11.0
SIZES: Final = (1, 10, 100, 1_000, 10_000)
DOCUMENTS: Final = (1_000, 10_000, 100_000)
"""Items of the documents whose translation is watched for memory."""
WARM: Final = 50
MIB: Final = 1 << 20


def messages_of(source: Translator, document: BinaryIO) -> Iterable[Message]:
    """The messages of a document, one by one."""
    for reading in source.read(document):
        if isinstance(reading, Entry) and reading.message is not None:
            yield reading.message


def translate(source: Translator, target: Translator, document: BinaryIO) -> int:
    """Read and write piece by piece; how many bytes were written."""
    header = items(1).header
    return sum(len(piece) for piece in target.write(header, messages_of(source, document)))


def speed(count: int, *, rounds: int) -> Iterator[Goal]:
    """Both translations beside the walk."""
    formats, hand = standard(), Reader()
    source = formats.get(SOURCE)
    document = encode(source, items(count))

    def through(target: Translator) -> int:
        return translate(source, target, io.BytesIO(document))

    others = [formats.get(target) for target in TARGETS.values()]
    walk, *costs = least(
        count,
        lambda: hand.stream(document),
        *((lambda one=other: through(one)) for other in others),
        rounds=rounds,
    )
    print(f"{count:,} items from {SOURCE}: iterparse with the walk {walk:.1f} µs an item")
    for name, cost in zip(TARGETS, costs, strict=True):
        print(f"  {name:<12} {cost:6.1f} µs an item, {walk / cost:.1%} of the walk's speed")
        yield goal_of(
            f"4 {name}, streamed",
            baseline=walk,
            figure=cost,
            ratio=walk / cost,
            at_least=OF_WALK,
            unit="µs an item",
            what=f"iterparse with the walk by hand over {count:,} items; the same document read and"
            " written piece by piece",
        )


def growth(sizes: Sequence[int], *, rounds: int) -> Iterator[Told]:
    """Goal 11: what 10 times the items cost."""
    formats = standard()
    source, target = formats.get(SOURCE), formats.get(TARGETS["XML to XML"])

    def repeated(content: bytes, times: int) -> None:
        for _ in range(times):
            translate(source, target, io.BytesIO(content))

    times = {count: max(1, 1_000 // count) for count in sizes}
    works = [partial(repeated, encode(source, items(n)), times[n]) for n in sizes]
    costs = zip(sizes, least(1, *works, rounds=rounds), strict=True)
    seconds = {count: micros / times[count] / 1e6 for count, micros in costs}
    worst = max(pairwise(sizes), key=lambda pair: seconds[pair[1]] / seconds[pair[0]])
    few, many = (seconds[count] for count in worst)
    rates = tuple(count / seconds[count] for count in sizes)
    for count, rate in zip(sizes, rates, strict=True):
        print(f"  {count:>6,} items: {rate:8,.0f} items a second")
    yield goal_of(
        "11 ten times the items, translated",
        baseline=few * 1e3,
        figure=many * 1e3,
        ratio=many / few,
        at_most=LINEAR,
        unit="ms",
        what=f"XML to XML of {worst[0]:,} items; of {worst[1]:,}, the worst of the steps from"
        f" {sizes[0]} to {sizes[-1]:,}",
    )
    yield Series(
        plot="throughput-against-items",
        name="XML to XML, the library alone",
        x=tuple(map(float, sizes)),
        y=rates,
    )


def memory(counts: Sequence[int]) -> Iterator[Told]:
    """The peak of resident memory of a process that translates a file, beyond the ready one."""
    with tempfile.TemporaryDirectory() as folder:
        files = {count: Path(folder) / f"{count}.xml" for count in counts}
        source = standard().get(SOURCE)
        for count, path in files.items():
            with path.open("wb") as file:
                many = items(count)
                file.writelines(source.write(many.header, many.messages))
        for name, target in TARGETS.items():
            grown = {count: _apart(target, path) / MIB for count, path in files.items()}
            print(f"  {name}: " + ", ".join(f"{n:,} items {g:.1f} MiB" for n, g in grown.items()))
            most = max(grown.values())
            yield goal_of(
                f"4 memory of {name}",
                baseline=MOST_MIB,
                figure=most,
                ratio=most / MOST_MIB,
                at_most=1.0,
                unit="MiB",
                what="what is allowed beyond the ready process; the most of documents of"
                f" {_listed(grown)} items",
            )
            yield Series(
                plot="memory-against-items",
                name=name,
                x=tuple(map(float, grown)),
                y=tuple(grown.values()),
            )


def _listed(counts: Iterable[int]) -> str:
    return ", ".join(f"{count:,}" for count in counts)


def _apart(target: FormatId, path: Path) -> float:
    """Bytes that translating a file adds to a process of its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        return pool.submit(_added, target, path).result()


def _added(target: FormatId, path: Path) -> float:
    formats = standard()
    source, other = formats.get(SOURCE), formats.get(target)
    translate(source, other, io.BytesIO(encode(source, items(WARM))))
    with suppress(OSError):  # where the peak cannot be set back it is what it was: never too low
        Path("/proc/self/clear_refs").write_text("5")
    before = _resident("VmRSS")
    with path.open("rb") as document:
        translate(source, other, document)
    return max(0.0, _resident("VmHWM") - before)


def _resident(field: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return float(value.split()[0]) * 1024
    raise LookupError(field)


def measure(*, quick: bool) -> Iterator[Told]:
    """Goal 4, and goal 11 for translations."""
    yield from speed(2_000 if quick else 10_000, rounds=2 if quick else 5)
    yield from growth(SIZES[:-1] if quick else SIZES, rounds=3 if quick else 5)
    yield from memory(DOCUMENTS[1:2] if quick else DOCUMENTS)


def main() -> None:
    """Print every figure."""
    for _ in measure(quick=False):
        continue


if __name__ == "__main__":
    main()
