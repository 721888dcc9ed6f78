"""What formats publish as their schema, and what their readers do: the one holds the other.

Samples and generated messages satisfy the schema; what breaks it is refused. A format with
``unknown = "report"`` may take what is out of order or unheard of, if it says so.
"""

from __future__ import annotations

import io
import os
from collections import Counter
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Figure
from tests.mutations import mutants, record_mutants
from tests.schemas import schema_of
from tests.strategies import tried
from tests.variations import all_samples, expressible
from translators.faults import Fault, NoteKind
from translators.layout import LayoutTranslator
from translators.registry import standard
from translators.translator import Entry, Translator, encode

pytestmark = [pytest.mark.fuzz, pytest.mark.conformance("Schemas of our formats")]

each_format = pytest.mark.parametrize(
    "translator", [pytest.param(each, id=each.id) for each in standard()]
)
MUTANTS = 40
SILENT = frozenset({"changed places"})
"""What a format with ``unknown = "report"`` passes without a word: the order of elements."""


@each_format
def test_every_sample_satisfies_the_schema(translator: Translator, figure: Figure) -> None:
    satisfies = schema_of(translator)

    good = [satisfies(encode(translator, sample)) for sample in all_samples(translator)]

    figure("samples satisfy their schema", sum(good), len(good))
    assert all(good)


@each_format
@tried(25)
@given(data=st.data())
def test_generated_messages_satisfy_the_schema(translator: Translator, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(translator.kinds)))
    content = encode(translator, data.draw(expressible(translator, kind, most=2)))

    assert schema_of(translator)(content)


@each_format
def test_what_breaks_the_schema_is_refused_or_said(translator: Translator, figure: Figure) -> None:
    satisfies, random = schema_of(translator), Random(translator.id)
    strict = not isinstance(translator, LayoutTranslator) or translator.plan.refuse
    told: Counter[str] = Counter()
    silent: Counter[str] = Counter()
    for content in random.choices(documents(translator), k=mutant_number()):
        ((change, changed),) = changed_once(content, random)
        if satisfies(changed):
            continue
        refused, notes = heard(translator, changed)
        if refused:
            told["refused"] += 1
        elif notes - heard(translator, content)[1]:
            told["said"] += 1
        else:
            silent[change] += 1

    breaking = told.total() + silent.total()
    figure(f"{translator.id}: what breaks the schema is refused", told["refused"], breaking)
    if not strict:
        figure(f"{translator.id}: … is taken, and said", told["said"], breaking)
        figure(f"{translator.id}: … is taken without a word", silent.total(), breaking)
    assert breaking > mutant_number() // 2
    if strict:
        assert (0, {}) == (told["said"], silent)
    else:
        assert set(silent) <= SILENT


def mutant_number() -> int:
    return MUTANTS * int(os.environ.get("LUXOR_FUZZ") or 1)


def documents(translator: Translator) -> list[bytes]:
    """A document for each message of each sample."""
    return [
        encode(translator, msgspec.structs.replace(sample, messages=(message,)))
        for sample in all_samples(translator)
        for message in sample.messages
    ]


def changed_once(content: bytes, random: Random) -> list[tuple[str, bytes]]:
    if content.lstrip()[:1] in (b"<", b"{", b"["):
        return list(mutants(content, random, 1))
    return list(record_mutants(content, random, 1))


def heard(translator: Translator, content: bytes) -> tuple[bool, Counter[tuple[str, ...]]]:
    """Whether anything was refused, and everything else that was said of it."""
    refused, said = False, Counter[tuple[str, ...]]()
    for reading in translator.read(io.BytesIO(content), explain=True):
        faults = reading.faults if isinstance(reading, Entry) else ()
        if isinstance(reading, Fault):
            faults = (reading,)
        refused = refused or any(fault.refuses for fault in faults)
        said.update((fault.code, fault.path) for fault in faults)
        if isinstance(reading, Entry):
            said.update(
                (note.kind, note.path or note.source_path or "", note.detail)
                for note in reading.notes
                if note.kind is not NoteKind.MAPPED
            )
    return refused, said
