"""Successors: announced by the old key and the new one, accepted while the old one counts."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trust.town import NOW
from trust.authority import generate_key, private_key_pem
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import KeySigner, signing_key
from trust.members import Party
from trust.signatures.attached import sign_attached
from trust.successor import PROOF_TYPE, TYPE, Announcement, announce, read, succeed, verify

DAY = timedelta(days=1)
OLD, NEW, THIRD = (KeySigner(generate_key(kind)) for kind in ("P-256", "Ed25519", "P-384"))
POST = PartyId("post-a")


def party(*keys: KeySigner, **changes: Any) -> Party:
    """A post with these keys, or the old one."""
    held = tuple(signing_key(key.public_pem) for key in keys or (OLD,))
    return Party(id=POST, **{"signing_keys": held, **changes})


def announcement(old: KeySigner = OLD, new: KeySigner = NEW, **changes: Any) -> Announcement:
    """The new key from now on, the old one for thirty days more."""
    now = int(NOW.timestamp())
    usual = Announcement(
        party=POST,
        issued_at=now,
        replaces=old.kid,
        kid=new.kid,
        algorithm=new.alg,
        public_key=new.public_pem.decode(),
        key_from=now,
        old_until=int((NOW + 30 * DAY).timestamp()),
    )
    return msgspec.structs.replace(usual, **changes)


def announced(old: KeySigner = OLD, new: KeySigner = NEW, **changes: Any) -> str:
    """The token of it."""
    return announce(announcement(old, new, **changes), old=old, new=new)


def at(days: float) -> int:
    """So many days from now, in seconds since 1970."""
    return int((NOW + days * DAY).timestamp())


def refusal(token: str, who: Party | None = None, *, days: float = 0) -> str:
    """Why it is not accepted; empty when it is."""
    try:
        verify(token, who or party(), now=NOW + days * DAY)
    except TrustError as error:
        return error.detail if error.code == "successor.invalid" else ""
    return ""


def test_an_announced_key_stands_beside_the_old_one() -> None:
    found = succeed(party(), verify(announced(), party(), now=NOW))

    old, new = found.signing_keys
    assert (old.kid, old.not_after) == (OLD.kid, NOW + 30 * DAY)
    assert (new.kid, new.algorithm, new.not_before, new.succeeds) == (
        NEW.kid,
        "Ed25519",
        NOW,
        OLD.kid,
    )
    assert new.not_after is None


def test_three_generations_follow_each_other() -> None:
    second = succeed(party(), verify(announced(), party(), now=NOW))
    token = announced(NEW, THIRD, key_from=at(0), old_until=at(60))

    third = succeed(second, verify(token, second, now=NOW + DAY))

    assert [key.kid for key in third.signing_keys] == [OLD.kid, NEW.kid, THIRD.kid]
    assert [key.succeeds for key in third.signing_keys] == ["", OLD.kid, NEW.kid]


def test_no_announcement_makes_the_old_key_last_longer() -> None:
    ending = msgspec.structs.replace(signing_key(OLD.public_pem), not_after=NOW + 2 * DAY)
    who = party(signing_keys=(ending,))

    found = succeed(who, verify(announced(), who, now=NOW))

    assert found.signing_keys[0].not_after == NOW + 2 * DAY


def test_of_a_key_that_is_not_registered_it_counts_for_nothing() -> None:
    assert "no registered key" in refusal(announced(THIRD, NEW))
    assert "no registered key" in refusal(announced(), party(NEW))


def test_of_a_key_that_is_over_it_counts_for_nothing_whatever_its_date_says() -> None:
    over = msgspec.structs.replace(signing_key(OLD.public_pem), not_after=NOW - DAY)
    early = msgspec.structs.replace(signing_key(OLD.public_pem), not_before=NOW + DAY)

    backdated = announced(issued_at=at(-5))

    assert "outside the time" in refusal(backdated, party(signing_keys=(over,)))
    assert "outside the time" in refusal(announced(), party(signing_keys=(early,)))


def test_of_a_suspended_party_it_counts_for_nothing() -> None:
    assert "suspended" in refusal(announced(), party(suspended=True))


def test_who_does_not_hold_the_new_key_can_not_announce_it() -> None:
    claims = announcement()
    proof = sign_attached(msgspec.json.encode(claims), signer=THIRD, type=PROOF_TYPE)
    other = sign_attached(proof.encode(), signer=OLD, type=TYPE)
    named = KeySigner.from_pem(pem_of(THIRD), kid=NEW.kid, algorithm="ES384")
    proof = sign_attached(msgspec.json.encode(claims), signer=named, type=PROOF_TYPE)
    under_its_name = sign_attached(proof.encode(), signer=OLD, type=TYPE)
    own = KeySigner.from_pem(pem_of(OLD), kid=NEW.kid, algorithm="ES256")
    proof = sign_attached(msgspec.json.encode(claims), signer=own, type=PROOF_TYPE)
    by_the_old_key = sign_attached(proof.encode(), signer=OLD, type=TYPE)

    assert all(refusal(token) for token in (other, under_its_name, by_the_old_key))


def pem_of(signer: KeySigner) -> bytes:
    """The private key of a signer, for one under another name."""
    return private_key_pem(signer._key)


def test_a_changed_token_counts_for_nothing() -> None:
    token = announced()
    header, payload, signature = token.split(".")
    middle = len(payload) // 2
    changed = payload[:middle] + ("A" if payload[middle] != "A" else "B") + payload[middle + 1 :]

    assert refusal(f"{header}.{changed}.{signature}")
    assert refusal(f"{header}.{payload}.{signature[:-8]}AAAAAAAA")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"party": "post-b"}, "another key or party"),
        ({"replaces": THIRD.kid}, "another key or party"),
        ({"issued_at": at(1)}, "in the future"),
        ({"issued_at": at(-31)}, "older than"),
        ({"old_until": at(-1)}, "over already"),
        ({"key_from": at(31)}, "in between"),
        ({"key_until": at(20)}, "before the old one"),
    ],
    ids=["party", "key", "future", "old", "over", "gap", "short"],
)
def test_what_contradicts_itself_is_refused_with_its_reason(
    changes: dict[str, Any], word: str
) -> None:
    assert word in refusal(announced(**changes))


def test_a_key_is_announced_once() -> None:
    who = succeed(party(), verify(announced(), party(), now=NOW))
    renamed = KeySigner.from_pem(pem_of(NEW), kid="k-2")

    assert "there is a key" in refusal(announced(), who)
    assert "registered already" in refusal(announced(OLD, renamed), who)


@pytest.mark.parametrize("kid", ["", "k\x1b[2J", "k\n", "k\u202e", "k" * 101])
def test_a_key_has_a_name_that_can_be_shown_and_sent(kid: str) -> None:
    """What an operator sees on a terminal is what it accepts."""
    token = announced(new=KeySigner.from_pem(pem_of(NEW), kid=kid), kid=kid)

    assert "kid" in refusal(token)


def test_a_key_that_does_not_fit_the_profile_is_refused() -> None:
    assert refusal(announced(algorithm="HS256"))
    assert refusal(announced(algorithm="ES256"))
    assert refusal(announced(public_key="-----BEGIN PUBLIC KEY-----\nrubbish\n"))
    private = pem_of(NEW).decode()
    assert "not a PEM public key" in refusal(announced(public_key=private))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        sign_attached(b"{}", signer=OLD, type=PROOF_TYPE),
        sign_attached(b"{}", signer=OLD, type=TYPE),
        sign_attached(b"\xff", signer=OLD, type=TYPE),
        sign_attached(
            sign_attached(b'{"iss": "post-a"}', signer=NEW, type=PROOF_TYPE).encode(),
            signer=OLD,
            type=TYPE,
        ),
        sign_attached(msgspec.json.encode(announcement()), signer=OLD, type=TYPE),
    ],
    ids=["nothing", "rubbish", "another type", "no proof", "no text", "claims", "proof left out"],
)
def test_rubbish_is_refused(token: str) -> None:
    with pytest.raises(TrustError) as refused:
        read(token)

    assert refused.value.code == "successor.invalid"
    assert refusal(token)


def test_a_proof_of_another_type_is_refused() -> None:
    proof = sign_attached(msgspec.json.encode(announcement()), signer=NEW, type=TYPE)

    assert "not of type" in refusal(sign_attached(proof.encode(), signer=OLD, type=TYPE))


def test_reading_proves_nothing_and_tells_everything() -> None:
    found = read(announced(THIRD, NEW))

    assert json.loads(msgspec.json.encode(found))["iss"] == "post-a"
    assert found.kid == NEW.kid


@given(st.integers(0, 2_000), st.sampled_from("AZaz09-_.=+ \x00\N{SNOWMAN}"))
def test_a_token_that_was_changed_is_refused(at: int, letter: str) -> None:
    good = announced()
    at %= len(good)
    changed = good[:at] + letter + good[at + 1 :]

    assert changed == good or refusal(changed)


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
def test_garbage_raises_nothing_but_a_refusal(text: str) -> None:
    with pytest.raises(TrustError, match=r"successor\.invalid"):
        read(text)
    assert refusal(text)
