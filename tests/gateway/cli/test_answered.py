"""Faults as a person reads them."""

import io

from rich.console import Console

from gateway.cli.access import why
from gateway.cli.answered import fault_table
from gateway.client import ProblemError
from gateway.core.errors import Unavailable
from translators.faults import Fault


def test_what_a_gateway_refused_is_told_with_its_detail() -> None:
    refused = ProblemError(
        status=403, code="party.suspended", title="Suspended", detail="since noon"
    )

    assert "Refused: Suspended (party.suspended)\nsince noon" == why(refused)


def test_when_to_try_again_is_told() -> None:
    assert "Not read: too much. Try again in 2.5 seconds." == why(
        Unavailable("too much.", retry_after=2.5)
    )
    assert "No receipt: no answer" == why(Unavailable("no answer"), what="No receipt")


def test_codes_and_paths_are_whole_on_a_narrow_terminal() -> None:
    fault = Fault(
        code="regime.addressee-contact",
        path="/addressee/address/postcode",
        detail="a long sentence that says what is wrong with what was found here",
        line=123_456,
    )
    console = Console(file=io.StringIO(), width=80)

    console.print(fault_table([("EE471108151FR", fault)]))

    assert isinstance(console.file, io.StringIO)
    cells = [line.split("│") for line in console.file.getvalue().splitlines() if "│" in line]
    assert fault.path == "".join(cell[2].strip() for cell in cells)
    assert "regime.addressee-contact(error)" == "".join(cell[4].strip() for cell in cells)
    assert "123456" == "".join(cell[3].strip() for cell in cells)
