"""What a registry says of directions, and of receiving for everybody."""

from __future__ import annotations

import pytest

from trust.authority import generate_key
from trust.identity import PartyId
from trust.keys import public_key_pem
from trust.members import Grant, Policy
from trust.party import Registry, RegistryError

KEY = public_key_pem(generate_key("Ed25519")).decode()
TOML = f"""\
[policy]
receive = "granted"

[[party]]
id = "post-a"

[[party.key]]
public_key = '''
{KEY}'''
succeeds = "an older one"

[[party.grant]]
formats = ["upu.*"]

[[party.grant]]
direction = "receive"
formats = ["luxor.json.1"]
kinds = ["Order"]
countries = ["FR"]
"""


def no_file(name: str) -> bytes:
    """There is none."""
    raise FileNotFoundError(name)


def mistakes(text: str) -> list[str]:
    """The places of what is wrong with a text."""
    with pytest.raises(RegistryError) as caught:
        Registry.from_toml(text, no_file)
    return [mistake.path for mistake in caught.value.mistakes]


def test_directions_the_policy_and_successors_are_read_and_come_back() -> None:
    found = Registry.from_toml(TOML, no_file)

    first, second = found.party(PartyId("post-a")).grants
    assert found.policy == Policy(receive="granted")
    assert (first.direction, second) == (
        "send",
        Grant(direction="receive", formats=("luxor.json.1",), kinds=("Order",), countries=("FR",)),
    )
    for again in (
        Registry.from_toml(found.to_toml(), no_file),
        Registry.from_json(found.to_json()),
        found.with_party(found.party(PartyId("post-a"))),
    ):
        assert again.policy == found.policy
        assert again.parties == found.parties


def test_without_a_word_agreements_decide_about_receiving() -> None:
    assert Registry.from_toml("", no_file).policy == Policy(receive="agreed")
    assert "policy" not in Registry.from_toml("", no_file).to_toml()


def test_a_stored_registry_from_before_policies_is_read() -> None:
    found = Registry.from_json(b'{"version": 3, "parties": [{"id": "a", "grants": [{}]}]}')

    assert found.policy == Policy()
    assert found.delegations == ()
    assert [grant.direction for grant in found.party(PartyId("a")).grants] == ["send"]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (('receive = "granted"', 'receive = "never"'), "policy.receive"),
        (('receive = "granted"', "colour = 1"), "policy.colour"),
        (("[policy]", "[[policy]]"), "policy"),
        (('direction = "receive"', 'direction = "both"'), "party[0].grant[1].direction"),
        (
            ('direction = "receive"', 'direction = "receive"\non_behalf_of = ["post-b"]'),
            "party[0].grant[1].on_behalf_of",
        ),
        (("[policy]", "[[delegation]]\ncolour = 1\n[policy]"), "delegation[0].colour"),
    ],
    ids=["word", "key", "tables", "direction", "principal", "delegation"],
)
def test_mistakes_have_their_place(change: tuple[str, str], path: str) -> None:
    assert path in mistakes(TOML.replace(*change))
