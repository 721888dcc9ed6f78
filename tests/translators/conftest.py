"""Settings of the property tests of translators."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("translators", deadline=None)  # a busy machine is no failure
settings.load_profile("translators")
