"""Enrols and revokes without end, and says what it has done, until it is killed."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from gateway.authority.office import open_office
from tests.gateway.authority.conftest import NOW, POST, request_of


def main(folder: Path) -> None:
    """Each line is a serial that somebody was given, or one whose revocation was promised."""
    with open_office(folder) as office:
        for number in count():
            entry = office.enrol(POST, request_of(POST), purpose="tls", now=NOW).entry
            print("issued", entry.serial, flush=True)
            if number % 3 == 2:
                office.revoke([entry.serial], reason="superseded", now=NOW)
                print("revoked", entry.serial, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
