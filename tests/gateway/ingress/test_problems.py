"""What is told and logged of a refusal has bounds, whatever its cause had."""

from __future__ import annotations

import pytest

from gateway.core.envelope import Transport
from gateway.core.errors import Refused, Unavailable
from gateway.ingress.problems import LOGGED_CHARACTERS, Problems
from tests.fakes import Seen


@pytest.mark.parametrize(
    "error", [Refused("interchange.id-invalid"), Unavailable("overload"), RuntimeError("a bug")]
)
def test_of_an_id_that_is_none_the_log_has_the_beginning(error: Exception) -> None:
    """An id over gRPC may have megabytes, and each refusal is a line."""
    seen = Seen()

    Problems(transport=Transport.GRPC, telemetry=seen.telemetry).tell(
        error, interchange_id="x" * 1_000_000
    )

    assert 2_000 > len(seen.text)
    assert "x" * LOGGED_CHARACTERS in seen.text
    assert "x" * (LOGGED_CHARACTERS + 1) not in seen.text
