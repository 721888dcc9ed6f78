"""A process that is killed in the middle has given nothing that the ledger does not know."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.authority.lists import read_list
from gateway.authority.office import open_office
from tests.gateway.authority.conftest import NOW, POST, SHOP, request_of

ROOT = Path(__file__).parents[3]
HANG_SECONDS = 60


@pytest.mark.parametrize("lines", [1, 4, 11])
def test_what_was_promised_stands_after_a_kill(folder: Path, lines: int) -> None:
    command = [sys.executable, "-m", "tests.gateway.authority.enrolling_worker", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        said = [worker.stdout.readline().split() for _ in range(lines)]
        worker.kill()
        said += [line.split() for line in worker.stdout.read().splitlines(keepends=True)]
        worker.wait(HANG_SECONDS)
    issued = {words[1] for words in said if words[:1] == ["issued"] and len(words) == 2}
    revoked = {words[1] for words in said if words[:1] == ["revoked"] and len(words) == 2}
    assert issued

    with open_office(folder) as office:
        office.publish(now=NOW)
        entries = {entry.serial: entry for entry in office.ledger.of_party(POST)}
        assert issued <= entries.keys()
        assert revoked <= {serial for serial, entry in entries.items() if entry.revoked_at}
        crl = read_list(folder / "crl/issuing.crl")
        assert crl is not None
        listed = {f"{entry.serial_number:x}" for entry in crl}
        assert listed == {serial for serial, entry in entries.items() if entry.revoked_at}
        assert SHOP == office.enrol(SHOP, request_of(SHOP), purpose="tls", now=NOW).entry.party
