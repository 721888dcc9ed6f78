"""Which examples Hypothesis tries: always the same ones in the short form.

Two things make the examples of one test differ between two runs of the same code. Hypothesis
draws its seed, unless it is told to derive it from the test; and it mixes into what it draws the
literals of every module of ours that happens to be loaded, which depends on the tests that the
same process ran before. The short form has neither; ``make fuzz`` has both, for they find more.
"""

from __future__ import annotations

import os

from hypothesis import settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

TIMES = int(os.environ.get("LUXOR_FUZZ") or 1)
"""How many times the examples of the short form are tried."""

REPEATABLE = TIMES == 1


def make_repeatable() -> None:
    """Load the profile of this run; for conftest, before any test module is read."""
    settings.register_profile(
        "luxor",
        derandomize=REPEATABLE,
        deadline=None,  # a busy machine is no failure
    )
    settings.load_profile("luxor")
    if REPEATABLE:
        nothing = Constants()
        # No setting says so; tests/architecture/test_examples.py fails when this has no effect.
        providers._get_local_constants = lambda: nothing
