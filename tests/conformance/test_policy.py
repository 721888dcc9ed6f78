"""Every decision of the policy over a small world equals a table that was written beside it.

The registry says it in TOML with globs, and goes the way of a gateway: who is it, for whom, this
format, this message. The table says it in rows of regular expressions, from the text of the rules
in docs/identity.md, and is multiplied out into sets of all that is allowed. A decision is the code
of the refusal, or none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import NamedTuple

import pytest

from trust.authenticator import Authenticator
from trust.authority import generate_key
from trust.delegation import Delegation, sign
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import KeySigner
from trust.party import Registry
from trust.policy import permit_format, permit_message, permit_receipt
from trust.revocation import Revocations

SUITE = "Policy matrix"
START = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = (0, 10, 29, 30, 40)
GATEWAYS = ("gateway-lx", "gateway-pn")
PARTIES = ("post-a", "post-b", "broker", "sub-broker", "shop", "customs")
PRINCIPALS = (None, "post-a", "post-b", "broker", "shop", "nobody")
FORMATS = ("upu.itmatt.1", "upu.predes.2", "luxor.json.1", "acme.orders.1")
KINDS = ("ItemDeclaration", "Despatch", "Order", "RiskIndicator")
COUNTRIES = ("FR", "LU", "JP", None)
SUSPENDED = ((), ("post-b",), ("broker",))

REGISTRY = """
[[party]]
id = "post-a"
[[party.grant]]
formats = ["upu.*"]
kinds = ["ItemDeclaration", "Despatch"]
countries = ["*"]

[[party]]
id = "post-b"
[[party.grant]]
formats = ["upu.itmatt.*", "luxor.*"]
kinds = ["ItemDeclaration"]
countries = ["FR", "L*"]
[[party.grant]]
formats = ["upu.predes.2"]
kinds = ["De*"]
countries = ["JP"]
[[party.grant]]
direction = "receive"
formats = ["luxor.json.1"]
kinds = ["RiskIndicator", "Order"]
countries = ["FR"]

[[party]]
id = "broker"
[[party.grant]]
formats = ["upu.*"]
kinds = ["ItemDeclaration", "Despatch"]
countries = ["FR", "JP"]
on_behalf_of = ["post-*"]
[[party.grant]]
formats = ["luxor.json.1"]
kinds = ["Order", "Risk*"]
countries = ["*"]
on_behalf_of = ["shop"]
[[party.grant]]
formats = ["luxor.json.1"]
kinds = ["ItemDeclaration"]
countries = ["FR"]
on_behalf_of = ["post-b"]
[[party.grant]]
formats = ["luxor.*"]
kinds = ["ItemDeclaration"]
countries = ["LU"]
[[party.grant]]
formats = ["acme.orders.1"]
kinds = ["Order"]
countries = ["*"]
[[party.grant]]
direction = "receive"
formats = ["upu.*", "acme.*"]
kinds = ["*"]
countries = ["*"]

[[party]]
id = "sub-broker"
[[party.grant]]
formats = ["*"]
kinds = ["*"]
countries = ["*"]
on_behalf_of = ["*"]

[[party]]
id = "shop"
[[party.grant]]
formats = ["luxor.json.1", "acme.*"]
kinds = ["Order"]
countries = ["F*"]

[[party]]
id = "customs"
[[party.grant]]
direction = "receive"
formats = ["*"]
kinds = ["*"]
countries = ["*"]
"""

GRANTS = r"""
# who        | format                | kind                     | country | also for
post-a       | upu\.\w+\.\d          | ItemDeclaration|Despatch | ..      | -
post-b       | upu\.itmatt\.1        | ItemDeclaration          | FR|LU   | -
post-b       | luxor\.json\.1        | ItemDeclaration          | FR|LU   | -
post-b       | upu\.predes\.2        | Despatch                 | JP      | -
broker       | upu\.\w+\.\d          | ItemDeclaration|Despatch | FR|JP   | post-[ab]
broker       | luxor\.json\.1        | Order|RiskIndicator      | ..      | shop
broker       | luxor\.json\.1        | ItemDeclaration          | FR      | post-b
broker       | luxor\.json\.1        | ItemDeclaration          | LU      | -
broker       | acme\.orders\.1       | Order                    | ..      | -
sub-broker   | .+                    | \w+                      | ..      | [\w-]+
shop         | (luxor|acme)\..+      | Order                    | FR      | -
"""
RECEIVING = r"""
# who        | format                | kind                     | country
post-b       | luxor\.json\.1        | RiskIndicator|Order      | FR
broker       | (upu|acme)\..+        | \w+                      | ..
customs      | .+                    | \w+                      | ..
"""
DELEGATIONS = r"""
# from | to         | where           | days | format    | kind            | country | state
post-a | broker     | gateway-(lx|pn) | 0-30 | .+        | ItemDeclaration | ..      | good
post-b | broker     | gateway-lx      | 5-30 | upu\..+   | \w+             | ..      | good
post-b | broker     | gateway-lx      | 5-20 | luxor\..+ | \w+             | ..      | good
shop   | broker     | gateway-lx      | 0-30 | .+        | Order           | FR|LU   | good
broker | sub-broker | gateway-lx      | 0-30 | .+        | \w+             | ..      | good
post-b | sub-broker | gateway-lx      | 0-30 | .+        | \w+             | ..      | forged
shop   | sub-broker | gateway-lx      | 0-30 | .+        | \w+             | ..      | key gone
post-a | shop       | gateway-lx      | 0-30 | .+        | \w+             | ..      | good
"""
GLOBS = {
    r".+": "*",
    r"\w+": "*",
    "..": "*",
    r"upu\..+": "upu.*",
    r"luxor\..+": "luxor.*",
}
"""How a delegation says what its row says, where it can not say it word by word."""
KEYS = {name: KeySigner(generate_key("Ed25519")) for name in ("post-a", "post-b", "broker", "shop")}
GONE = KeySigner(generate_key("Ed25519"))


class Send(NamedTuple):
    """What is asked: may this one send this, in that one's name?"""

    party: str
    principal: str | None
    format: str
    kind: str
    country: str | None


