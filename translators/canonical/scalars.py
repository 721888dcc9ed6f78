"""Scalar types of the canonical model: lengths and alphabets, checked by msgspec in one gate.

Decimals are finite with at most 16 digits before and 6 after the point and no exponent; msgspec
cannot say so, therefore ``translators.gate`` checks them. Codes are open: their tables warn.
"""

from __future__ import annotations

from datetime import datetime
from itertools import product
from string import ascii_uppercase
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

END = r"$(?!\n)"
"""Ends every pattern: in Python a bare ``$`` would let a line feed follow."""

Text17 = Annotated[str, Meta(min_length=1, max_length=17)]
Text35 = Annotated[str, Meta(min_length=1, max_length=35)]
Text70 = Annotated[str, Meta(min_length=1, max_length=70)]
Text140 = Annotated[str, Meta(min_length=1, max_length=140)]
Text256 = Annotated[str, Meta(min_length=1, max_length=256)]
Text300 = Annotated[str, Meta(min_length=1, max_length=300)]
Text512 = Annotated[str, Meta(min_length=1, max_length=512)]
Text2000 = Annotated[str, Meta(min_length=1, max_length=2000)]
Identifier = Annotated[str, Meta(min_length=1, max_length=70)]
"""An identifier that another party issued: kept in its original spelling."""
InterchangeName = Annotated[str, Meta(min_length=1, max_length=120)]
"""An interchange id: 120 characters are what ingresses take."""
Code = Annotated[str, Meta(min_length=1, max_length=35)]
"""A coded value: our name where the table knows it, otherwise the sender's spelling."""
if TYPE_CHECKING:
    Country = str
    Currency = str
else:
    # msgspec looks a literal up thirteen times faster than it searches a pattern (22 against
    # 300 ns), and every message has a dozen of these: all words of two and three capitals.
    Country = Literal[tuple(map("".join, product(ascii_uppercase, repeat=2)))]
    """ISO 3166-1 alpha-2."""
    Currency = Literal[tuple(map("".join, product(ascii_uppercase, repeat=3)))]
    """ISO 4217."""
CommodityCode = Annotated[str, Meta(pattern=r"^[0-9]{4,10}" + END)]
"""Harmonized System code, 6 to 10 digits in declarations; prefixes of 4 in indicators."""
Url = Annotated[str, Meta(min_length=1, max_length=2048)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}" + END)]
"""A SHA-256 digest in lower-case hexadecimal."""
Quantity = Annotated[int, Meta(ge=0, le=999_999_999)]
Ordinal = Annotated[int, Meta(ge=1, le=999_999)]
Instant = Annotated[datetime, Meta(tz=True)]
"""A point in time; its offset is required and kept (RFC 3339)."""
