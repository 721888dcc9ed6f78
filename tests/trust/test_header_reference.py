"""The header of a JWS and its base64url, judged here as by joserfc and by the standard library."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from joserfc.jws import JWSRegistry
from joserfc.registry import HeaderParameter

from trust.algorithms import ALGORITHMS
from trust.errors import TrustError
from trust.signatures.compact import MAY_BE_CRITICAL, NAMES, take_apart, unpadded_decode

HEADER: dict[str, Any] = {
    "alg": "ES256",
    "kid": "k1",
    "typ": "luxor-receipt+jwt",
    "b64": False,
    "iat": 1_763_726_400,
    "jti": "i-1",
    "cty": "luxor.json.1",
    "aud": "gateway-lx",
    "obo": "shop-a",
    "crit": ["b64", "iat", "jti", "aud"],
}
SPELLED = {str: "str", list: "list[str]", bool: "bool"}


def _integer(value: object) -> None:
    """joserfc's own takes ``true`` for a number."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("must be an int")


def joserfc_registry() -> JWSRegistry:
    registry = JWSRegistry(algorithms=list(ALGORITHMS))
    registry.header_registry = {
        name: HeaderParameter(
            name, _integer if kind is int else SPELLED[kind], required=name in ("alg", "kid")
        )
        for name, kind in NAMES.items()
    }
    return registry


REGISTRY = joserfc_registry()


def taken_by_joserfc(raw: bytes) -> bool:
    """With what it leaves to others: repeated names, and a ``crit`` of repeats or unknown names."""
    repeated = False

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        repeated = repeated or len({name for name, _ in pairs}) != len(pairs)
        return dict(pairs)

    try:
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=members)
        if repeated or not isinstance(header, dict):
            return False
        REGISTRY.check_header(header)
    except Exception:  # it lets out a TypeError here and there, and any of them means no
        return False
    critical = header.get("crit")
    return critical is None or (
        critical != []
        and len(set(critical)) == len(critical)
        and MAY_BE_CRITICAL.issuperset(critical)
    )


def taken_here(raw: bytes) -> bool:
    segment = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    try:
        found = take_apart(f"{segment}..AAAA", max_payload=0)
    except TrustError as error:
        if error.code != "signature.malformed":
            raise
        return False
    assert json.loads(raw) == found.header
    return True


names = st.sampled_from([*NAMES, "jwk", "x5c", "exp", "zip", "ALG", " alg", ""])
values = st.one_of(
    st.sampled_from(list(HEADER.values())),
    st.lists(st.sampled_from([*NAMES, "exp"]), max_size=5),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=5)
        | st.just(10**400),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
        ),
        max_leaves=4,
    ),
)


@st.composite
def headers(draw: st.DrawFn) -> bytes:
    """Members of a good header with some changed, dropped, repeated or added; any spelling."""
    members = [(name, value) for name, value in HEADER.items() if draw(st.integers(0, 9))]
    for name, value in draw(st.lists(st.tuples(names, values), max_size=2)):
        at = [index for index, member in enumerate(members) if member[0] == name]
        instead = draw(st.booleans())
        if at and instead:
            members[at[0]] = (name, value)
        else:
            members.append((name, value))
    gap = draw(st.sampled_from(["", " ", "\n\t"]))
    ascii_ = draw(st.booleans())
    written = f",{gap}".join(
        f"{json.dumps(name)}:{gap}{json.dumps(value, ensure_ascii=ascii_)}"
        for name, value in draw(st.permutations(members))
    )
    return f"{gap}{{{gap}{written}{gap}}}{gap}".encode("utf-8", "surrogatepass")


@settings(max_examples=400)
@given(headers())
@example(json.dumps(HEADER).encode())
@example(b"\xef\xbb\xbf" + json.dumps(HEADER).encode())
@example(b'{"alg":"ES256","kid":"k1","iat":1.0}')
@example(b'{"alg":"ES256","kid":"k1","iat":1e3}')
@example(b'{"alg":"ES256","kid":"k1","iat":true}')
@example(b'{"alg":"ES256","kid":"k1","b64":0}')
@example(b'{"alg":"ES256","kid":"k1","crit":null}')
@example(b'{"alg":"ES256","kid":"k1","crit":[]}')
@example(b'{"alg":"ES256","kid":"k1","crit":["b64"]}')
@example(b'{"alg":"ES256","kid":"k1","b64":true,"crit":["b64","b64"]}')
@example(b'{"alg":"ES256","kid":"k1","b64":true,"crit":[["b64"]]}')
@example(b'{"alg":"ES256","kid":"k1","alg":"ES256"}')
@example(b'{"alg":"ES256","kid":"k1","jwk":{"a":1,"a":2}}')
@example(b'{"alg":"ES256","kid":NaN}')
@example(b'{"alg":"ES256","\\u006bid":"k1"}')
@example(b'{"alg":"ES256","kid":"k1"}}')
@example(b'[{"alg":"ES256","kid":"k1"}]')
@example(b"null")
@example(b"")
def test_a_header_is_judged_as_joserfc_judges_it(raw: bytes) -> None:
    assert taken_by_joserfc(raw) == taken_here(raw)


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


def decoded_by_the_library(segment: str) -> bytes | None:
    """The standard library's reading, for what has one spelling."""
    if re.fullmatch(rf"[{ALPHABET}]*", segment) is None or len(segment) % 4 == 1:
        return None
    content = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    again = base64.urlsafe_b64encode(content).decode().rstrip("=")
    return content if again == segment else None


@settings(max_examples=400)
@given(
    st.text(alphabet=ALPHABET, max_size=12)
    | st.text(alphabet=f"{ALPHABET}+/=\n é\0", max_size=12)
    | st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("="))
)
@example("")
@example("A")
@example("AA==")
@example("AAA=")
@example("=AAA")
@example("A=AA")
@example("AB")
@example("AAB")
@example("AA+A")
@example("AA/A")
@example("AA-_")
@example("AAAA\n")
def test_base64url_is_read_as_the_library_reads_its_one_spelling(segment: str) -> None:
    try:
        here = unpadded_decode(segment)
    except TrustError:
        here = None

    assert decoded_by_the_library(segment) == here