def rows(table: str) -> Iterable[tuple[str, ...]]:
    """The rows of a table; ``|`` separates where spaces are around it."""
    for line in table.strip().splitlines():
        if not line.startswith("#"):
            yield tuple(cell.strip() for cell in re.split(r"\s+\|\s+", line))


def like(pattern: str, values: Iterable[str | None]) -> list[str | None]:
    """Those of the values that the pattern is for; what is about no country always is."""
    return [value for value in values if value is None or re.fullmatch(pattern, value)]


def messages(
    format_: str, kind: str, country: str
) -> Iterable[tuple[str | None, str | None, str | None]]:
    """Every message of a row."""
    return product(like(format_, FORMATS), like(kind, KINDS), like(country, COUNTRIES))


# The table, multiplied out.
OWN = {
    (who, *message)
    for who, format_, kind, country, _ in rows(GRANTS)
    for message in messages(format_, kind, country)
}
FOR = {
    (who, principal, *message)
    for who, format_, kind, country, also in rows(GRANTS)
    for principal in like(also, PRINCIPALS[1:])
    for message in messages(format_, kind, country)
}
GIVEN: dict[tuple[str, str, str | None, int], set[tuple[str | None, ...]]] = {}
for _principal, _who, _where, _days, *_message, _state in rows(DELEGATIONS):
    if _state != "good":
        continue
    _first, _over = map(int, _days.split("-"))
    for _gateway, _day in product(like(_where, GATEWAYS), range(_first, _over)):
        _given = GIVEN.setdefault((_principal, _who, _gateway, _day), set())
        _given.update(messages(*_message))
GETS = {
    (who, *message)
    for who, format_, kind, country in rows(RECEIVING)
    for message in messages(format_, kind, country)
}


OWN_FORMATS = {row[:2] for row in OWN}
OWN_KINDS = {row[:3] for row in OWN}
FOR_FORMATS = {row[:3] for row in FOR}


def expected(asked: Send, gateway: str, day: int, suspended: tuple[str, ...]) -> str | None:
    """What the table says."""
    who, principal, format_, kind, country = asked
    if who in suspended:
        return "party.suspended"
    message = (format_, kind, country)
    given = GIVEN.get((principal or "", who, gateway, day), set())
    if principal is not None and (principal in suspended or not given):
        return "permission.on-behalf-of"
    if (who, format_) not in OWN_FORMATS:
        return "permission.format"
    if principal is not None and (
        (who, principal, format_) not in FOR_FORMATS
        or format_ not in {row[0] for row in given}
        or (principal, format_) not in OWN_FORMATS
    ):
        return "permission.on-behalf-of"
    if (who, format_, kind) not in OWN_KINDS:
        return "permission.kind"
    if (who, *message) not in OWN:
        return "permission.country"
    if principal is None:
        return None
    acts = (who, principal, *message) in FOR and message in given
    return None if acts and (principal, *message) in OWN else "permission.on-behalf-of"


