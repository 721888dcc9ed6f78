"""Patterns whose cost is bounded."""

from __future__ import annotations

import pytest

from backends.risk.pattern import PatternError, bounded_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "a+",
        "a*",
        "(a{1,3}){2}",
        "(a|b){5}",
        "a{2,}",
        r"(x)\1",
        "(?=x)",
        "(?i)x",
        "(?P<n>x)",
        "a{,}",
    ],
)
def test_what_has_no_bound_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        bounded_pattern(pattern)


def test_too_many_ways_are_refused() -> None:
    with pytest.raises(PatternError, match="ways"):
        bounded_pattern("a?" * 30 + "a{30}")


def test_ambiguous_branches_count_as_ways() -> None:
    with pytest.raises(PatternError, match="ways"):
        bounded_pattern("(a|a)" * 20)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\bi-?phone\b", "used iPhone 15"),
        (r"^[A-Z]{2}\d{6,9}$", "ab1234567"),
        (r"(?:fake|replica) (?:bag|watch)", "a Replica Watch"),
        (r"[*+?]", "what?"),
    ],
)
def test_bounded_patterns_find_their_text(pattern: str, text: str) -> None:
    assert bounded_pattern(pattern).search(text) is not None


def test_a_broken_pattern_is_told() -> None:
    with pytest.raises(PatternError, match=r"unterminated|missing"):
        bounded_pattern("(a")
