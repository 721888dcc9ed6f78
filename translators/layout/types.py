"""Base types of layouts: for each its pattern, parser, formatter, XSD base and sample.

``parse`` takes trimmed wire text and gives what the gate takes (strings in canonical form,
``int``, ``bool``); ``format`` takes a canonical value and gives wire text. Both raise
:class:`ValueFault` with a code of ``faults.toml``. Patterns are written in the common subset of
Python's and XML Schema's expressions.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from translators.layout.codes import CodeTable
from translators.layout.moments import DATE, INSTANT, LOCAL, PROFILES, TIME, Moment, moment

MAX_DIGITS = (16, 6)
"""Digits before and after the point that the canonical model can hold."""


class ValueFault(ValueError):
    """A value that a type refuses; ``code`` is a fault code."""

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"{code} {detail}")


class TypeMistake(ValueError):
    """A type that a layout must not name like this."""


@dataclass(frozen=True)
class WireType:
    """One type as a line uses it. ``raw`` says that checked wire text is what the gate takes."""

    name: str
    feeds: frozenset[str]
    base: str
    parse: Callable[[str], object]
    format: Callable[[object], str]
    sample: Callable[[int], str]
    pattern: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    values: tuple[str, ...] = ()
    """The only spellings there are, when they are few."""
    raw: bool = True
    code: str = "value.pattern"
    codes: CodeTable | None = None
    scalar: str = "string"
    """What it is in JSON: string, number, integer or boolean."""

    def read(self, text: str) -> object:
        """Trimmed text to what the gate takes."""
        self._check(text)
        return self.parse(text)

    def written(self, value: object) -> str:
        """Canonical value to wire text."""
        text = self.format(value)
        self._check(text)
        return text

    def _check(self, text: str) -> None:
        if self.maximum is not None and len(text) > self.maximum:
            raise ValueFault("value.too-long", f"{len(text)} characters, at most {self.maximum}")
        if self.minimum is not None and len(text) < self.minimum:
            raise ValueFault("value.too-short", f"{len(text)} characters, at least {self.minimum}")
        if self.pattern is not None and re.fullmatch(self.pattern, text) is None:
            raise ValueFault(self.code, f"not of the form {self.name}")


def make(name: str, arguments: tuple[str, ...]) -> WireType:
    """A base type by name; raises :class:`TypeMistake`."""
    if name not in _MAKERS:
        raise TypeMistake(f"unknown type or group {name!r}")
    return _MAKERS[name](arguments)


def code(table: CodeTable) -> WireType:
    """The type of a coded value. The table itself is applied by reader and writer, because an
    unknown code is a warning there and not a fault of the value."""
    shortest = next(iter(table.ours.values()), "X")
    known = tuple(table.ours.values()) or (shortest,)
    return WireType(
        name=f"code {table.name}",
        feeds=frozenset({"text"}),
        base="token",
        parse=str,
        format=str,
        sample=lambda number: known[(number - 1) % len(known)],
        minimum=1,
        raw=False,
        codes=table,
    )


def only(constant: str | None, *, scalar: str) -> WireType:
    """The type of what must be this one value."""
    values = (constant or "",)
    return replace(_text(()), name=f"always {constant}", values=values, scalar=scalar)


def with_maximum(type_: WireType, maximum: int | None) -> WireType:
    """The same type bounded by what the model can hold, where it has no bound itself."""
    if maximum is None or type_.maximum is not None or type_.base != "token" or type_.pattern:
        return type_
    return replace(type_, maximum=maximum)


def _lengths(arguments: tuple[str, ...], name: str) -> tuple[int, int | None]:
    if not arguments:
        return 1, None
    match = re.fullmatch(r"(?:(?P<low>[0-9]{1,5})\.\.)?(?P<high>[0-9]{1,5})", arguments[0])
    if match is None or len(arguments) > 1:
        raise TypeMistake(f"{name!r} takes a length such as 35 or 6..10")
    low, high = int(match["low"] or 1), int(match["high"])
    if not 1 <= low <= high:
        raise TypeMistake(f"{name!r} with lengths {arguments[0]}")
    return low, high


def _text(arguments: tuple[str, ...]) -> WireType:
    low, high = _lengths(arguments, "text")
    return WireType(
        name=" ".join(("text", *arguments)),
        feeds=frozenset({"text"}),
        base="token",
        parse=str,
        format=str,
        sample=lambda number: _fitted(f"Text {number}", low, high),
        minimum=low,
        maximum=high,
    )


def _fitted(text: str, low: int, high: int | None) -> str:
    padded = text.ljust(low, "x")
    return padded if high is None else padded.replace(" ", "")[-high:].ljust(low, "x")


def _digits(arguments: tuple[str, ...]) -> WireType:
    low, high = _lengths(arguments, "digits")
    shown = " ".join(("digits", *arguments))
    return WireType(
        name=shown,
        feeds=frozenset({"text"}),
        base="token",
        parse=str,
        format=str,
        sample=lambda number: str(number)[:high].ljust(low, "0"),
        pattern=f"[0-9]{{{low},{'' if high is None else high}}}",
    )


def _alphabetic(arguments: tuple[str, ...]) -> WireType:
    low, high = _lengths(arguments, "letters")
    return WireType(
        name=" ".join(("letters", *arguments)),
        feeds=frozenset({"text"}),
        base="token",
        parse=str,
        format=str,
        sample=lambda number: "ABCDEFGHIJKLMNOPQR"[: high or low].ljust(low, "X"),
        pattern=f"[A-Za-z]{{{low},{'' if high is None else high}}}",
    )


def _hex(arguments: tuple[str, ...]) -> WireType:
    low, high = _lengths(arguments, "hex")
    return WireType(
        name=" ".join(("hex", *arguments)),
        feeds=frozenset({"text"}),
        base="token",
        parse=str,
        format=str,
        sample=lambda number: f"{number:x}".rjust(low, "0"),
        pattern=f"[0-9a-f]{{{low},{'' if high is None else high}}}",
    )


def _line(arguments: tuple[str, ...]) -> WireType:
    low, high = _lengths(arguments, "line")
    text = replace(_text(arguments), name=" ".join(("line", *arguments)))
    # Python's dot and XML Schema's differ in what ends a line; these two end it for both.
    return replace(text, pattern=f"[^\\n\\r]{{{low},{'' if high is None else high}}}")


def _match(arguments: tuple[str, ...]) -> WireType:
    if len(arguments) != 2 or arguments[0][0] != "'" or arguments[0][-1] != "'":
        raise TypeMistake("'match' takes a quoted expression and an example, such as '[A-Z]+' AB")
    pattern, example = arguments[0][1:-1], arguments[1]
    try:
        if re.fullmatch(pattern, example) is None:
            raise TypeMistake(f"the example {example!r} is not of the form {pattern!r}")
    except re.error as error:
        raise TypeMistake(f"no regular expression: {error}") from error
    return WireType(
        name=f"match {pattern}",
        feeds=frozenset({"text"}),
        base="token",
        parse=str,
        format=str,
        sample=lambda number: example,
        pattern=pattern,
    )


def _letters(name: str, count: int, samples: tuple[str, ...]) -> Callable[..., WireType]:
    def make_letters(arguments: tuple[str, ...]) -> WireType:
        _none(arguments, name)
        return WireType(
            name=name,
            feeds=frozenset({"text"}),
            base="token",
            parse=str,
            format=str,
            sample=lambda number: samples[(number - 1) % len(samples)],
            pattern=f"[A-Z]{{{count}}}",
        )

    return make_letters


def _none(arguments: tuple[str, ...], name: str) -> None:
    if arguments:
        raise TypeMistake(f"{name!r} takes no arguments")


def _int(arguments: tuple[str, ...]) -> WireType:
    if len(arguments) > 1 or (arguments and not re.fullmatch("[1-9][0-9]?", arguments[0])):
        raise TypeMistake("'int' takes a number of digits")
    digits = int(arguments[0]) if arguments else 9
    return WireType(
        name=f"int {digits}",
        feeds=frozenset({"integer"}),
        base="integer",
        parse=int,
        format=str,
        sample=lambda number: str(number % 10**digits or 1),
        pattern=f"[0-9]{{1,{digits}}}",
    )


def _bounds(arguments: tuple[str, ...], name: str) -> tuple[int, int]:
    if not arguments:
        return MAX_DIGITS
    match = re.fullmatch(r"([1-9][0-9]?)(?:\.([0-9]))?", arguments[0])
    if match is None or len(arguments) > 1:
        raise TypeMistake(f"{name!r} takes digits before and after the point, such as 16.3")
    before, after = int(match[1]), int(match[2] or 0)
    if before > MAX_DIGITS[0] or after > MAX_DIGITS[1]:
        raise TypeMistake(f"{name!r} holds at most 16.6 digits")
    return before, after


def _number(name: str, before: int, after: int, *, signed: bool) -> WireType:
    fraction = f"(\\.[0-9]{{1,{after}}})?" if after else ""
    pattern = f"{'-?' if signed else ''}[0-9]{{1,{before}}}{fraction}"

    def written(value: object) -> str:
        return decimal_text(value, before, after, signed=signed)

    return WireType(
        name=name,
        feeds=frozenset({"decimal"}),
        base="decimal",
        parse=str,
        format=written,
        sample=lambda number: f"{number % 10**before}{'.5' if after else ''}",
        pattern=pattern,
        code="decimal.invalid",
    )


def decimal_text(value: object, before: int, after: int, *, signed: bool) -> str:
    """Plain digits of a decimal; raises rather than rounds. Zeros at the end may go."""
    assert isinstance(value, Decimal)
    if not value.is_finite():
        raise ValueFault("decimal.invalid", "not a finite number")
    if value == 0:
        value = abs(value)
    text = format(value, "f")
    whole, _, fraction = text.partition(".")
    if len(fraction) > after:
        fraction = fraction.rstrip("0")
        if len(fraction) > after:
            raise ValueFault("decimal.invalid", f"more than {after} digits after the point")
        text = f"{whole}.{fraction}" if fraction else whole
    if len(whole.lstrip("-")) > before:
        raise ValueFault("decimal.invalid", f"more than {before} digits before the point")
    if whole.startswith("-") and not signed:
        raise ValueFault("decimal.invalid", "negative")
    return text


def _decimal(arguments: tuple[str, ...]) -> WireType:
    before, after = _bounds(arguments, "decimal")
    return _number(f"decimal {before}.{after}", before, after, signed=True)


def _mass(arguments: tuple[str, ...]) -> WireType:
    unit = arguments[0] if arguments else "kg"
    if unit not in ("kg", "g"):
        raise TypeMistake(f"unknown unit {unit!r}: kg or g")
    before, after = _bounds(arguments[1:], "mass")
    plain = _number(f"mass {unit} {before}.{after}", before, after, signed=False)
    if unit == "kg":
        return plain

    def written(value: object) -> str:
        assert isinstance(value, Decimal)
        return plain.format(value.scaleb(3))

    return replace(
        plain, parse=lambda text: format(Decimal(text).scaleb(-3), "f"), format=written, raw=False
    )


def _flag(arguments: tuple[str, ...]) -> WireType:
    yes, slash, no = (arguments or ("true/false",))[0].partition("/")
    if len(arguments) > 1 or not slash or not yes or not no or yes == no:
        raise TypeMistake("'flag' takes two spellings, such as Y/N")
    spelt = {yes: True, no: False}

    def parse(text: str) -> object:
        if text not in spelt:
            raise ValueFault("value.pattern", f"neither {yes} nor {no}")
        return spelt[text]

    return WireType(
        name=f"flag {yes}/{no}",
        feeds=frozenset({"boolean"}),
        base="token",
        parse=parse,
        format=lambda value: yes if value else no,
        sample=lambda number: yes,
        pattern=f"{re.escape(yes)}|{re.escape(no)}",
        values=(yes, no),
        raw=False,
    )


def _moment(name: str, standard: Moment) -> Callable[..., WireType]:
    def make_moment(arguments: tuple[str, ...]) -> WireType:
        try:
            known = PROFILES if name == "instant" else {}
            shape = standard
            if arguments:
                shape = known.get(arguments[0]) or moment(name, arguments[0])
        except ValueError as error:
            raise TypeMistake(str(error)) from error
        _none(arguments[1:], name)

        def guarded(convert: Callable[..., str]) -> Callable[..., str]:
            def run(value: object) -> str:
                try:
                    return convert(value)
                except ValueError as error:
                    raise ValueFault(f"{name}.invalid", f"no such {name}") from error

            return run

        return WireType(
            name=" ".join((name, *arguments)),
            feeds=frozenset({name}),
            base=shape.base,
            parse=guarded(shape.parse),
            format=guarded(shape.format),
            sample=shape.sample,
            pattern=shape.pattern,
            raw=shape.iso,
            code=f"{name}.invalid",
        )

    return make_moment


def _base64(arguments: tuple[str, ...]) -> WireType:
    _none(arguments, "base64")

    def parse(text: str) -> object:
        compact = "".join(text.split())
        if not compact:
            raise ValueFault("value.empty", "no content")
        try:
            binascii.a2b_base64(compact, strict_mode=True)
        except ValueError as error:
            # Of binascii.Error, or a plain one for what is not ASCII.
            raise ValueFault("bytes.invalid", "not base64") from error
        # As a text these three bytes would pass for nothing.
        return base64.b64decode(compact) if compact.lower() == "null" else compact

    def written(value: object) -> str:
        assert isinstance(value, bytes)
        if not value:
            raise ValueFault("value.empty", "no content")
        return base64.b64encode(value).decode("ascii")

    return WireType(
        name="base64",
        feeds=frozenset({"bytes"}),
        base="base64Binary",
        parse=parse,
        format=written,
        sample=lambda number: base64.b64encode(f"content {number}".encode()).decode("ascii"),
        raw=False,
    )


_COUNTRIES = ("FR", "GB", "JP", "BR", "EG", "CH")
_CURRENCIES = ("EUR", "GBP", "JPY", "BRL", "EGP", "CHF")
_MAKERS: dict[str, Callable[[tuple[str, ...]], WireType]] = {
    "text": _text,
    "line": _line,
    "match": _match,
    "digits": _digits,
    "letters": _alphabetic,
    "hex": _hex,
    "country": _letters("country", 2, _COUNTRIES),
    "currency": _letters("currency", 3, _CURRENCIES),
    "int": _int,
    "decimal": _decimal,
    "mass": _mass,
    "date": _moment("date", DATE),
    "time": _moment("time", TIME),
    "local": _moment("local", LOCAL),
    "instant": _moment("instant", INSTANT),
    "flag": _flag,
    "base64": _base64,
}
_YOUNGER = frozenset({"line", "match", "letters", "hex"})
NAMES = (frozenset(_MAKERS) - _YOUNGER) | {"code", "choice", "pairs", "by"}
"""Names that no group may take. A type that is added later does not stand here: it gives way to a
group of its name, so that layouts that were written before it stay what they are."""