def tokens() -> Iterable[str]:
    """The delegations of the table as they would be signed."""
    for number, row in enumerate(rows(DELEGATIONS)):
        principal, who, where, days, format_, kind, country, state = row
        begin, end = (START + timedelta(days=int(day)) for day in days.split("-"))
        signer = {"good": KEYS.get(principal), "forged": KEYS["broker"]}.get(state, GONE)
        assert signer is not None
        claims = Delegation(
            id=f"d-{number}",
            delegator=PartyId(principal),
            delegate=PartyId(who),
            gateways=tuple(PartyId(name) for name in like(where, GATEWAYS) if name is not None),
            issued_at=int(START.timestamp()),
            not_before=int(begin.timestamp()),
            not_after=int(end.timestamp()),
            formats=(GLOBS.get(format_, format_),),
            kinds=(GLOBS.get(kind, kind),),
            countries=tuple(GLOBS.get(name, name) for name in country.split("|")),
        )
        yield sign(claims, signer)


def gate(suspended: tuple[str, ...] = (), *, receive: str = "agreed") -> Authenticator:
    """The gate of a gateway over the registry of the text."""
    text = f'[policy]\nreceive = "{receive}"\n{REGISTRY}'
    for name, signer in KEYS.items():
        line = f'id = "{name}"\n'
        key = f"[[party.key]]\npublic_key = '''\n{signer.public_pem.decode()}'''\n"
        mark = "suspended = true\n" if name in suspended else ""
        text = text.replace(line, line + mark + key)
    text += "".join(f'[[delegation]]\ntoken = "{token}"\n' for token in tokens())
    return Authenticator(Registry.from_toml(text, _no_file), Revocations.from_files((), {}))


def _no_file(name: str) -> bytes:
    raise FileNotFoundError(name)


def decided(asked: Send, found: Authenticator, gateway: str, now: datetime) -> str | None:
    """What a gateway says, in the order in which it asks."""
    registry = found.registry
    try:
        identity = found.configured(PartyId(asked.party))
        party, principal = registry.party(identity.party), None
        if asked.principal is not None:
            principal = registry.principal(party.id, asked.principal, gateway=gateway, now=now)
    except TrustError as error:
        return error.code
    denial = permit_format(party, asked.format, principal=principal) or permit_message(
        party,
        format=asked.format,
        kind=asked.kind,
        country=asked.country,
        principal=principal,
    )
    return denial.code if denial else None


@pytest.mark.conformance(SUITE)
@pytest.mark.parametrize("suspended", SUSPENDED, ids=lambda names: "-".join(names) or "nobody")
@pytest.mark.parametrize("who", PARTIES)
def test_what_may_be_sent_is_what_the_table_says(
    who: str, suspended: tuple[str, ...], figure: Callable[[str, int, int], None]
) -> None:
    found = gate(suspended)
    total, wrong = 0, []
    for gateway, day in product(GATEWAYS, DAYS):
        now = START + timedelta(days=day)
        for rest in product(PRINCIPALS, FORMATS, KINDS, COUNTRIES):
            asked, total = Send(who, *rest), total + 1
            ours = decided(asked, found, gateway, now)
            if ours != (theirs := expected(asked, gateway, day, suspended)):
                wrong.append((asked, gateway, day, ours, theirs))

    figure("decisions about sending", total - len(wrong), total)
    assert wrong == []


@pytest.mark.conformance(SUITE)
@pytest.mark.parametrize("receive", ["agreed", "granted"])
def test_what_may_be_received_is_what_the_table_says(
    receive: str, figure: Callable[[str, int, int], None]
) -> None:
    registry = gate(receive=receive).registry
    total, wrong = 0, []
    for who, format_, kind, country in product(PARTIES, (*FORMATS, None), KINDS, COUNTRIES):
        denial = permit_receipt(
            registry.party(PartyId(who)),
            format=format_,
            kind=kind,
            country=country,
            granted=registry.policy.receive == "granted",
        )
        named = any(row[0] == who for row in GETS)
        formats = FORMATS if format_ is None else (format_,)
        may = any((who, one, kind, country) in GETS for one in formats)
        if not named:
            may = receive == "agreed"
        total += 1
        if may is not (denial is None):
            wrong.append((who, format_, kind, country, denial))

    figure("decisions about receiving", total - len(wrong), total)
    assert wrong == []


@pytest.mark.conformance(SUITE)
def test_the_table_has_every_kind_of_decision_and_ten_thousand_of_them() -> None:
    asked = [Send(*row) for row in product(PARTIES, PRINCIPALS, FORMATS, KINDS, COUNTRIES)]
    codes = {expected(one, "gateway-lx", 10, suspended) for suspended in SUSPENDED for one in asked}
    acted = [one for one in asked if one.principal and not expected(one, "gateway-lx", 10, ())]

    assert len(asked) * len(SUSPENDED) * len(GATEWAYS) * len(DAYS) > 10_000
    assert {(one.party, one.principal) for one in acted} == {
        ("broker", "post-a"),
        ("broker", "post-b"),
        ("broker", "shop"),
        ("sub-broker", "broker"),
    }
    assert codes == {
        None,
        "party.suspended",
        "permission.format",
        "permission.kind",
        "permission.country",
        "permission.on-behalf-of",
    }
