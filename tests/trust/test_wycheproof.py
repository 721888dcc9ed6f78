"""Project Wycheproof's JWS vectors through the profile: every verdict but the waived ones.

What is waived, and why, stands in ``tests/conformance/waivers.toml``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OctKey, import_key

from tests.data import cases_of
from trust.algorithms import ALGORITHMS
from trust.errors import TrustError
from trust.keys import PublicKey, public_key, signing_key
from trust.signatures.attached import verify_attached


def keys(jwk: Mapping[str, Any] | None) -> dict[str, PublicKey]:
    """What a registry would hold: keys for one algorithm of ours each."""
    if jwk is None or jwk.get("alg") not in ALGORITHMS:
        return {}
    key = import_key(dict(jwk))
    assert not isinstance(key, OctKey)
    pem = key.as_pem(private=False)
    return {jwk["kid"]: public_key(signing_key(pem, kid=jwk["kid"], algorithm=jwk["alg"]))}


def vectors() -> list[Any]:
    """A parameter for each vector, by its number; one skipped case without the data."""

    def cases(path: Path) -> list[Any]:
        return [
            pytest.param(group.get("public"), case, id=str(case["tcId"]))
            for group in json.loads(path.read_text("utf-8"))["testGroups"]
            for case in group["tests"]
        ]

    name = "json_web_signature_test.json"
    return cases_of("trust", "wycheproof", name, cases=cases, width=2)


@pytest.mark.conformance("Wycheproof JWS")
@pytest.mark.parametrize(("jwk", "case"), vectors())
def test_the_verdict_is_wycheproofs(jwk: Mapping[str, Any] | None, case: Mapping[str, Any]) -> None:
    try:
        verify_attached(case["jws"], keys=keys(jwk), type=None)
    except TrustError:
        ours = "invalid"
    else:
        ours = "valid"

    assert case["result"] == ours


def test_absent_data_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUXOR_TEST_DATA", "nowhere")

    (skipped,) = vectors()

    assert "conformance data absent: nowhere" in skipped.marks[0].kwargs["reason"]
