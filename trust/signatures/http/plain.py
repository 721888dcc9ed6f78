"""Structured fields as nearly everybody writes them, read by patterns.

RFC 9651 has more than a signed request needs: numbers with fractions, tokens, dates, lists in
lists, escapes in strings. What is read here is the plain part of it: strings without escapes,
integers, byte sequences. Such a text is its own canonical spelling. For all others there is
``None``, and whoever asks has the whole grammar read; so a pattern never decides that a field is
wrong.
"""

from __future__ import annotations

import re

import msgspec

from trust.signatures.octets import read_base64

_KEY = r"[a-z*][a-z0-9_.*-]*"
_STRING = r'"[ !#-\[\]-~]*"'
_INTEGER = r"(?:0|-?[1-9][0-9]{0,14})"
_BYTES = rf"({_KEY})=:([A-Za-z0-9+/]*={{0,2}}):"

_INPUT = re.compile(
    rf"(?P<label>{_KEY})=\((?P<items>(?:{_STRING}(?: {_STRING})*)?)\)"
    rf"(?P<parameters>(?:;{_KEY}=(?:{_STRING}|{_INTEGER}))*)"
)
_PARAMETER = re.compile(rf';({_KEY})=(?:"([^"]*)"|({_INTEGER}))')
_MEMBER = re.compile(_BYTES)
_MEMBERS = re.compile(f"{_BYTES}(?:, {_BYTES})*")
_NAME = re.compile(r"[ !#-\[\]-~]*")


class Input(msgspec.Struct, frozen=True):
    """A dictionary with one inner list of strings that have no parameters."""

    label: str
    items: tuple[str, ...]
    parameters: dict[str, str | int]


def read_input(value: str) -> Input | None:
    """A ``Signature-Input`` field with one member."""
    found = _INPUT.fullmatch(value)
    if found is None:
        return None
    written = _PARAMETER.findall(found["parameters"])
    parameters = {name: int(number) if number else text for name, text, number in written}
    if len(parameters) != len(written):
        return None
    # Strings stand in quotation marks and have none within.
    return Input(found["label"], tuple(found["items"].split('"')[1::2]), parameters)


def read_members(value: str) -> dict[str, bytes] | None:
    """A dictionary of byte sequences without parameters, such as ``Signature``."""
    one = _MEMBER.fullmatch(value)
    if one is None and _MEMBERS.fullmatch(value) is None:
        return None
    written = _MEMBER.findall(value) if one is None else [one.groups()]
    members = {name: octets for name, text in written if (octets := read_base64(text)) is not None}
    return members if len(members) == len(written) else None


def write_string(name: str) -> str | None:
    """A string; ``None`` for one that needs an escape, or is none."""
    return f'"{name}"' if _NAME.fullmatch(name) else None
