"""Messages near the sample of a format: values of the model put anywhere, then repaired by what
the format itself says is wrong with them.

Nothing here knows how a format is made, so that every construct of every format is met: what a
format cannot express it faults, with a path, and there the value gives way to the sample's, to a
shorter one, or to none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
from hypothesis import assume
from hypothesis import strategies as st

from tests.translators.strategies_model import values
from translators.canonical import KINDS, Header, Interchange, Message, kind_of
from translators.described import Described
from translators.faults import Fault, TranslationError
from translators.layout import LayoutTranslator
from translators.layout.leaves import escaped
from translators.model import HEADER, SHAPES, Form, Shape
from translators.translator import Translator, encode

_T = TypeVar("_T")
MAX_CHANGES = 5
MAX_REPAIRS = 60
NATIVE = (Decimal, datetime, date, bytes)
CHARACTERS: st.SearchStrategy[str] = st.characters(
    codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"
)
"""What every syntax can carry."""


def tree(value: Any) -> Any:
    """A canonical value as objects and lists, to be changed; its leaves as they are."""
    return _lists(msgspec.to_builtins(value, builtin_types=NATIVE))


def _lists(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {name: _lists(below) for name, below in plain.items()}
    return [_lists(below) for below in plain] if isinstance(plain, list | tuple) else plain


def message_of(kind: str, plain: Any) -> Message:
    """The message that a tree is; raises :class:`msgspec.ValidationError`."""
    found: Message = msgspec.convert(plain, KINDS[kind], builtin_types=NATIVE)
    return found


def all_samples(translator: Translator) -> list[Interchange]:
    """The samples of a format: one of each document that it has, full and with little."""
    if isinstance(translator, LayoutTranslator):
        return [*translator.samples(full=True), *translator.samples(full=False)]
    assert isinstance(translator, Described)
    return [translator.sample()]


def samples(translator: Translator, kind: str) -> list[tuple[Header, Message]]:
    """Every message of a kind in the samples of a format, with its header."""
    found = [
        (sample.header, message)
        for sample in all_samples(translator)
        for message in sample.messages
        if kind_of(message) == kind
    ]
    assert found, f"no sample of {translator.id} has a {kind}"
    return found


@st.composite
def expressible(
    draw: st.DrawFn, translator: Translator, kind: str, *, most: int = 3
) -> Interchange:
    """An interchange of messages of one kind that the format can express."""
    known = samples(translator, kind)
    header = tree(_pick(draw, known)[0])
    _change(draw, header, HEADER)
    messages: list[Message] = []
    for _ in range(draw(st.integers(1, most))):
        sample_header, sample = _pick(draw, known)
        pattern = tree(sample)
        message = deepcopy(pattern)
        _change(draw, message, SHAPES[kind])
        model = {"header": tree(sample_header), **pattern}
        repaired = _repaired(translator, kind, {"header": header, **message}, model)
        header = repaired.pop("header")
        messages.append(message_of(kind, repaired))
    found = Interchange(header=msgspec.convert(header, Header, builtin_types=NATIVE))
    if len(messages) > 1 and not _faults(translator, _with(found, messages)):
        return _with(found, messages)
    found = _with(found, messages[-1:])
    assume(not _faults(translator, found))
    return found


def _with(interchange: Interchange, messages: list[Message]) -> Interchange:
    return msgspec.structs.replace(interchange, messages=tuple(messages))


def _faults(translator: Translator, interchange: Interchange) -> tuple[Fault, ...]:
    try:
        encode(translator, interchange)
    except TranslationError as error:
        return error.faults
    return ()


# Changing


def _pick(draw: st.DrawFn, options: Sequence[_T]) -> _T:
    """One of them; Hypothesis would hash what it samples from, and shapes are slow to hash."""
    return options[draw(st.integers(0, len(options) - 1))]


def _change(draw: st.DrawFn, plain: Any, shape: Shape) -> None:
    """Some values set, taken away or repeated."""
    for _ in range(draw(st.integers(0, MAX_CHANGES))):
        match _pick(draw, ("set", "set", "remove", "repeat")):
            case "set":
                _set(draw, plain, shape)
            case "remove":
                parts = [pointer for pointer in _parts(plain, shape) if pointer[2]]
                if parts:
                    holder, name, _ = _pick(draw, parts)
                    holder.pop(name, None) if isinstance(holder, dict) else holder.clear()
            case _:
                lists = [holder for holder, _, _ in _parts(plain, shape) if _is_list(holder)]
                if lists:
                    chosen = _pick(draw, lists)
                    chosen.insert(draw(st.integers(0, len(chosen))), deepcopy(chosen[0]))


def _is_list(holder: Any) -> bool:
    return isinstance(holder, list) and bool(holder)


def _parts(plain: Any, shape: Shape) -> Iterator[tuple[Any, Any, bool]]:
    """Every holder and name or index in a tree, and whether the model can do without it."""
    if shape.form is Form.OBJECT:
        for field in shape.fields:
            if field.name in plain:
                yield plain, field.name, not field.required
                yield from _parts(plain[field.name], field.shape)
    elif shape.item is not None:
        names = range(len(plain)) if isinstance(plain, list) else list(plain)
        for name in names:
            yield plain, name, not shape.min_length
            yield from _parts(plain[name], shape.item)


def _set(draw: st.DrawFn, plain: Any, shape: Shape) -> None:
    """Set one value somewhere; where its surroundings are missing, all of them."""
    name: str | int
    while True:
        if shape.form is Form.OBJECT:
            field = _pick(draw, shape.fields)
            name, below = field.name, field.shape
        elif shape.form is Form.MAP:
            assert shape.item is not None
            assert shape.names is not None
            name, below = draw(values(shape.names, CHARACTERS)), shape.item
        else:
            assert shape.item is not None
            name, below = draw(st.integers(0, len(plain))), shape.item
        there = name in (plain if isinstance(plain, dict) else range(len(plain)))
        if there and below.form in (Form.OBJECT, Form.LIST, Form.MAP):
            plain, shape = plain[name], below
            continue
        made = tree(draw(values(below, CHARACTERS)))
        if isinstance(plain, list) and name == len(plain):
            plain.append(made)
        else:
            plain[name] = made
        return


# Repairing


def _repaired(translator: Translator, kind: str, plain: Any, pattern: Any) -> Any:
    """The tree made such that the format can express it."""
    _form(translator, kind, plain, pattern)
    for _ in range(MAX_REPAIRS):
        try:
            message = message_of(kind, {k: v for k, v in plain.items() if k != "header"})
            header = msgspec.convert(plain["header"], Header, builtin_types=NATIVE)
        except msgspec.ValidationError:
            assume(False)  # noqa: FBT003 - Hypothesis has it so
        faults = _faults(translator, Interchange(header=header, messages=(message,)))
        if not faults:
            return plain
        for fault in faults:
            _mend(plain, fault.path.split("/")[1:], pattern)
    raise AssertionError(f"{translator.id} keeps refusing {kind}: {faults}")


def _form(translator: Translator, kind: str, plain: Any, pattern: Any) -> None:
    """What a format tells its forms apart by stays as the sample has it."""
    plans = translator.plans if isinstance(translator, LayoutTranslator) else ()
    rows = [row for plan in plans for row in plan.messages.rows if row.kind == kind]
    for name in {given.names[0] for row in rows for given in row.given}:
        plain.pop(name, None)
        if name in pattern:
            plain[name] = deepcopy(pattern[name])


def _mend(plain: Any, path: list[str], pattern: Any) -> None:
    """What is wrong at a path: half of a long text, what the sample has, or nothing."""
    if not path:
        path = [name for name in plain if name != "header"][:1]
    holders = [plain]
    for step in path[:-1]:
        below = _at(holders[-1], step)
        if not isinstance(below, dict | list):
            break
        holders.append(below)
    depth = len(holders) - 1
    holder, name = holders[depth], path[depth]
    model, now = _like(pattern, path[: depth + 1]), _at(holder, name)
    if isinstance(now, str) and len(now) > 20 and now != model:
        _put(holder, name, now[: len(now) // 2].strip() or "x")
    elif model is not None and now != model:
        _put(holder, name, deepcopy(model))
    else:
        _drop(holders, path[: depth + 1], pattern)


def _drop(holders: list[Any], path: list[str], pattern: Any) -> None:
    """Take away what is there; of a list the entry, of what is needed what it stands in."""
    holder, name = holders[-1], path[-1]
    if isinstance(holder, list):
        if name.isdigit() and int(name) < len(holder):
            holder.pop(int(name))
        elif holder:
            holder.clear()
        return
    present = name in _names(holder)
    if present and len(holders) == 1 and name in pattern:
        holder[_names(holder)[name]] = deepcopy(pattern[name])
    elif present:
        holder.pop(_names(holder)[name])
        if len(holders) > 1 and not _still(holders[-2], path[-2]):
            _drop(holders[:-1], path[:-1], pattern)
    elif len(holders) > 1:
        _drop(holders[:-1], path[:-1], pattern)


def _still(holder: Any, name: str) -> bool:
    return bool(_at(holder, name))


def _names(holder: dict[str, Any]) -> dict[str, str]:
    return {escaped(name): name for name in holder}


def _at(holder: Any, step: str) -> Any:
    if isinstance(holder, list):
        return holder[int(step)] if step.isdigit() and int(step) < len(holder) else None
    return holder.get(_names(holder).get(step, step))


def _put(holder: Any, step: str, value: Any) -> None:
    if isinstance(holder, list):
        if step.isdigit() and int(step) < len(holder):
            holder[int(step)] = value
        else:
            holder.append(value)
    else:
        holder[_names(holder).get(step, step)] = value


def _like(pattern: Any, path: list[str]) -> Any:
    """What the sample has there; of a list whose first entry stands for all."""
    for step in path:
        if isinstance(pattern, list):
            pattern = pattern[0] if pattern else None
        elif isinstance(pattern, dict):
            pattern = pattern.get(step)
        if pattern is None:
            return None
    return pattern
