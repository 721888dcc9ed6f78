"""Documentation of our own formats in Markdown, made from the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from translators.lexical import MAX_FRACTION_DIGITS, MAX_INTEGER_DIGITS
from translators.model import HEADER, SHAPES, Form, Shape

_JSON: Final = """\
Three forms are read: an interchange, a single message, a list of messages.

```json
{"interchange": {"control_reference": "A1"}, "messages": [{"type": "Order", "order_id": "1"}]}
```

Every message names its kind in `type`. NDJSON (`application/x-ndjson`) holds one message a line,
with an optional first line `{"interchange": {…}}`; it is read line by line, whatever its length,
and a line that is not JSON refuses that line alone. In the other forms a break refuses the whole.

UTF-8 without a byte order mark. A name that occurs twice in an object, a name that this page does
not have, and nesting beyond the bound are refused. `null` says that an optional field is absent.
"""
_PROTO: Final = """\
The bytes of one `exchange.v1.Interchange`; the `.proto` files are the schema of this format. The
header, when there is one, comes first; messages may be written one after another. A field that
the contract does not have is refused with its number.
"""
_VALUES: Final = f"""\
Values: an..35 is a text of 1 to 35 characters. A decimal has at most {MAX_INTEGER_DIGITS} digits
before and {MAX_FRACTION_DIGITS} after the point and no exponent, and is a text. Dates are
`2026-11-21`, instants `2026-11-21T09:30:00+01:00`: their offset is required and kept. Weights are
in kilograms. Codes are open: an unknown one passes with a warning, as it is spelled.
"""
_FORMS: Final[Mapping[Form, str]] = {
    Form.BOOLEAN: "true or false",
    Form.DECIMAL: "decimal",
    Form.DATE: "date",
    Form.INSTANT: "instant",
    Form.BYTES: "bytes",
}


def render_json(format_id: str, title: str) -> str:
    """The page of ``luxor.json.1``. Bytes are base64 there."""
    return _page(format_id, title, _JSON)


def render_proto(format_id: str, title: str) -> str:
    """The page of ``luxor.proto.1``."""
    return _page(format_id, title, _PROTO)


def _page(format_id: str, title: str, forms: str) -> str:
    sections = [f"# {format_id}: {title}\n", forms, _VALUES, "## Header\n", _table(HEADER)]
    shared: dict[str, Shape] = {}
    for kind, shape in SHAPES.items():
        sections += [f"## {kind}\n", _summary(shape), _table(shape)]
        shared |= {name: below for name, below in _objects(shape) if name not in SHAPES}
    sections.append("## Parts\n")
    for name, shape in sorted(shared.items()):
        sections += [f"### {name}\n", _summary(shape), _table(shape)]
    return "\n".join(sections)


def _summary(shape: Shape) -> str:
    text = str(shape.struct.__doc__ or "") if shape.struct is not None else ""
    return " ".join(text.replace("``", "`").split()) + "\n"


def _table(shape: Shape) -> str:
    rows = ["| field | value | |", "|---|---|---|"]
    for field in shape.fields:
        required = "required" if field.required else ""
        rows.append(f"| `{field.name}` | {_value(field.shape)} | {required} |")
    return "\n".join(rows) + "\n"


def _value(shape: Shape) -> str:
    match shape.form:
        case Form.OBJECT:
            assert shape.struct is not None
            return str(shape.struct.__name__)
        case Form.LIST:
            assert shape.item is not None
            return f"{shape.min_length or 0} to {shape.max_length} × {_value(shape.item)}"
        case Form.MAP:
            assert shape.item is not None
            assert shape.names is not None
            return f"0 to {shape.max_length} × {_value(shape.names)}: {_value(shape.item)}"
        case Form.TEXT:
            return f"`{shape.pattern}`" if shape.pattern else f"an..{shape.max_length}"
        case Form.INTEGER:
            return f"{shape.minimum} to {shape.maximum}"
        case form:
            return _FORMS[form]


def _objects(shape: Shape) -> Iterator[tuple[str, Shape]]:
    """Every object below a shape, by name."""
    for field in shape.fields:
        below = field.shape.item if field.shape.form is Form.LIST else field.shape
        if below is not None and below.form is Form.OBJECT:
            assert below.struct is not None
            yield below.struct.__name__, below
            yield from _objects(below)
