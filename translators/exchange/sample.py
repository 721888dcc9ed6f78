"""Sample messages in which every field of every kind is filled with a plausible value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from translators.canonical import Interchange
from translators.model import HEADER, SHAPES, Form, Shape

_FILE: Final = b"%PDF-1.7 sample"
_BY_NAME: Final[Mapping[str, Any]] = {
    "content": _FILE,
    "digest": sha256(_FILE).hexdigest(),
    "size": len(_FILE),
    "media_type": "application/pdf",
    "amount": Decimal("39.90"),
    "currency": "EUR",
    "source": "USD",
    "target": "EUR",
    "rate": Decimal("1.0842"),
    "hs": "610910",
    "found_hs": "610990",
    "hs_prefixes": "6109",
    "item_id": "EE471108151FR",
    "item_ids": "EE471108151FR",
    "tracking_number": "EE471108151FR",
    "return_of": "RR473124829GB",
    "caused_by_item": "EE471108151FR",
    "receptacle_id": "FRCDGAUSJFKADCX60001001100125",
    "receptacle_ids": "FRCDGAUSJFKADCX60001001100125",
    "origin_office": "FRCDGA",
    "destination_office": "USJFKA",
    "from_place": "FRCDG",
    "to_place": "USJFK",
    "mail_class": "parcels",
    "nature": "gift",
    "function": "original",
    "decision": "released",
    "telephone": "+33 1 00 00 00 00",
    "email": "sample@example.com",
    "city": "Paris",
    "postcode": "75002",
    "lines": "1 Sample Street",
    "person_type": "natural",
    "description": "cotton T-shirts",
    "url": "https://example.com/item/1",
    "image": "https://example.com/item/1.jpg",
    "path": "/pieces/0/hs",
}
_INSTANT: Final = datetime(2026, 11, 21, 9, 30, tzinfo=timezone(timedelta(hours=1)))
_BY_FORM: Final[Mapping[Form, Any]] = {
    Form.BOOLEAN: True,
    Form.DECIMAL: Decimal("1.250"),
    Form.DATE: date(2026, 11, 21),
    Form.INSTANT: _INSTANT,
}
_BY_PATTERN: Final[Mapping[str, str]] = {"[A-Z]{2}": "FR", "[A-Z]{3}": "EUR"}


def full_interchange() -> Interchange:
    """A header and one message of every kind, nothing left out."""
    return Interchange(
        header=full(HEADER, "header"),
        messages=tuple(full(shape, kind) for kind, shape in SHAPES.items()),
    )


def full(shape: Shape, name: str) -> Any:
    """A value of a shape in which everything below is filled; ``name`` is the field's."""
    match shape.form:
        case Form.OBJECT:
            assert shape.struct is not None
            return shape.struct(**{f.name: full(f.shape, f.name) for f in shape.fields})
        case Form.LIST:
            assert shape.item is not None
            return (full(shape.item, name),)
        case Form.MAP:
            assert shape.item is not None
            return {"batch": full(shape.item, name)}
        case Form.TEXT:
            return _text(shape, name)
        case Form.INTEGER:
            number = _BY_NAME.get(name)
            return number if isinstance(number, int) else max(1, shape.minimum or 0)
        case Form.BYTES:
            return _BY_NAME.get(name, _FILE)
        case form:
            value = _BY_NAME.get(name)
            return value if isinstance(value, Decimal) else _BY_FORM[form]


def _text(shape: Shape, name: str) -> str:
    known = _BY_NAME.get(name)
    if shape.pattern is not None:
        return known if isinstance(known, str) else _BY_PATTERN[shape.pattern]
    text = known if isinstance(known, str) else name.replace("_", "-")
    return text[: shape.max_length]
