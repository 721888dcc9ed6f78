"""NIST PKITS: path validation with revocation lists, on the engine and on the whole path.

The engine (``trust.pkix`` with the lists that ``trust.lists`` chooses) is asked for each verdict
of the suite, with the algorithms of its time. The whole path, as a gateway has it, is stricter by
design; what it must never do is to accept what PKITS rejects.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cryptography_vectors
import pytest
from asn1crypto import x509 as asn1  # type: ignore[import-untyped] # it has no types
from cryptography import x509
from pyhanko_certvalidator.errors import PathBuildingError
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import PKIXValidationParams
from pyhanko_certvalidator.registry import CertificateRegistry, PathBuilder, SimpleTrustManager

from tests.conftest import Figure
from tests.data import cases_of, data_file
from trust.certificates import load_certificate
from trust.chain import anchor, build_paths
from trust.errors import TrustError
from trust.lists import RevocationList, Unusable, read_lists, speaking_of
from trust.members import Authority
from trust.pkix import ANY_POLICY, Examination, Strictness, Unproven
from trust.revocation import Revocations

FOLDER = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
ROOT, ROOT_LIST = "TrustAnchorRootCertificate.crt", "TrustAnchorRootCRL.crl"
NOW = datetime(2022, 5, 1, tzinfo=UTC)
OF_ITS_TIME = Strictness(
    hashes=frozenset({"sha1", "sha224", "sha256", "sha384", "sha512"}), rsa_bits=1024
)
CPS_POINTER = {  # 4.8.20, which the manifests leave out
    "id": "40820",
    "name": "cps_pointer_qualifier_test20",
    "cert": "CPSPointerQualifierTest20EE.crt",
    "other_certs": ["GoodCACert.crt"],
    "crls": ["GoodCACRL.crl"],
}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The engine's own words about verdicts; a gateway silences them too."""
    log = logging.getLogger("pyhanko_certvalidator")
    before = log.level
    log.setLevel(logging.CRITICAL)
    yield
    log.setLevel(before)


def cases(path: Path) -> list[Any]:
    """A parameter for each case, by its name."""
    told = json.loads(path.read_text("utf-8"))
    told += json.loads(data_file("trust", "pkits", "pkits-user-notice.json").read_text("utf-8"))
    told.append(CPS_POINTER)
    return [pytest.param(case, id=f"{case['id']}-{case['name']}") for case in told]


def content(kind: str, name: str) -> bytes:
    """A file of the suite."""
    return (FOLDER / kind / name).read_bytes()


def files(case: Mapping[str, Any]) -> dict[str, bytes]:
    """The lists of the case."""
    return {name: content("crls", name) for name in (*case.get("crls", ()), ROOT_LIST)}


def signers(case: Mapping[str, Any]) -> Iterator[x509.Certificate]:
    """Whoever may have signed lists; one of them has a key that cannot be loaded alone."""
    for name in (ROOT, *case.get("other_certs", ())):
        try:
            yield x509.load_der_x509_certificate(content("certs", name))
        except ValueError:
            continue


def lists(case: Mapping[str, Any]) -> list[RevocationList]:
    """The lists that the registered certificates have signed."""
    found: list[RevocationList] = []
    held = list(signers(case))
    for file in files(case).values():
        try:
            found += read_lists(file, held, strictness=OF_ITS_TIME)
        except Unusable:
            continue
    return found


def parameters(case: Mapping[str, Any]) -> PKIXValidationParams:
    """The inputs of RFC 5280, 6.1.1, that the case sets."""
    given = dict(case.get("params", {}))
    if "user_initial_policy_set" in given:
        given["user_initial_policy_set"] = frozenset(given["user_initial_policy_set"])
    return PKIXValidationParams(**given)


def candidates(case: Mapping[str, Any]) -> tuple[list[ValidationPath], list[asn1.Certificate]]:
    """Every path that could be meant, and the certificates that may stand in it."""
    held = [asn1.Certificate.load(content("certs", n)) for n in case.get("other_certs", ())]
    root = asn1.Certificate.load(content("certs", ROOT))
    leaf = asn1.Certificate.load(content("certs", case["cert"]))
    builder = PathBuilder(
        SimpleTrustManager.build([root]), CertificateRegistry.build([*held, root])
    )
    try:
        return asyncio.run(builder.async_build_paths(leaf)), held
    except PathBuildingError:
        return [], held


def holds(
    case: Mapping[str, Any],
    path: ValidationPath,
    beside: Sequence[asn1.Certificate],
    known: Sequence[RevocationList],
) -> bool:
    """Whether the engine proves one path."""
    chain = list(path)[::-1]
    found = Examination(chain, beside=beside, now=NOW, strictness=OF_ITS_TIME)
    serials = {each.serial_number for each in (*chain, *beside)}
    try:
        found.check_parameters(parameters(case))
        for at in reversed(range(len(chain) - 1)) if case.get("revocation", True) else ():
            chosen = speaking_of(chain, at, known, now=NOW)
            found.check_lists(at, [each.about(serials) for each in chosen])
    except (TrustError, Unproven):
        return False
    return True


@pytest.mark.conformance("PKITS")
@pytest.mark.parametrize("case", cases_of("trust", "pkits", "pkits.json", cases=cases))
def test_the_engines_verdict_is_that_of_pkits(case: Mapping[str, Any], figure: Figure) -> None:
    paths, beside = candidates(case)
    known = lists(case)

    accepted = any(holds(case, path, beside, known) for path in paths)

    assert ("error" not in case) == accepted
    whole = accepted_by_the_whole_path(case)
    if "error" in case:
        figure("whole path: rejects that were accepted", int(whole), 1)
        assert not whole
    else:
        figure("whole path: accepts that were accepted", int(whole), 1)


def pem(name: str) -> str:
    """A certificate as a registry has it."""
    body = base64.encodebytes(content("certs", name)).decode()
    return f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"


def accepted_by_the_whole_path(case: Mapping[str, Any]) -> bool:
    """Stage one, stage two and the evidence, as for a party's certificate."""
    given = case.get("params", {})
    demanded = given.get("user_initial_policy_set", ())
    if given.get("initial_explicit_policy") and not demanded:
        demanded = (ANY_POLICY,)
    authority = Authority(
        id="nist",
        certificates=(pem(ROOT), *map(pem, case.get("other_certs", ()))),
        policies=tuple(demanded),
    )
    try:
        leaf = load_certificate(content("certs", case["cert"]))
        found = Revocations.from_files([authority], files(case))
        for path in build_paths(leaf, [anchor(authority)], now=NOW):
            path.judge_time(NOW)
            found.judge(path, now=NOW)
    except TrustError:
        return False
    except ValueError:  # a key without its parameters, so no registry could hold it
        return False
    return True
