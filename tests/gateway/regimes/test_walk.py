"""What a walk finds, as compiled, is what stepping through its plan finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.regimes.codes.lists import packaged
from gateway.regimes.compiled import compiled
from gateway.regimes.identifiers import s10_check_digit, s10_faults
from gateway.regimes.partial import partial
from gateway.regimes.steps import Check, Does, Member, Plan, both
from gateway.regimes.walk import Table, Walk
from tests.strategies import messages, tried
from translators.canonical import Message, kind_of

TABLE = msgspec.convert(packaged("checks"), Table)


def odd(value: str) -> tuple[str, ...]:
    """Two codes, one, or none, by what the value is."""
    return ("s10.form", "hs.form", "country.unknown")[: sum(map(ord, value)) % 4]


class Checks(dict[str, Check]):
    """A check for every name of the table: about half of all values are wrong."""

    def __missing__(self, name: str) -> Check:
        return Member((), f"{name}.unknown") if name in ("country", "currency") else odd


WALK = Walk(TABLE, Checks(), lists=[("ContentPiece.hs", both(lambda _: (), odd))])

Told = tuple[str, str, str]


def stepped(value: Any, plan: Plan, path: str = "") -> Iterator[Told]:
    """The plain meaning of a plan."""
    for does, name, what, by, place in plan:
        child = getattr(value, name)
        at = f"{path}/{name}"
        if not child:
            continue
        if does is Does.CHECK:
            yield from ((code, at, place) for code in what(child))
        elif does is Does.CHECK_EACH:
            for index, entry in enumerate(child):
                codes = what(entry) if entry else ()
                yield from ((code, f"{at}/{index}", place) for code in codes)
        elif does is Does.CHOOSE:
            chosen: Mapping[str, Check] = what
            check = chosen.get(getattr(value, by) or "")
            yield from ((code, at, place) for code in (check(child) if check else ()))
        elif does is Does.ENTER:
            yield from stepped(child, what, at)
        else:
            for index, entry in enumerate(child):
                yield from stepped(entry, what, f"{at}/{index}")


@given(message=messages())
@tried(150)
def test_what_is_compiled_finds_what_its_plan_finds(message: Message) -> None:
    plan = WALK.plans[kind_of(message)]

    assert tuple(stepped(message, plan)) == compiled("test", plan)(message)


@given(message=messages(), data=st.data())
@tried(60)
def test_it_finds_the_same_in_drafts_of_which_half_can_not_be_used(
    message: Message, data: st.DataObject
) -> None:
    draft = _spoilt(msgspec.to_builtins(message), data)
    usable, plan = partial(kind_of(message), draft), WALK.plans[kind_of(message)]

    assert tuple(stepped(usable, plan)) == compiled("test", plan)(usable)


def _spoilt(value: Any, data: st.DataObject) -> Any:
    """A value with some of what is in it replaced by nothing, or by another type."""
    if data.draw(st.integers(0, 9)) == 0:
        return data.draw(st.sampled_from([None, 7, "", {}, [None, "x"]]))
    if isinstance(value, dict):
        return {name: _spoilt(child, data) for name, child in value.items()}
    if isinstance(value, list):
        return [_spoilt(child, data) for child in value]
    return value


def test_a_fault_says_its_place_and_weighs_what_the_table_says() -> None:
    walk = Walk(TABLE, Checks())
    draft = {"items": [{"number": 1, "hs": "a"}]}
    found = walk.faults("GoodsDeclaration", partial("GoodsDeclaration", draft))

    assert [("s10.form", "/items/0/hs", "warning")] == [
        (fault.code, fault.path, fault.severity.value) for fault in found
    ]


@pytest.mark.parametrize("digits", ["00000000", "99999999", "47110815", "12345678"])
def test_a_check_digit_of_s10_is_that_of_the_rule(digits: str) -> None:
    total = sum(
        weight * int(digit) for weight, digit in zip((8, 6, 4, 2, 3, 5, 9, 7), digits, strict=True)
    )
    expected = {10: 0, 11: 5}.get(11 - total % 11, 11 - total % 11)

    assert expected == s10_check_digit(digits)


@given(serial=st.from_regex(r"[0-9]{8}", fullmatch=True).filter(str.isascii))
@tried(200)
def test_all_serial_numbers_have_one_check_digit(serial: str) -> None:
    good = [digit for digit in range(10) if not s10_faults(f"RR{serial}{digit}FR")]

    assert [s10_check_digit(serial)] == good
