"""Delegations: made by the one, registered for the other, void when the proof does not hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trust.town import NOW, USUAL, Town, der
from trust.authenticator import Authenticator
from trust.authority import generate_key
from trust.delegation import MAX_CLAIMS_CHARACTERS, TYPE, Delegation, read, sign
from trust.errors import TrustError
from trust.identity import Identity, PartyId
from trust.keys import KeySigner, signing_key
from trust.members import Grant, Party
from trust.party import Registry, RegistryError
from trust.revocation import Revocations
from trust.signatures.attached import sign_attached
from trust.signatures.compact import put_together, unpadded_encode
from trust.signatures.jws import Verifier, sign_detached, verify_detached

DAY = timedelta(days=1)
POST_B, BROKER, SUB = PartyId("post-b"), PartyId("broker"), PartyId("sub-broker")
KEY, OTHER = KeySigner(generate_key("P-256")), KeySigner(generate_key("Ed25519"))
EVERYTHING = Grant(formats=("*",), kinds=("*",), countries=("*",))
FOR_POSTS = msgspec.structs.replace(EVERYTHING, on_behalf_of=("*",))


def seconds(at: datetime) -> int:
    """Since 1970."""
    return int(at.timestamp())


def claims(**changes: Any) -> dict[str, Any]:
    """What a good delegation says."""
    usual = {
        "jti": "d-1",
        "iss": "post-b",
        "sub": "broker",
        "aud": ["gateway-lx"],
        "iat": seconds(NOW),
        "nbf": seconds(NOW),
        "exp": seconds(NOW + 30 * DAY),
        "kinds": ["*"],
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def token(signer: KeySigner = KEY, **changes: Any) -> str:
    """A delegation of post-b to the broker."""
    return sign(msgspec.convert(claims(**changes), Delegation), signer)


def parties(**post: Any) -> list[Party]:
    """The delegator, its delegate, and somebody to whom that one would like to pass it on."""
    key = signing_key(KEY.public_pem)
    fields: dict[str, Any] = {"signing_keys": (key,), "grants": (EVERYTHING,), **post}
    other = signing_key(OTHER.public_pem)
    return [
        Party(id=POST_B, **fields),
        Party(id=BROKER, grants=(FOR_POSTS,), signing_keys=(other,)),
        Party(id=SUB, grants=(FOR_POSTS,)),
    ]


def registry(*tokens: str, **post: Any) -> Registry:
    """A registry of these parties with these delegations."""
    return Registry(parties=parties(**post), delegations=tokens or (token(),))


def principal(
    found: Registry,
    *,
    delegate: PartyId = BROKER,
    claimed: str = "post-b",
    gateway: str = "gateway-lx",
    now: datetime = NOW,
) -> str:
    """For whom the delegate acts, or the code of the refusal."""
    try:
        return found.principal(delegate, claimed, gateway=gateway, now=now).party.id
    except TrustError as error:
        return error.code


DENIED = "permission.on-behalf-of"


def test_a_registered_delegation_lets_its_delegate_act() -> None:
    assert principal(registry()) == "post-b"


@pytest.mark.parametrize(
    "asked",
    [
        {"delegate": SUB},
        {"delegate": POST_B, "claimed": "broker"},
        {"claimed": "nobody"},
        {"claimed": ""},
        {"gateway": "gateway-pn"},
        {"now": NOW - DAY},
        {"now": NOW + 30 * DAY},
    ],
    ids=["another", "the way back", "unknown", "empty", "elsewhere", "early", "late"],
)
def test_it_lets_nobody_else_act_nowhere_else_and_at_no_other_time(asked: dict[str, Any]) -> None:
    assert principal(registry(), **asked) == DENIED


def test_all_refusals_read_alike() -> None:
    found = registry()
    details = set()
    for claimed in ("nobody", "sub-broker", "broker"):
        with pytest.raises(TrustError) as refused:
            found.principal(BROKER, claimed, gateway="gateway-lx", now=NOW)
        details.add(refused.value.detail.replace(repr(claimed), "somebody"))

    assert len(details) == 1


def test_what_was_delegated_can_not_be_delegated_on() -> None:
    onwards = token(OTHER, jti="d-2", iss="broker", sub="sub-broker")
    found = registry(token(), onwards)

    assert principal(found, delegate=SUB, claimed="broker") == "broker"
    assert principal(found, delegate=SUB, claimed="post-b") == DENIED


def test_nobody_signs_a_delegation_of_somebody_else() -> None:
    forged = token(OTHER, sub="sub-broker")
    found = registry(forged)

    assert principal(found, delegate=SUB) == DENIED
    assert [mistake.path for mistake in found.void()] == ["delegation[0].token"]


def test_with_a_suspended_delegator_it_counts_for_nothing() -> None:
    assert principal(registry(suspended=True)) == DENIED


def test_without_the_key_it_is_void_and_the_registry_loads_all_the_same() -> None:
    found = registry(signing_keys=())

    assert principal(found) == DENIED
    assert [str(mistake) for mistake in found.void()] == [
        "delegation[0].token: void: the party has no registered key of that name"
    ]


def test_it_outlives_the_time_of_the_key_but_is_not_made_outside_of_it() -> None:
    key = signing_key(KEY.public_pem, not_before=NOW - DAY, not_after=NOW + DAY)
    found = registry(token(), token(jti="d-2", iat=seconds(NOW + 2 * DAY)), signing_keys=(key,))

    assert principal(found, now=NOW + 20 * DAY) == "post-b"
    assert [mistake.path for mistake in found.void()] == ["delegation[1].token"]


def test_of_parties_that_are_gone_it_is_void() -> None:
    held = [party for party in parties() if party.id != BROKER]

    for left in (held, held[1:]):
        found = Registry(parties=left, delegations=[token()])
        assert [mistake.path for mistake in found.void()] == ["delegation[0].token"]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"sub": "post-b"}, "itself"),
        ({"exp": seconds(NOW)}, "over before"),
        ({"kinds": []}, "length"),
        ({"kinds": None}, "kinds"),
        ({"aud": []}, "length"),
        ({"aud": None}, "aud"),
        ({"exp": None}, "exp"),
        ({"exp": 10**12}, "<="),
        ({"iss": "Post B"}, "iss"),
        ({"kinds": ["a b"]}, "kinds"),
        ({"depth": 2}, "depth"),
        ({"jti": "d-1\x1b[2J"}, "jti"),
        ({"jti": "d-1\u202e"}, "jti"),
        ({"jti": "d-1\n"}, "jti"),
    ],
    ids=str,
)
def test_what_is_no_delegation_is_a_mistake_with_its_place(
    changes: dict[str, Any], word: str
) -> None:
    made = sign_attached(json.dumps(claims(**changes)).encode(), signer=KEY, type=TYPE)

    with pytest.raises(RegistryError) as caught:
        registry(token(jti="good"), made)

    (mistake,) = caught.value.mistakes
    assert mistake.path == "delegation[1].token"
    assert word in mistake.detail


@pytest.mark.parametrize(
    "made",
    [
        "",
        "a.b",
        "eyJ.eyJ.eyJ",
        sign_attached(json.dumps(claims()).encode(), signer=KEY, type="luxor-receipt+jwt"),
        sign_attached(b"[" * 5_000, signer=KEY, type=TYPE),
        sign_attached(b"\xff", signer=KEY, type=TYPE),
        sign_attached(b" " * MAX_CLAIMS_CHARACTERS, signer=KEY, type=TYPE),
        ".".join([put_together({"alg": "none", "typ": TYPE}).decode(), unpadded_encode(b"{}"), ""]),
    ],
    ids=["nothing", "two", "rubbish", "a receipt", "deep", "no text", "long", "unsigned"],
)
def test_rubbish_is_refused(made: str) -> None:
    with pytest.raises(TrustError) as refused:
        read(made)

    assert refused.value.code == "delegation.invalid"


def test_two_of_one_name_are_a_mistake() -> None:
    with pytest.raises(RegistryError) as caught:
        registry(token(), token(sub="sub-broker"))

    assert [mistake.path for mistake in caught.value.mistakes] == ["delegation[1].token"]


def test_a_text_has_them_as_they_are_or_in_files() -> None:
    made = token()
    text = f'[[delegation]]\ntoken = "{made}"\n\n[[delegation]]\ntoken = "b.jwt"\n'
    other = token(jti="d-2")

    found = Registry.from_toml(text, {"b.jwt": f"{other}\n".encode()}.__getitem__)

    assert [each.token for each in found.delegations] == [made, other]
    again = Registry.from_toml(found.to_toml(), lambda _: b"")
    assert [each.token for each in again.delegations] == [made, other]
    stored = Registry.from_json(found.to_json())
    assert [each.token for each in stored.delegations] == [made, other]


@pytest.mark.parametrize("name", ["gone.jwt", "binary.jwt"])
def test_a_file_that_has_none_is_a_mistake_with_its_place(name: str) -> None:
    def read_file(name: str) -> bytes:
        if name == "gone.jwt":
            raise FileNotFoundError(2, "No such file or directory")
        return b"\xff\xfe"

    with pytest.raises(RegistryError) as caught:
        Registry.from_toml(f'[[delegation]]\ntoken = "{name}"\n', read_file)

    assert [mistake.path for mistake in caught.value.mistakes] == ["delegation[0].token"]


def test_a_change_of_a_party_keeps_the_delegations_and_the_policy() -> None:
    found = registry()

    assert principal(found.with_party(found.party(SUB))) == "post-b"


BINDING: dict[str, Any] = {
    "interchange_id": "i-1",
    "format": "luxor.json.1",
    "audience": "gateway-lx",
    "now": NOW,
}


def test_a_signature_names_the_principal_and_counts_for_no_other() -> None:
    keys = {OTHER.kid: OTHER.public_key}
    signed = sign_detached(b"{}", signer=OTHER, on_behalf_of="post-b", **BINDING)

    assert verify_detached(signed, b"{}", keys=keys, on_behalf_of="post-b", **BINDING) == OTHER.kid
    for claimed in (None, "post-a", ""):
        with pytest.raises(TrustError) as refused:
            verify_detached(signed, b"{}", keys=keys, on_behalf_of=claimed, **BINDING)
        assert refused.value.code == "signature.principal"


def test_a_signature_in_ones_own_name_counts_for_no_principal() -> None:
    signed = sign_detached(b"{}", signer=OTHER, **BINDING)

    with pytest.raises(TrustError) as refused:
        Verifier(signed, keys={OTHER.kid: OTHER.public_key}, on_behalf_of="post-b", **BINDING)

    assert refused.value.code == "signature.principal"


def test_a_principal_that_is_not_critical_is_malformed() -> None:
    header = {
        "alg": OTHER.alg,
        "kid": OTHER.kid,
        "b64": False,
        "iat": seconds(NOW),
        "jti": "i-1",
        "cty": "luxor.json.1",
        "aud": "gateway-lx",
        "obo": "post-b",
        "crit": ["b64", "iat", "jti", "aud"],
    }
    segment = put_together(header)
    signed = f"{segment.decode()}..{unpadded_encode(OTHER.sign(segment + b'.' + b'{}'))}"

    with pytest.raises(TrustError) as refused:
        verify_detached(
            signed, b"{}", keys={OTHER.kid: OTHER.public_key}, on_behalf_of="post-b", **BINDING
        )

    assert refused.value.code == "signature.malformed"


@pytest.mark.parametrize("must", ["delegator", "delegate", "neither"])
def test_who_must_sign_is_signed_for_by_its_delegate_too(luxor: Town, must: str) -> None:
    post, broker, _ = parties(must_sign=must == "delegator")
    broker = msgspec.structs.replace(
        broker, must_sign=must == "delegate", authorities=(luxor.name,)
    )
    found = Registry(authorities=[luxor.authority], parties=[post, broker], delegations=[token()])
    gate = Authenticator(found, Revocations.from_files([luxor.authority], luxor.crls()))
    certificate = luxor.certificate("broker", validity=USUAL)
    caller = gate.identify(der(certificate), now=NOW)
    acting: Identity = msgspec.structs.replace(caller, on_behalf_of=POST_B)

    def unsigned(identity: Identity) -> str | None:
        try:
            gate.verifier(identity, signature=None, **BINDING)
        except TrustError as error:
            return error.code
        return None

    assert unsigned(caller) == ("signature.missing" if must == "delegate" else None)
    assert unsigned(acting) == (None if must == "neither" else "signature.missing")


def test_the_claims_are_those_of_a_jwt() -> None:
    made = read(token())

    assert json.loads(msgspec.json.encode(made)) == claims()
    assert datetime.fromtimestamp(made.issued_at, UTC) == NOW


CHANGED = st.tuples(
    st.integers(0, len(token()) - 1), st.sampled_from("AZaz09-_.=+ \x00\N{SNOWMAN}")
)


@given(st.lists(CHANGED, min_size=1, max_size=4))
def test_a_token_that_was_changed_is_void_or_refused(changes: list[tuple[int, str]]) -> None:
    good = token()
    letters = list(good)
    for at, letter in changes:
        letters[at % len(letters)] = letter
    changed = "".join(letters)
    if changed == good:
        return

    assert granted_by(changed) == DENIED


def granted_by(changed: str) -> str:
    """For whom the broker acts by a token, or the refusal, of whatever kind."""
    try:
        return principal(registry(changed))
    except RegistryError:
        return DENIED


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
def test_garbage_raises_nothing_but_a_refusal(text: str) -> None:
    with pytest.raises(TrustError):
        read(text)
