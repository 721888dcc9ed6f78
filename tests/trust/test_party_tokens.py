"""``luxor party delegate``, ``announce`` and their counterparts at the operator's."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization

from gateway.cli.party import party
from trust.authority import generate_key
from trust.delegation import read
from trust.identity import PartyId
from trust.keys import PrivateKey, public_key_pem, thumbprint_kid
from trust.members import SigningKey
from trust.party import Registry

TEXT = """\
# Kept by hand.
version = 1

[[party]]
id = "post-b"
name = "Post B"        # the second

[[party.key]]
public_key = "old.pub"  # since the beginning
not_after = 2999-01-01T00:00:00Z  # far away

# What it may send.
[[party.grant]]
formats = ["upu.*"]
kinds = ["ItemDeclaration"]
countries = ["*"]

# The broker acts for it.
[[party]]
id = "broker"
[[party.grant]]
formats = ["upu.*"]
kinds = ["*"]
countries = ["*"]
on_behalf_of = ["post-b"]
"""


class Desk:
    """A folder with a registry, and the keys of the post."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.registry = folder / "registry.toml"
        self.registry.write_text(TEXT)
        self.old, self.new = self.key("old"), self.key("new")
        self.kid = thumbprint_kid(self.old)

    def key(self, name: str) -> PrivateKey:
        """A key pair in files."""
        key = generate_key("P-256")
        file = self.folder / f"{name}.key"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        file.chmod(0o600)
        (self.folder / f"{name}.pub").write_bytes(public_key_pem(key))
        return key

    def run(self, *arguments: object, ok: bool = True, given: str | None = None) -> Result:
        """Run a command; it must end as said."""
        result = CliRunner().invoke(party, [str(each) for each in arguments], input=given)
        assert (result.exit_code == 0) is ok, result.output
        return result

    def at_registry(self, *arguments: object, **given: Any) -> Result:
        """Run a command that reads or changes the registry."""
        return self.run(*arguments, "--registry", self.registry, **given)

    def delegated(self, *more: object, key: str = "old") -> str:
        """A delegation of the post to the broker."""
        return self.run(
            *("delegate", "post-b", "broker", "--gateway", "gateway-lx", "--kind", "*"),
            *("--sign-with", self.folder / f"{key}.key", *more),
        ).output

    def announced(self, *more: object) -> str:
        """An announcement of the post's new key."""
        return self.run(
            *("announce", "post-b", "--key", self.folder / "new.key"),
            *("--sign-with", self.folder / "old.key", *more),
        ).output

    def held(self) -> tuple[SigningKey, ...]:
        """The post's keys as the registry has them now."""
        return self.read().party(PartyId("post-b")).signing_keys

    def read(self) -> Registry:
        """The registry as it stands."""
        text = self.registry.read_text()
        return Registry.from_toml(text, lambda name: (self.folder / name).read_bytes())

    @property
    def text(self) -> str:
        """What stands in the file."""
        return self.registry.read_text()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk."""
    return Desk(tmp_path)


def test_a_delegation_says_what_was_asked_for(desk: Desk) -> None:
    token = desk.delegated(
        *("--format", "upu.*", "--for", "FR", "--for", "LU", "--id", "d-7"),
        *("--from", "2027-01-01", "--until", "2027-06-30T12:00:00+02:00"),
    )

    claims = read(token.strip())
    assert (claims.delegator, claims.delegate, claims.id) == ("post-b", "broker", "d-7")
    assert (claims.kinds, claims.formats, claims.countries) == (("*",), ("upu.*",), ("FR", "LU"))
    assert datetime.fromtimestamp(claims.not_before, UTC) == datetime(2027, 1, 1, tzinfo=UTC)
    assert datetime.fromtimestamp(claims.not_after, UTC) == datetime(2027, 6, 30, 10, tzinfo=UTC)


def test_a_registered_delegation_stands_behind_everything_else(desk: Desk) -> None:
    token = desk.delegated("--out", desk.folder / "d.jwt")
    assert "once it is registered" in token

    said = desk.at_registry("accept-delegation", desk.folder / "d.jwt").output

    assert said.startswith("broker may send for post-b until ")
    assert desk.text.startswith(TEXT)
    assert [each.claims.delegate for each in desk.read().delegations] == ["broker"]
    (row,) = json.loads(desk.at_registry("delegations", "--json").output)
    assert (row["delegator"], row["delegate"], row["standing"]) == ("post-b", "broker", "in force")
    assert "in" in desk.at_registry("delegations").output


def test_the_name_of_a_delegation_is_shown_as_it_is(desk: Desk) -> None:
    """It is the delegator's word: it colours nothing and breaks no list."""
    name = "[red]d-1[/x]"
    desk.at_registry("accept-delegation", "-", given=desk.delegated("--id", name))

    told = desk.at_registry("delegations").output
    cells = [line.split("│")[2].strip() for line in told.splitlines() if line.count("│") > 3]
    assert name in "".join(cells)


