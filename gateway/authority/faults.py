"""What keeps an authority from doing what it was asked."""

from __future__ import annotations


class AuthorityError(Exception):
    """A sentence for the person who runs the authority; nothing was changed."""
