"""Default deny: one grant must cover all of a message."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust.delegation import Delegation, Principal, matches
from trust.identity import PartyId
from trust.members import Grant, Party
from trust.policy import meant, permit_format, permit_message, permit_receipt, receivable

PARTY = Party(
    id=PartyId("broker"),
    grants=(
        Grant(
            formats=("upu.*",), kinds=("ItemDeclaration",), countries=("FR", "D*"), on_behalf_of=()
        ),
        Grant(formats=("luxor.json.1",), kinds=("*",), countries=("*",), on_behalf_of=("post-*",)),
    ),
)


def principal_of(name: str | None, *delegations: Delegation, **grant: Any) -> Principal | None:
    """A principal that may send everything, and lets the broker send everything, unless said."""
    if name is None:
        return None
    granted = {"formats": ("*",), "kinds": ("*",), "countries": ("*",), **grant}
    party = Party(id=PartyId(name), grants=(Grant(**granted),))
    return Principal(party, delegations or (delegation(name),))


def delegation(delegator: str = "post-a", **limits: Any) -> Delegation:
    """A delegation to the broker."""
    claims = {
        "id": "d-1",
        "delegator": PartyId(delegator),
        "delegate": PartyId("broker"),
        "gateways": (PartyId("gateway-lx"),),
        "kinds": ("*",),
        **limits,
    }
    return Delegation(issued_at=0, not_before=0, not_after=1, **claims)


def denied(  # one call for each row of the table
    format_: str,
    kind: str,
    country: str | None,
    principal: Principal | str | None = None,
    who: Party = PARTY,
) -> str | None:
    """The code, or nothing where the message is permitted."""
    named = principal if isinstance(principal, Principal) else principal_of(principal)
    denial = permit_message(who, format=format_, kind=kind, country=country, principal=named)
    return denial.code if denial else None


def test_a_party_without_grants_may_send_nothing() -> None:
    nobody = Party(id=PartyId("nobody"))

    assert denied("upu.itmatt.1", "ItemDeclaration", None, who=nobody) == "permission.format"


def test_a_format_is_permitted_by_a_glob() -> None:
    assert permit_format(PARTY, "upu.itmatt.1") is None


def test_a_format_that_no_grant_names_is_denied() -> None:
    denial = permit_format(PARTY, "gb.dms.declaration.2")

    assert denial is not None
    assert denial.code == "permission.format"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (("upu.itmatt.1", "ItemDeclaration", "FR", None), None),
        (("upu.itmatt.1", "ItemDeclaration", "DE", None), None),
        (("upu.itmatt.1", "ItemDeclaration", None, None), None),
        (("luxor.json.1", "Order", "JP", None), None),
        (("luxor.json.1", "Order", "JP", "post-a"), None),
        (("eu.ics2.f43.2", "ItemDeclaration", "FR", None), "permission.format"),
        (("upu.itmatt.1", "Order", "FR", None), "permission.kind"),
        (("upu.itmatt.1", "ItemDeclaration", "GB", None), "permission.country"),
        (("upu.itmatt.1", "ItemDeclaration", "FR", "post-a"), "permission.on-behalf-of"),
        (("luxor.json.1", "Order", "JP", "shop"), "permission.on-behalf-of"),
    ],
)
def test_one_grant_must_cover_the_whole_message(message: tuple[str, ...], code: str | None) -> None:
    format_, kind, country, principal = message

    assert denied(format_, kind, country, principal) == code


def test_two_grants_do_not_add_up() -> None:
    party = Party(
        id=PartyId("p"),
        grants=(
            Grant(formats=("a",), kinds=("Order",), countries=("FR",)),
            Grant(formats=("a",), kinds=("Despatch",), countries=("DE",)),
        ),
    )

    assert denied("a", "Order", "DE", who=party) == "permission.country"


ORDER = ("luxor.json.1", "Order", "JP")


@pytest.mark.parametrize(
    "limits",
    [{"kinds": ("Despatch",)}, {"formats": ("upu.*",)}, {"countries": ("FR",)}],
    ids=["kind", "format", "country"],
)
def test_nobody_sends_for_another_what_that_one_has_not_delegated(limits: dict[str, Any]) -> None:
    principal = principal_of("post-a", delegation(**limits))

    assert denied(*ORDER, principal) == "permission.on-behalf-of"


@pytest.mark.parametrize(
    "grant",
    [
        {"kinds": ("Despatch",)},
        {"formats": ("upu.*",)},
        {"countries": ("FR",)},
        {"direction": "receive"},
    ],
    ids=["kind", "format", "country", "direction"],
)
def test_nobody_delegates_what_it_may_not_send_itself(grant: dict[str, Any]) -> None:
    assert denied(*ORDER, principal_of("post-a", **grant)) == "permission.on-behalf-of"


def test_two_delegations_do_not_add_up() -> None:
    kind = delegation(id="d-1", countries=("FR",))
    country = delegation(id="d-2", kinds=("Despatch",))

    assert denied(*ORDER, principal_of("post-a", kind, country)) == "permission.on-behalf-of"


def test_a_country_that_a_message_does_not_have_limits_nothing() -> None:
    principal = principal_of("post-a", delegation(countries=("FR",)), countries=("FR",))

    assert denied("luxor.json.1", "Order", None, principal) is None


def test_what_a_principal_can_not_have_delegated_is_refused_by_its_format() -> None:
    principal = principal_of("post-a", delegation(formats=("upu.*",)))

    denial = permit_format(PARTY, "luxor.json.1", principal=principal)

    assert denial is not None
    assert denial.code == "permission.on-behalf-of"
    assert permit_format(PARTY, "luxor.json.1", principal=principal_of("post-a")) is None


def test_a_grant_to_receive_lets_nobody_send() -> None:
    party = Party(
        id=PartyId("p"),
        grants=(Grant(direction="receive", formats=("*",), kinds=("*",), countries=("*",)),),
    )

    assert permit_format(party, "upu.itmatt.1") is not None
    assert denied("upu.itmatt.1", "Order", None, who=party) == "permission.format"


RECEIVER = Party(
    id=PartyId("risk"),
    grants=(
        Grant(direction="receive", formats=("luxor.*",), kinds=("Order",), countries=("FR",)),
        Grant(formats=("*",), kinds=("*",), countries=("*",)),
    ),
)


@pytest.mark.parametrize(
    ("format_", "kind", "country", "expected"),
    [
        ("luxor.json.1", "Order", "FR", True),
        (None, "Order", "FR", True),
        ("luxor.json.1", "Order", None, True),
        ("upu.itmatt.1", "Order", "FR", False),
        ("luxor.json.1", "Despatch", "FR", False),
        ("luxor.json.1", "Order", "DE", False),
    ],
)
def test_a_party_with_a_grant_to_receive_gets_nothing_else(
    format_: str | None, kind: str, country: str | None, expected: bool
) -> None:
    denial = permit_receipt(RECEIVER, format=format_, kind=kind, country=country, granted=False)

    assert expected is (denial is None)


@pytest.mark.parametrize("granted", [True, False])
def test_whether_a_party_without_such_a_grant_receives_is_the_networks_policy(
    granted: bool,
) -> None:
    denial = permit_receipt(
        PARTY, format="luxor.json.1", kind="Order", country=None, granted=granted
    )

    assert granted is (denial is not None)
    assert granted is not receivable(PARTY, "luxor.json.1", granted=granted)


def test_a_format_can_be_asked_for_when_some_grant_has_it() -> None:
    assert receivable(RECEIVER, "luxor.json.1", granted=True)
    assert not receivable(RECEIVER, "upu.itmatt.1", granted=False)


VERSIONS = ("acme.items.1", "acme.items.2")


@pytest.mark.parametrize(
    ("granted", "speaks", "expected"),
    [
        (("acme.items.1",), (), ("acme.items.1",)),
        (("acme.items.1",), ("acme.items.2",), ("acme.items.1",)),
        (("acme.*",), ("luxor.json.1", "acme.items.2"), ("acme.items.2",)),
        (("acme.*",), (), VERSIONS),
        (("acme.*",), ("acme.items.2", "acme.items.1"), VERSIONS),
        ((), ("acme.items.2",), ("acme.items.1",)),
    ],
    ids=["granted", "grant before speech", "spoken", "neither", "both", "denied either way"],
)
def test_of_versions_written_alike_a_party_means_what_it_may_send_and_speaks(
    granted: tuple[str, ...], speaks: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    party = Party(id=PartyId("shop"), speaks=speaks, grants=(Grant(formats=granted),))

    assert expected == tuple(meant(party, VERSIONS))


@given(
    globs=st.lists(st.text("aB.-_2*", min_size=1, max_size=5), max_size=4),
    name=st.text("aB.-_2\n", max_size=6),
)
def test_a_glob_is_for_the_names_that_the_standard_library_matches(
    globs: list[str], name: str
) -> None:
    expected = any(fnmatchcase(name, glob) for glob in globs)

    assert expected == matches(tuple(globs), name)
