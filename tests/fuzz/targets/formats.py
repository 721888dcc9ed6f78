"""Every format of the package and of the examples, read as an ingress reads it."""

from __future__ import annotations

import io
import re
from functools import partial

from tests.formats import every_format
from tests.fuzz.target import Broken, Prepared, Target
from tests.mutations import POISON
from tests.variations import all_samples
from translators.canonical import Header
from translators.defects import MAX_FAULTS
from translators.faults import Fault
from translators.translator import Entry, Translator, encode

MOST_READINGS = 70_000
"""More than there are bytes in an input; a reader that never ends would come here."""
_WORD = re.compile(rb"[A-Za-z][A-Za-z0-9:_-]{2,30}")
XML_WORDS = (
    *(b"<!DOCTYPE x [", b"<!ENTITY e SYSTEM 'file:///etc/hostname'>", b"&e;", b"<![CDATA["),
    *(b"<?xml version='1.0' encoding='utf-16'?>", b"<!--", b"<?x ?>", b"xmlns=''"),
)


def judge_reading(translator: Translator, data: bytes) -> bool:
    """Read to the end: a header, entries and faults, no more of them than is bounded."""
    taken = False
    for number, reading in enumerate(translator.read(io.BytesIO(data))):
        if number > MOST_READINGS:
            raise Broken("there is no end to it")
        if isinstance(reading, Entry):
            refused = any(fault.refuses for fault in reading.faults)
            if (reading.message is None) != refused or len(reading.faults) > MAX_FAULTS + 1:
                raise Broken("a message stands beside faults that refuse it, or nothing at all")
        elif not isinstance(reading, Header | Fault):
            raise Broken(f"neither header nor entry nor fault: {type(reading).__name__}")
        taken = taken or (isinstance(reading, Entry) and reading.message is not None)
    return taken


def _prepare(translator: Translator) -> Prepared:
    seeds = [encode(translator, sample) for sample in all_samples(translator)]
    words = {word for seed in seeds for word in _WORD.findall(seed)}
    if any(seed.lstrip().startswith(b"<") for seed in seeds):
        words |= set(XML_WORDS)
    return Prepared(
        judge=partial(judge_reading, translator),
        seeds=seeds,
        words=[*sorted(words)[:300], *POISON],
    )


TARGETS = tuple(
    Target(name=f"format-{each.id}", prepare=partial(_prepare, each), share=0.2)
    for each in every_format()
)
