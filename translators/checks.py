"""The rules of ``translators.lexical`` compiled into one straight function per kind.

A check runs after msgspec has converted a value without a complaint, so that it may rely on the
shape, and it visits only what a rule concerns. It costs a third of what closures cost, and every
message of every format passes it: therefore it is generated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from translators import lexical
from translators.model import Form, Shape

Check = Callable[[Any], bool]
"""True when every value below is spelled as it must be."""

_PLAIN_TEXT = "(type({v}) is str and match_plain({v}) is not None)"
_RAW: Final[Mapping[Form, str]] = {
    Form.DECIMAL: _PLAIN_TEXT + " or spells_decimal({v})",
    Form.INSTANT: "spells_instant({v})",
}
# Only where nothing may stand, msgspec takes the text "null" for nothing.
_NULLABLE: Final[Mapping[Form, str]] = dict.fromkeys(
    (Form.INTEGER, Form.BOOLEAN, Form.DATE, Form.BYTES), "spells_value({v})"
)
_DECIMAL: Final[Mapping[Form, str]] = {Form.DECIMAL: "match_plain(str({v})) is not None"}


class _Source(msgspec.Struct, frozen=True, kw_only=True):
    """How one variant of the check is written: its rules and how it reads fields."""

    rules: Mapping[Form, str]
    nullable: Mapping[Form, str] = {}
    required: str
    optional: str


_OF_MESSAGE: Final = _Source(rules=_DECIMAL, required="{o}.{name}", optional="{o}.{name}")
_OF_STRICT: Final = _Source(
    rules={Form.DECIMAL: _RAW[Form.DECIMAL]},
    required="{o}[{name!r}]",
    optional="{o}.get({name!r})",
)
_OF_RAW: Final = _Source(
    rules=_RAW, nullable=_NULLABLE, required="{o}[{name!r}]", optional="{o}.get({name!r})"
)


def raw_check(shape: Shape, *, strict: bool) -> Check:
    """The check of a raw object that msgspec has converted, strictly or not."""
    return _compiled(shape, _OF_STRICT if strict else _OF_RAW)


def message_check(shape: Shape) -> Check:
    """The check of an object that msgspec has decoded in one step: its decimals are plain."""
    return _compiled(shape, _OF_MESSAGE)


def _compiled(shape: Shape, source: _Source) -> Check:
    body = [*_object(shape, source, depth=0), "return True"]
    names: dict[str, Any] = {name: getattr(lexical, name) for name in _HELPERS}
    # The text is made of field names of our own Structs alone, which are Python identifiers.
    exec("\n".join(["def check(v0):", *_indented(body)]), names)  # noqa: S102
    check: Check = names["check"]
    return check


_HELPERS: Final = ("match_plain", "spells_decimal", "spells_instant", "spells_value")


def _object(shape: Shape, source: _Source, *, depth: int) -> Iterator[str]:
    """Lines that return ``False`` when a field of the object ``v<depth>`` is misspelled."""
    for field in shape.fields:
        rule = source.nullable.get(field.shape.form) if field.nullable else None
        body = list(_value(field.shape, source, depth=depth + 1, rule=rule))
        if not body:
            continue
        access = source.required if field.required else source.optional
        yield f"v{depth + 1} = {access.format(o=f'v{depth}', name=field.name)}"
        if field.required:
            yield from body
        else:
            yield f"if v{depth + 1} is not None:"
            yield from _indented(body)


def _value(shape: Shape, source: _Source, *, depth: int, rule: str | None) -> Iterator[str]:
    """The same for whatever ``v<depth>`` is; ``rule`` goes before the one for its form."""
    if shape.form is Form.OBJECT:
        yield from _object(shape, source, depth=depth)
    elif shape.form is Form.LIST:
        assert shape.item is not None
        body = list(_value(shape.item, source, depth=depth + 1, rule=None))
        if body:
            yield f"for v{depth + 1} in v{depth}:"
            yield from _indented(body)
    elif condition := rule or source.rules.get(shape.form):
        yield f"if not ({condition.format(v=f'v{depth}')}):"
        yield "    return False"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return ("    " + line for line in lines)
