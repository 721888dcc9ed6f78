"""Structured fields by patterns: nothing is read that the whole grammar would read otherwise."""

from __future__ import annotations

import base64
from typing import Any

import http_sf
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trust.signatures.http.plain import Input, read_input, read_members, write_string

INPUT = 'luxor=("@method" "content-digest");created=1795420800;nonce="n+/=_.:~-";keyid="shop/k 1"'
DIGEST = "sha-256=:RPg1RJSlugO6F5Ko0+nFNMR6kYGYD956P0SwbvKufH8=:"


def by_the_grammar(value: str) -> Any:
    """The members of a dictionary in its canonical spelling; ``None`` for any other text."""
    try:
        members: Any = http_sf.parse(value.encode("ascii"), tltype="dictionary")
        return members if members and http_sf.ser(members) == value else None
    except Exception:  # whatever a parser raises on foreign text means no
        return None


def input_by_the_grammar(value: str) -> Input | None:
    members = by_the_grammar(value)
    if members is None or len(members) != 1:
        return None
    ((label, (items, parameters)),) = members.items()
    assert not any(given for _, given in items)
    return Input(label, tuple(name for name, _ in items), parameters)


def members_by_the_grammar(value: str) -> dict[str, bytes] | None:
    members = by_the_grammar(value)
    if members is None:
        return None
    assert not any(parameters for _, parameters in members.values())
    return {key: member for key, (member, _) in members.items()}


key = st.text("ab*1_.-", min_size=1, max_size=3)
string = st.text("@aB -_\\\"'é\x7f\t(),;=:", max_size=6)
bare = st.one_of(
    string.map(lambda text: f'"{text}"'),
    st.integers(-(10**16), 10**16).map(str),
    st.sampled_from(["-0", "00", "1.0", "?1", "token", ":AAA=:", ":AA==:", "@1", '"a\\"b"', ""]),
)
parameter = st.builds("{}={}".format, key, bare) | key
inputs = st.builds(
    lambda label, items, joint, parameters: (
        f"{label}=({joint.join(items)})" + "".join(f";{each}" for each in parameters)
    ),
    key,
    st.lists(bare, max_size=3),
    st.sampled_from([" ", " ", " ", "  ", ", "]),
    st.lists(parameter, max_size=3),
)
octets = st.binary(max_size=5).map(lambda raw: base64.b64encode(raw).decode())
members = st.lists(
    st.builds(
        "{}=:{}:{}".format,
        key,
        octets | st.text("AB+/=-_ ", max_size=5),
        st.sampled_from(["", "", "", ";a=1", " "]),
    ),
    min_size=1,
    max_size=3,
)
changes = st.lists(st.tuples(st.integers(0, 120), st.characters(max_codepoint=128)), max_size=2)


def changed(value: str, changes: list[tuple[int, str]]) -> str:
    for at, character in changes:
        if at < len(value):
            value = value[:at] + character + value[at + 1 :]
    return value


def test_an_input_as_signers_write_it_is_read_by_the_pattern() -> None:
    found = read_input(INPUT)

    assert found is not None
    assert input_by_the_grammar(INPUT) == found
    assert found.items == ("@method", "content-digest")


@settings(max_examples=300)
@given(inputs | changes.map(lambda made: changed(INPUT, made)))
@example('a=();b="\\"')
@example('a=("a";x)')
@example('a=("a");b=1;b=1')
@example('a=("a"),b=("a")')
@example('a=("a");b=-0')
@example('a=("a");b=0123')
@example('a=("a");b=1234567890123456')
@example('a=("a");b')
@example('a=("a") ')
@example('a=("a" )')
@example('A=("a")')
@example('a=("é")')
@example('a=("a")\n')
def test_an_input_is_read_as_the_grammar_reads_it(value: str) -> None:
    found = read_input(value)

    if found is not None:
        assert input_by_the_grammar(value) == found


@pytest.mark.parametrize("value", [DIGEST, f"{DIGEST}, sha-512=:{'A' * 86}==:", "a=::"])
def test_octets_as_signers_write_them_are_read_by_the_pattern(value: str) -> None:
    found = read_members(value)

    assert found is not None
    assert members_by_the_grammar(value) == found


@settings(max_examples=300)
@given(
    members.map(", ".join) | members.map(",".join) | changes.map(lambda made: changed(DIGEST, made))
)
@example("a=:AA==:, a=:AA==:")
@example("a=:AB==:")
@example("a=:AAA:")
@example("a=:AA=:")
@example("a=:A===:")
@example("a=:AA==:;x")
@example("a=:AA==: ")
@example("a=:AA==:,")
@example("a=:AA==:\n")
@example("a=:AA-_:")
def test_octets_are_read_as_the_grammar_reads_them(value: str) -> None:
    found = read_members(value)

    if found is not None:
        assert members_by_the_grammar(value) == found


@given(string)
def test_a_string_is_written_as_the_grammar_writes_it(name: str) -> None:
    plain = write_string(name)

    if plain is not None:
        assert http_sf.ser((name, {})) == plain
