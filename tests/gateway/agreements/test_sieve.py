"""What is worked out once for a kind lets through what deciding leaf by leaf lets through."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.agreements import Minimiser
from gateway.agreements.minimise import ENVELOPE
from tests import samples
from tests.strategies import messages, tried
from translators.canonical import KINDS, Message, kind_of
from translators.model import describe

GLOBS = (
    "item_id", "order_id", "*_id", "sender", "sender/address", "addressee/address/country",
    "*/address/country", "**/name", "pieces", "pieces/*/hs", "pieces/*/amount", "lines/**",
    "extra", "extra/a*", "items/*/commodity", "parcels", "seller/references/*", "regards",
    "*/*/country", "**/references/*/value", "receptacles/*/item_ids", "subject", "destination_*",
)  # fmt: skip


def minimiser_of(globs: list[str], kind: str) -> Minimiser:
    """For fields among which is what the kind requires, and what parts of it require."""
    fields = [*globs, *needs(kind)]
    return Minimiser([*fields, *Minimiser(fields).missing(kind)])


def needs(kind: str) -> list[str]:
    """Globs for what a kind requires, so that something is left of it."""
    return [field.name for field in describe(KINDS[kind]).fields if field.required]


@given(message=messages(), globs=st.lists(st.sampled_from(GLOBS), max_size=6, unique=True))
@tried(120)
def test_it_withholds_and_names_what_the_plain_rule_does(
    message: Message, globs: list[str]
) -> None:
    minimiser = minimiser_of(globs, kind_of(message))
    kept, dropped = plainly(minimiser, message)
    seen = minimiser.minimise(message)

    assert tuple(dropped) == seen.dropped
    assert kept == without_empty(msgspec.to_builtins(seen.message))
    assert message == seen.message or dropped


@given(message=messages(), globs=st.lists(st.sampled_from(GLOBS), max_size=6, unique=True))
@tried(120)
def test_what_is_left_is_a_message_of_the_model(message: Message, globs: list[str]) -> None:
    seen = minimiser_of(globs, kind_of(message)).minimise(message).message

    assert seen == msgspec.json.decode(msgspec.json.encode(seen), type=KINDS[kind_of(message)])


def plainly(minimiser: Minimiser, message: Message) -> tuple[Any, list[str]]:
    """Leaf by leaf over plain values: what is left, without empty parts, and what is not."""
    dropped: list[str] = []

    def keep(value: Any, path: str, pointer: str) -> Any:
        if isinstance(value, dict):
            return {n: keep(one, f"{path}/{n}", f"{pointer}/{n}") for n, one in value.items()}
        if isinstance(value, list | tuple):
            return [keep(one, f"{path}/*", f"{pointer}/{at}") for at, one in enumerate(value)]
        if minimiser.covers(path):
            return value
        dropped.append(pointer)
        return None

    raw = msgspec.to_builtins(message)
    kept = {n: v if n in ENVELOPE else keep(v, f"/{n}", f"/{n}") for n, v in raw.items()}
    return without_empty(kept), dropped


def without_empty(value: Any) -> Any:
    """A value without what is empty in it, at any depth."""
    if isinstance(value, dict):
        inner = {name: without_empty(one) for name, one in value.items()}
        return {name: one for name, one in inner.items() if one is not None} or None
    if isinstance(value, list | tuple):
        return [one for one in map(without_empty, value) if one is not None] or None
    return value


def test_an_agreement_that_withholds_what_a_kind_requires_makes_nothing_of_it() -> None:
    with pytest.raises(TypeError):
        Minimiser(["sender/name"]).minimise(samples.ITEM)
    with pytest.raises(TypeError):
        Minimiser(["nothing"]).minimise(samples.ITEM)


def test_what_is_seen_wholly_is_the_same_value() -> None:
    seen = Minimiser([*needs("ItemDeclaration"), "order_reference"]).minimise(
        samples.item(remark="Canary")
    )

    assert ("/remark",) == seen.dropped
    assert seen.message.pieces is samples.ITEM.pieces  # type: ignore[union-attr]
