"""Faults as a person reads them."""

import io

from rich.console import Console

from gateway.cli.answered import fault_table
from translators.faults import Fault


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
