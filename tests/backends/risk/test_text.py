"""Texts made comparable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.risk.text import has_phrase, identifier_key, name_key, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Dupont Jean", "jean DUPONT"),
        ("Müller, Jürgen", "Jurgen Muller"),
        ("Łukasz Żółty", "zolty lukasz"),
        ("Straße", "STRASSE"),
        ("Søren O'Neil", "o neil soren"),
        ("Иванов Пётр", "петр иванов"),
    ],
)
def test_spellings_of_one_name_have_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


def test_vowel_signs_of_other_scripts_are_kept() -> None:
    assert name_key("राम") != name_key("रम")


def test_legal_forms_do_not_count_when_ignored() -> None:
    assert name_key("Muster GmbH", frozenset({"gmbh"})) == name_key("MUSTER")


def test_a_name_of_ignored_words_alone_keeps_them() -> None:
    assert name_key("GmbH", frozenset({"gmbh"})) == "gmbh"


def test_identifiers_lose_blanks_and_signs() -> None:
    assert identifier_key("IM 040-0000.123") == "im0400000123"


def test_a_phrase_must_stand_word_by_word() -> None:
    text = words("replica watch, steel")
    assert has_phrase(text, words("Watch Steel"))
    assert not has_phrase(text, words("rep"))
    assert not has_phrase(text, words("replica steel"))


@given(st.text(max_size=60))
def test_folding_again_changes_nothing(text: str) -> None:
    once = name_key(text)
    assert name_key(once) == once
