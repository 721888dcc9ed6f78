"""What the demonstration's partner may see is what its gateway's configuration says."""

from datetime import UTC, datetime
from importlib import resources
from string import Template

import msgspec
import pytest

from gateway.demo.agreed import AGREED, trespasses
from gateway.demo.topology import PORTS
from tests.samples import ITEM
from translators.canonical import Message, RiskAssessment, RiskResult

HELD = RiskAssessment(
    outcome="hold",
    assessed_at=datetime(2026, 11, 21, tzinfo=UTC),
    item_id="EE471108151FR",
    indicators=("PT/PT-2026-007004",),
)


def configured() -> dict[str, frozenset[str]]:
    """Kind → top-level fields of the agreements with the partner."""
    template = (
        resources.files("gateway.demo").joinpath("network/gateway-lx.toml").read_text("utf-8")
    )
    tree = msgspec.toml.decode(Template(template).substitute(PORTS, certs="certs"))
    return {
        kind: frozenset(path.partition("/")[0] for path in agreement["fields"])
        for agreement in tree["agreement"]
        if agreement.get("party") == "gateway-pn"
        for kind in agreement["kinds"]
    }


def test_the_second_telling_of_the_agreements_is_that_of_the_configuration() -> None:
    assert configured() == AGREED


def test_what_is_agreed_is_no_trespass() -> None:
    assert () == trespasses(HELD)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (msgspec.structs.replace(HELD, score=90), ("the partner got score of a RiskAssessment",)),
        (
            msgspec.structs.replace(HELD, results=(RiskResult(area="IPR", level="high"),)),
            ("the partner got results of a RiskAssessment",),
        ),
        (
            msgspec.structs.replace(HELD, outcome="clear"),
            ("the partner got a RiskAssessment that says clear",),
        ),
        (ITEM, ("the partner got a ItemDeclaration, which no agreement gives it",)),
    ],
    ids=["a score", "results", "an outcome that is not shared", "another kind"],
)
def test_what_is_not_agreed_is_told(message: Message, expected: tuple[str, ...]) -> None:
    assert expected == trespasses(message)
