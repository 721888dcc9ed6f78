"""Project Wycheproof's JWS vectors through the profile: every verdict, every waiver by its id."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from joserfc.jwk import OctKey, import_key

from tests.data import data_file
from trust.algorithms import ALGORITHMS
from trust.errors import TrustError
from trust.keys import PublicKey, public_key, signing_key
from trust.signatures.attached import verify_attached

SHARED_SECRETS = "HS256 is valid there; a shared secret proves nothing to a third party"
WAIVED = {
    **dict.fromkeys((1, 348, 352, 357, 358, 359, 372, 373, 376, 377), SHARED_SECRETS),
    346: "the header says PS384, the key PS256",
    347: "ES512, which is not among our algorithms; the key says ES521, which is none",
    350: "as 346",
    351: "as 347",
}
"""Valid for Wycheproof and refused here on purpose."""


def keys(jwk: Mapping[str, Any] | None) -> dict[str, PublicKey]:
    """What a registry would hold: keys for one algorithm of ours each."""
    if jwk is None or jwk.get("alg") not in ALGORITHMS:
        return {}
    key = import_key(dict(jwk))
    assert not isinstance(key, OctKey)
    pem = key.as_pem(private=False)
    return {jwk["kid"]: public_key(signing_key(pem, kid=jwk["kid"], algorithm=jwk["alg"]))}


def verdicts() -> Iterator[tuple[int, str, str]]:
    """Number, Wycheproof's verdict and ours, for every vector."""
    path = data_file("trust", "wycheproof", "json_web_signature_test.json")
    for group in json.loads(path.read_text("utf-8"))["testGroups"]:
        held = keys(group.get("public"))
        for case in group["tests"]:
            try:
                verify_attached(case["jws"], keys=held, type=None)
            except TrustError:
                yield case["tcId"], case["result"], "invalid"
            else:
                yield case["tcId"], case["result"], "valid"


def test_every_verdict_is_wycheproofs_but_the_waived_ones() -> None:
    found = list(verdicts())

    assert len(found) == 401
    assert {number for number, theirs, ours in found if theirs != ours} == set(WAIVED)
    print(f"Wycheproof JWS: {len(found) - len(WAIVED)} of {len(found)}")


def test_absent_data_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUXOR_TEST_DATA", "nowhere")

    with pytest.raises(pytest.skip.Exception, match="conformance data absent: nowhere"):
        list(verdicts())
