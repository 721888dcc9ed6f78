"""What formats publish as their schema, and what their readers do: the one holds the other.

Samples and generated messages satisfy the schema; what breaks it is refused. A format with
``unknown = "report"`` may take what is out of order or unheard of, if it says so.
"""

from __future__ import annotations

import io
from collections import Counter
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.conftest import Figure
from tests.formats import every_format
from tests.mutations import mutants, record_mutants
from tests.schemas import schema_of
from tests.strategies import tried
from tests.variations import all_samples, expressible
from translators.faults import Fault, NoteKind
from translators.layout import LayoutTranslator
from translators.translator import Entry, Translator, encode

pytestmark = [pytest.mark.fuzz, pytest.mark.conformance("Schemas of our formats")]

each_format = pytest.mark.parametrize(
    "translator", [pytest.param(each, id=each.id) for each in every_format()]
)
MESSAGES = 50
MUTANTS = 20
"""Changed documents for each sample and each generated message."""


@each_format
def test_every_sample_satisfies_the_schema(translator: Translator, figure: Figure) -> None:
    satisfies = schema_of(translator)

    good = [satisfies(encode(translator, sample)) for sample in all_samples(translator)]

    figure("samples satisfy their schema", sum(good), len(good))
    assert all(good)


@each_format
def test_what_breaks_the_schema_of_a_sample_is_refused_or_said(
    translator: Translator, figure: Figure
) -> None:
    tally = sum((changed(translator, content) for content in documents(translator)), Counter())

    assert tally["breaking"] > 0
    judged(translator, tally, figure)


@each_format
@tried(MESSAGES)
@given(data=st.data())
def test_generated_messages_satisfy_the_schema_and_what_breaks_it_is_refused_or_said(
    translator: Translator, data: st.DataObject, figure: Figure
) -> None:
    kind = data.draw(st.sampled_from(sorted(translator.kinds)))
    content = encode(translator, data.draw(expressible(translator, kind, most=1)))

    assert schema_of(translator)(content)
    figure(f"{translator.id}: generated messages satisfy the schema", 1, 1)
    judged(translator, changed(translator, content), figure)


def changed(translator: Translator, content: bytes) -> Counter[str]:
    """What became of documents with one change each: of those that break the schema how many
    were refused, taken and said, or taken without a word (by the name of the change)."""
    satisfies, random = schema_of(translator), Random(content)
    known = heard(translator, content)[1]
    tally: Counter[str] = Counter()
    for change, mutant in mutants_of(content, random):
        if satisfies(mutant):
            continue
        refused, notes = heard(translator, mutant)
        tally["breaking"] += 1
        tally["refused" if refused else "said" if notes - known else change] += 1
    return tally


def judged(translator: Translator, tally: Counter[str], figure: Figure) -> None:
    """Count it for the figures, and hold the format to its word."""
    breaking, refused, said = (
        tally.pop("breaking", 0),
        tally.pop("refused", 0),
        tally.pop("said", 0),
    )
    figure(f"{translator.id}: what breaks the schema is refused", refused, breaking)
    if not isinstance(translator, LayoutTranslator) or translator.plan.refuse:
        assert (0, Counter()) == (said, tally)
        return
    figure(f"{translator.id}: … is taken, and said", said, breaking)
    figure(f"{translator.id}: … is taken without a word", tally.total(), breaking)
    assert Counter() == tally


def documents(translator: Translator) -> list[bytes]:
    """A document for each message of each sample."""
    return [
        encode(translator, msgspec.structs.replace(sample, messages=(message,)))
        for sample in all_samples(translator)
        for message in sample.messages
    ]


def mutants_of(content: bytes, random: Random) -> list[tuple[str, bytes]]:
    if content.lstrip()[:1] in (b"<", b"{", b"["):
        return list(mutants(content, random, MUTANTS))
    return list(record_mutants(content, random, MUTANTS))


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
                if note.kind is not NoteKind.MAPPED or "→" not in note.detail
            )
    return refused, said


def test_every_change_of_order_around_what_is_said_once_is_told() -> None:
    (translator,) = [each for each in every_format() if each.id == "eu.ics2.referral.2"]
    untold = []
    for content in documents(translator):
        known = heard(translator, content)[1]
        for at, one in enumerate(etree.fromstring(content)):
            root = etree.fromstring(content)
            after = root[at].getnext()
            if after is None or after.tag == one.tag:
                continue
            after.addnext(root[at])
            refused, notes = heard(translator, etree.tostring(root))
            if not refused and not notes - known:
                untold.append(f"{root.tag}: {one.tag}")
    assert [] == untold
