"""The dictionaries of the journal's codec: trained from made-up messages, and what they save.

``python -m bench.dictionaries [--write]``. With ``--write`` the files of ``gateway/store`` are made
again. Rows need the dictionary that they were packed with for ever: a better one gets a new number,
and the old file stays. ``tests/gateway/store/test_codec.py`` makes sure that the files are these.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import msgspec
import zstandard

from gateway.demo.generator import header, items, orders, write
from gateway.store.codec import DICTIONARIES, Codec
from translators.canonical import Message

AT = datetime(2026, 3, 1, tzinfo=UTC)
SIZE = 16 << 10
FOLDER = Path(__file__).parents[1] / "gateway/store"
XML_FORMATS = ("upu.itmatt.1", "upu.cusitm.1")


def messages(seed: str, count: int) -> tuple[list[Message], list[Message]]:
    """Items, and orders for a part of them."""
    declared = items(seed, count, at=AT)
    return [*declared], [*orders(seed, count // 4, declared, at=AT).placed]


def json_documents(seed: str, count: int) -> list[bytes]:
    """Canonical content as the journal keeps it."""
    return [msgspec.json.encode(m) for group in messages(seed, count) for m in group]


def xml_documents(seed: str, count: int) -> list[bytes]:
    """Documents of one item, as posts send them."""
    declared, _ = messages(seed, count)
    head = header("r1", sender="post-a", recipient="gateway-lx", at=AT)
    return [b"".join(write(name, head, [one])) for name in XML_FORMATS for one in declared]


SAMPLES: dict[str, Callable[[str, int], list[bytes]]] = {
    "json": json_documents,
    "xml": xml_documents,
}


def strangers(documents: list[bytes]) -> Iterator[bytes]:
    """The same documents with values that no dictionary can know: letters and digits at random."""
    chance = Random(5)

    def other(found: re.Match[bytes]) -> bytes:
        return found[1] + bytes(_other(chance, letter) for letter in found[2]) + found[3]

    for document in documents:
        pattern = rb'(:")([^"]*)(")' if document[:1] in b"{[" else rb"(>)([^<]+)(<)"
        yield re.sub(pattern, other, document)


def _other(chance: Random, letter: int) -> int:
    for letters in (b"abcdefghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"0123456789"):
        if letter in letters:
            return chance.choice(letters)
    return letter


def train(name: str) -> bytes:
    """The dictionary of that name; the same bytes each time with the same zstandard."""
    number = DICTIONARIES[name]
    samples: list[bytes | bytearray | memoryview] = [*SAMPLES[name]("dictionary", 1_200)]
    return zstandard.train_dictionary(SIZE, samples, dict_id=number, threads=0).as_bytes()


def tell(name: str, documents: list[bytes], what: str) -> None:
    """Print what is saved, and the time of packing and unpacking."""
    codec, plain = Codec(), zstandard.ZstdCompressor(level=3, write_checksum=True)
    whole, without = sum(map(len, documents)), sum(len(plain.compress(d)) for d in documents)
    began = time.process_time()
    packed = [codec.pack(document) for document in documents]
    packing = time.process_time() - began
    assert [codec.unpack(stored) for stored in packed] == documents
    unpacking = time.process_time() - began - packing
    stored, count = sum(map(len, packed)), len(documents)
    print(
        f"{name:4} {what:16} {whole / count:5.0f} bytes, alone {without / count:4.0f}"
        f" ({whole / without:.1f} times), with its dictionary {stored / count:4.0f}"
        f" ({whole / stored:.1f} times); {packing / count * 1e6:.0f} µs in,"
        f" {unpacking / count * 1e6:.0f} out"
    )


def show() -> None:
    """Print what the dictionaries save."""
    for name, make in SAMPLES.items():
        documents = make("others", 400)
        tell(name, documents, "other samples")
        tell(name, list(strangers(documents)), "strange values")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--write", action="store_true", help="make the files again")
    if parser.parse_args().write:
        for name, number in DICTIONARIES.items():
            (FOLDER / f"{name}.{number}.zdict").write_bytes(train(name))
    show()


if __name__ == "__main__":
    main()
