"""Numbers of the configuration that bound something: zero of them would stop the gateway."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Count = Annotated[int, Meta(ge=1)]
"""A number of things, or a size in bytes."""
Seconds = Annotated[float, Meta(gt=0)]
"""A time that has to pass."""
Pause = Annotated[float, Meta(ge=0)]
"""A time that may be none."""
