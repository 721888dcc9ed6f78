"""Something that is held for as long as a block of code runs."""

from __future__ import annotations

from collections.abc import Callable


class Held:
    """Gives back on leaving the block, however it ends.

    Lighter than a generator as a context manager, of which each request would make several.
    """

    __slots__ = ("_give_back",)

    def __init__(self, give_back: Callable[[], None]) -> None:
        """What is given back is held already."""
        self._give_back = give_back

    def __enter__(self) -> None:
        """Nothing more to do."""

    def __exit__(self, *_: object) -> None:
        """Give it back; what was raised goes on."""
        self._give_back()
