"""Default deny: one grant must cover all of a message."""

from __future__ import annotations

import pytest

from trust.identity import PartyId
from trust.members import Grant, Party
from trust.policy import meant, permit_format, permit_message

PARTY = Party(
    id=PartyId("broker"),
    grants=(
        Grant(
            formats=("upu.*",), kinds=("ItemDeclaration",), countries=("FR", "D*"), on_behalf_of=()
        ),
        Grant(formats=("luxor.json.1",), kinds=("*",), countries=("*",), on_behalf_of=("post-*",)),
    ),
)


def denied(  # one call for each row of the table
    format_: str, kind: str, country: str | None, principal: str | None = None, who: Party = PARTY
) -> str | None:
    """The code, or nothing where the message is permitted."""
    denial = permit_message(
        who,
        format=format_,
        kind=kind,
        country=country,
        on_behalf_of=None if principal is None else PartyId(principal),
    )
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
