"""The table of problems is complete and its statuses exist."""

from http import HTTPStatus

import grpc

from gateway.core.errors import problem_kinds
from trust.errors import CODES


def test_every_problem_names_statuses_that_exist() -> None:
    for kind in problem_kinds().values():
        assert 400 <= HTTPStatus(kind.http) <= 599
        assert kind.grpc in grpc.StatusCode.__members__


def test_every_refusal_of_identity_and_signature_has_its_problem() -> None:
    asked_for = {
        code
        for code in CODES
        if code.split(".")[0] in {"certificate", "party", "signature", "revocation"}
    }

    assert asked_for <= problem_kinds().keys()
