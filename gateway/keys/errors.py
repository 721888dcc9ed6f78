"""The one exception of this package."""

from __future__ import annotations


class KeyUnusable(Exception):
    """A key, password or certificate that can not be used as it is; a person must act.

    The text says what and where; never the key, its password or PIN.
    """