def test_a_withdrawn_delegation_leaves_the_text_as_it_was(desk: Desk) -> None:
    for name in ("first", "second"):
        desk.at_registry("accept-delegation", "-", given=desk.delegated("--id", name))

    desk.at_registry("withdraw-delegation", "post-b", "first")

    assert [each.claims.id for each in desk.read().delegations] == ["second"]
    desk.at_registry("withdraw-delegation", "post-b", "second")
    assert desk.text.rstrip() == TEXT.rstrip()
    missing = desk.at_registry("withdraw-delegation", "post-b", "first", ok=False)
    assert "has no delegation 'first'" in missing.output


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (("--until", "2026-01-01", "--from", "2025-01-01"), "it is over since"),
        (("--id", "there"), "there already"),
    ],
)
def test_what_can_not_count_is_not_registered(desk: Desk, more: tuple[str, ...], word: str) -> None:
    desk.at_registry("accept-delegation", "-", given=desk.delegated("--id", "there"))
    before = desk.text

    result = desk.at_registry("accept-delegation", "-", given=desk.delegated(*more), ok=False)

    assert word in result.output
    assert desk.text == before


def test_a_delegation_by_a_strange_key_is_not_registered(desk: Desk) -> None:
    result = desk.at_registry("accept-delegation", "-", given=desk.delegated(key="new"), ok=False)

    assert "no registered key" in result.output
    assert desk.text == TEXT


def test_a_delegation_by_a_key_that_is_over_is_not_registered(desk: Desk) -> None:
    token = desk.delegated()
    desk.registry.write_text(TEXT.replace("2999-01-01", "2026-01-01"))

    result = desk.at_registry("accept-delegation", "-", given=token, ok=False)

    assert "outside the time" in result.output


def test_a_delegation_to_nobody_is_not_registered(desk: Desk) -> None:
    token = desk.run(
        *("delegate", "post-b", "nobody", "--gateway", "gateway-lx", "--kind", "*"),
        *("--sign-with", desk.folder / "old.key"),
    ).output

    assert (
        "no party 'nobody'"
        in desk.at_registry("accept-delegation", "-", given=token, ok=False).output
    )


def test_check_and_show_tell_of_a_delegation_that_counts_for_nothing(desk: Desk) -> None:
    desk.at_registry("accept-delegation", "-", given=desk.delegated())
    assert (
        json.loads(desk.at_registry("show", "broker", "--json").output)["delegations"][0][
            "standing"
        ]
        == "in force"
    )
    (desk.folder / "old.pub").write_bytes((desk.folder / "new.pub").read_bytes())

    result = desk.run("check", desk.registry, "--json", ok=False)

    (mistake,) = json.loads(result.output)["mistakes"]
    assert mistake["path"] == "delegation[0].token"
    assert "void" in mistake["detail"]
    assert "void" in desk.at_registry("show", "broker").output


def test_list_tells_for_whom_somebody_acts(desk: Desk) -> None:
    desk.at_registry("accept-delegation", "-", given=desk.delegated())

    rows = {row["id"]: row for row in json.loads(desk.at_registry("list", "--json").output)}

    assert rows["broker"]["acts_for"] == ["post-b"]
    assert rows["post-b"]["acts_for"] == []
    assert "acts" in desk.at_registry("list").output


def test_list_and_show_tell_what_decides_about_receiving(desk: Desk) -> None:
    def told() -> str:
        rows = json.loads(desk.at_registry("list", "--json").output)
        return str(next(row["receives"] for row in rows if row["id"] == "broker"))

    assert told() == "as agreed"
    closed = TEXT.replace("version = 1", 'version = 1\n\n[policy]\nreceive = "granted"')
    desk.registry.write_text(closed)
    assert told() == "nothing"
    desk.registry.write_text(
        closed + '[[party.grant]]\ndirection = "receive"\nformats = ["*"]\nkinds = ["*"]\n'
    )
    assert told() == "as granted"
    assert 'direction = "receive"' in desk.at_registry("show", "broker").output


def test_an_accepted_key_stands_beside_the_old_one_and_comments_stay(desk: Desk) -> None:
    desk.announced("--out", desk.folder / "a.jwt")

    said = desk.at_registry("accept-key", desk.folder / "a.jwt").output

    old, new = desk.held()
    assert said.startswith(f"post-b: key {new.kid} from ")
    assert old.kid == desk.kid
    assert old.not_after is not None
    assert timedelta(days=29) < old.not_after - datetime.now(UTC) < timedelta(days=31)
    assert (new.kid, new.succeeds) == (thumbprint_kid(desk.new), desk.kid)
    for line in TEXT.splitlines():
        assert line in desk.text or line.startswith("not_after")
    assert "# far away" in desk.text
    shown = desk.at_registry("show", "post-b").output
    assert f"announced by key {desk.kid}" in shown


