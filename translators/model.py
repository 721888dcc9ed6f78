"""The canonical model described: what fields a kind has, of which shape, at which paths.

Formats, the gate and agreements read the model through this module instead of walking type
annotations themselves. Canonical paths are JSON Pointers (RFC 6901) with ``*`` for any index of a
list and any name of a map, as in ``/pieces/*/amount/currency``.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from translators.canonical import KINDS, Header
from translators.canonical.scalars import END, Country, Currency


class Form(StrEnum):
    """What a value is, apart from its limits."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DECIMAL = "decimal"
    DATE = "date"
    INSTANT = "instant"
    BYTES = "bytes"
    OBJECT = "object"
    LIST = "list"
    MAP = "map"


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What may stand at one path.

    ``type`` is the annotation, limits included, that ``msgspec.convert`` takes. ``fields`` is for
    objects, ``tag`` for those that may name their kind in ``type``, ``item`` for lists and the
    values of maps, ``names`` for the names of maps. Limits: characters of a text, entries of a
    list, least and greatest integer; ``pattern`` is what a whole text matches, without anchors.
    """

    form: Form
    type: Any
    struct: type[msgspec.Struct] | None = None
    tag: str | None = None
    fields: tuple[Field, ...] = ()
    item: Shape | None = None
    names: Shape | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    minimum: int | None = None
    maximum: int | None = None


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of an object. ``nullable``: it may be ``None``, which says that it is absent."""

    name: str
    shape: Shape
    required: bool
    nullable: bool
    default: Any


_SCALARS = MappingProxyType(
    {
        str: Form.TEXT,
        int: Form.INTEGER,
        bool: Form.BOOLEAN,
        Decimal: Form.DECIMAL,
        date: Form.DATE,
        datetime: Form.INSTANT,
        bytes: Form.BYTES,
    }
)

_CAPITALS = ((Country, "[A-Z]{2}"), (Currency, "[A-Z]{3}"))


def describe(annotation: Any) -> Shape:
    """The shape of a type annotation; raises :class:`TypeError` for what the model never uses."""
    return _shape(annotation)[0]


def _shape(annotation: Any) -> tuple[Shape, bool]:
    plain, metas, nullable = _unwrap(annotation)
    for capitals, pattern in _CAPITALS:
        if plain is capitals:
            return Shape(form=Form.TEXT, type=plain, pattern=pattern), nullable
    limits: dict[str, Any] = {}
    for meta in metas:
        limits |= {
            name: value
            for name, value in (
                ("min_length", meta.min_length),
                ("max_length", meta.max_length),
                ("pattern", meta.pattern and meta.pattern.removeprefix("^").removesuffix(END)),
                ("minimum", meta.ge),
                ("maximum", meta.le),
            )
            if value is not None
        }
    bare: Any = Annotated[(plain, *metas)] if metas else plain
    origin = get_origin(plain)
    if origin is tuple:
        item = describe(get_args(plain)[0])
        return Shape(form=Form.LIST, type=bare, item=item, **limits), nullable
    if origin is dict:
        names, item = (describe(part) for part in get_args(plain))
        return Shape(form=Form.MAP, type=bare, names=names, item=item, **limits), nullable
    if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        return _object(plain), nullable
    if plain in _SCALARS:
        return Shape(form=_SCALARS[plain], type=bare, **limits), nullable
    raise TypeError(f"the model does not use {annotation!r}")


@cache
def _object(struct: type[msgspec.Struct]) -> Shape:
    tag = struct.__struct_config__.tag
    return Shape(
        form=Form.OBJECT,
        type=struct,
        struct=struct,
        tag=tag if isinstance(tag, str) else None,
        fields=tuple(_fields(struct)),
    )


def _unwrap(annotation: Any) -> tuple[Any, list[msgspec.Meta], bool]:
    metas: list[msgspec.Meta] = []
    nullable = False
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            metas += [meta for meta in annotation.__metadata__ if isinstance(meta, msgspec.Meta)]
            annotation = annotation.__origin__
        elif origin in (Union, types.UnionType):
            others = [part for part in get_args(annotation) if part is not types.NoneType]
            if len(others) != 1:
                raise TypeError(f"the model has no unions: {annotation!r}")
            nullable, annotation = True, others[0]
        else:
            return annotation, metas, nullable


def _fields(struct: type[msgspec.Struct]) -> Iterator[Field]:
    hints = get_type_hints(struct, include_extras=True)
    for info in msgspec.structs.fields(struct):
        shape, nullable = _shape(hints[info.name])
        default = info.default
        if default is msgspec.NODEFAULT and info.default_factory is not msgspec.NODEFAULT:
            default = info.default_factory()
        yield Field(
            name=info.name,
            shape=shape,
            required=info.required,
            nullable=nullable,
            default=None if info.required else default,
        )


SHAPES: Mapping[str, Shape] = MappingProxyType(
    {name: describe(kind) for name, kind in KINDS.items()}
)
"""The shape of every message kind."""

HEADER: Shape = describe(Header)
"""The shape of an interchange's header."""


def leaves(shape: Shape, path: str = "") -> Iterator[tuple[str, Shape]]:
    """Every path below ``shape`` that holds a value, in the order of the model."""
    if shape.form is Form.OBJECT:
        for field in shape.fields:
            yield from leaves(field.shape, f"{path}/{field.name}")
    elif shape.item is not None:
        yield from leaves(shape.item, f"{path}/*")
    else:
        yield path, shape


def paths(kind: str) -> frozenset[str]:
    """The canonical paths of all values of a kind; raises :class:`KeyError` for no kind of ours."""
    return frozenset(path for path, _ in leaves(SHAPES[kind]))


def find_field_type(shape: Shape, path: str) -> Shape | None:
    """What may stand at ``path`` below ``shape``; an index and ``*`` both name any entry."""
    here: Shape | None = shape
    for token in path.split("/")[1:]:
        if here is None:
            return None
        if here.form is Form.OBJECT:
            here = next((field.shape for field in here.fields if field.name == token), None)
        else:
            here = here.item
    return here


def field_type(kind: str, path: str) -> Shape:
    """What may stand at a canonical path of a kind, containers included.

    Raises :class:`KeyError` naming what is not there.
    """
    shape = find_field_type(SHAPES[kind], path)
    if shape is None:
        raise KeyError(f"{kind} has no {path}")
    return shape
