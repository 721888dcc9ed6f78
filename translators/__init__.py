"""Formats and the canonical model: pure functions over bytes and immutable values, no I/O."""