def test_without_an_end_in_the_text_the_old_key_gets_one(desk: Desk) -> None:
    desk.registry.write_text(TEXT.replace("not_after = 2999-01-01T00:00:00Z  # far away\n", ""))
    desk.at_registry("accept-key", "-", given=desk.announced("--old-until", "2999-01-01"))

    old, _ = desk.held()

    assert old.not_after == datetime(2999, 1, 1, tzinfo=UTC)


def test_an_end_that_is_earlier_stays(desk: Desk) -> None:
    soon = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
    desk.registry.write_text(TEXT.replace("2999-01-01T00:00:00Z", soon.isoformat()))

    desk.at_registry("accept-key", "-", given=desk.announced())

    assert desk.held()[0].not_after == soon


def test_a_key_is_accepted_once(desk: Desk) -> None:
    token = desk.announced()
    desk.at_registry("accept-key", "-", given=token)
    before = desk.text

    result = desk.at_registry("accept-key", "-", given=token, ok=False)

    assert "already" in result.output
    assert desk.text == before


def test_two_rolls_in_a_row_leave_three_keys(desk: Desk) -> None:
    desk.at_registry("accept-key", "-", given=desk.announced())
    desk.key("third")
    token = desk.run(
        *("announce", "post-b", "--key", desk.folder / "third.key"),
        *("--sign-with", desk.folder / "new.key"),
    ).output

    desk.at_registry("accept-key", "-", given=token)

    kids = [key.kid for key in desk.held()]
    assert [key.succeeds for key in desk.held()] == ["", *kids[:2]]


@pytest.mark.parametrize(
    "change",
    [
        ("2999-01-01", "2026-01-01"),
        ('name = "Post B"', "suspended = true"),
        ("old.pub", "new.pub"),
    ],
    ids=["over", "suspended", "removed"],
)
def test_an_announcement_of_who_may_not_announce_is_refused(
    desk: Desk, change: tuple[str, str]
) -> None:
    token = desk.announced()
    desk.registry.write_text(TEXT.replace(*change))
    before = desk.text

    desk.at_registry("accept-key", "-", given=token, ok=False)

    assert desk.text == before


def test_what_only_a_person_can_change_is_not_touched(desk: Desk) -> None:
    pem = (desk.folder / "old.pub").read_text().replace("\n", "\\n")
    inline = f'party = [{{ id = "post-b", key = [{{ public_key = "{pem}" }}] }}]\n'
    desk.registry.write_text(inline)

    result = desk.at_registry("accept-key", "-", given=desk.announced(), ok=False)

    assert "only a person" in result.output
    assert desk.text == inline


def test_a_key_that_others_can_read_signs_nothing(desk: Desk) -> None:
    (desk.folder / "old.key").chmod(0o644)

    result = desk.run(
        *("delegate", "post-b", "broker", "--gateway", "gateway-lx", "--kind", "*"),
        *("--sign-with", desk.folder / "old.key"),
        ok=False,
    )

    assert "others than its owner" in result.output


@pytest.mark.parametrize(
    "given", ["", "rubbish", "a.b.c", "\N{SNOWMAN}", "x" * 100_000], ids=lambda text: text[:8]
)
@pytest.mark.parametrize("command", ["accept-key", "accept-delegation"])
def test_rubbish_is_refused(desk: Desk, command: str, given: str) -> None:
    result = desk.at_registry(command, "-", given=given, ok=False)

    assert result.output.startswith("Error: -: ")
    assert desk.text == TEXT


@pytest.mark.parametrize(
    "instant", ["tomorrow", "2027-13-01", "2027-01-01T00:00:00", "0001-01-01T00:00:00+14:00"]
)
def test_an_instant_has_a_zone_and_is_one(desk: Desk, instant: str) -> None:
    result = desk.run(
        *("delegate", "post-b", "broker", "--gateway", "gateway-lx", "--kind", "*"),
        *("--sign-with", desk.folder / "old.key", "--until", instant),
        ok=False,
    )

    assert result.exit_code == 2


@pytest.mark.parametrize(
    "command",
    [
        "delegate",
        "accept-delegation",
        "delegations",
        "withdraw-delegation",
        "announce",
        "accept-key",
    ],
)
def test_every_command_has_examples(desk: Desk, command: str) -> None:
    assert "Examples:" in desk.run(command, "--help").output


@pytest.mark.parametrize("command", ["delegate", "announce"])
def test_tokens_are_told_as_json_too(desk: Desk, command: str) -> None:
    text = desk.delegated("--json") if command == "delegate" else desk.announced("--json")

    assert json.loads(text)["token"].startswith("eyJ")
