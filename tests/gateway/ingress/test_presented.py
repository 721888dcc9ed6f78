"""What listeners present follows its files; what does not fit never replaces what does."""

from __future__ import annotations

import io
import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.ingress.presented import PairRefused, Presented, read_pair
from gateway.ingress.tls import ServerTls, https_context
from gateway.telemetry import event_log
from tests.pki import Pki


class Bench:
    """Two files, what follows them, and what it said."""

    def __init__(self, folder: Path) -> None:
        self.pki = Pki(folder)
        self.certificate, self.key = folder / "tls.pem", folder / "tls.key"
        self.log = io.StringIO()
        self.now = datetime.now(UTC)
        self.renewals = 0
        self.put(*self.pki.issue("gateway-a"))
        self.presented = Presented(
            self.certificate, self.key, clock=lambda: self.now, log=event_log(stream=self.log)
        )

    def put(self, certificate: Path, key: Path) -> None:
        """Write both files, each in place of the old one."""
        for target, source in ((self.certificate, certificate), (self.key, key)):
            draft = target.with_suffix(".new")
            draft.write_bytes(source.read_bytes())
            draft.chmod(0o600)
            draft.replace(target)

    def look(self) -> bool:
        """Look twice, as a watch does: files must stand still in between."""
        self.presented.look(self._renewed)
        return self.presented.look(self._renewed)

    def _renewed(self) -> None:
        self.renewals += 1

    def events(self) -> list[dict[str, Any]]:
        """What was said, as it was written."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A pair in force."""
    found = Bench(tmp_path)
    yield found
    found.presented.close()


def test_the_pair_in_force_can_be_read_and_serves(bench: Bench) -> None:
    assert bench.presented.certificate.read_bytes() == bench.certificate.read_bytes()
    assert bench.presented.key.read_bytes() == bench.key.read_bytes()

    context = https_context(
        ServerTls(
            certificate=bench.presented.certificate,
            key=bench.presented.key,
            authorities=bench.pki.authority,
        )
    )

    assert ssl.TLSVersion.TLSv1_3 == context.minimum_version


def test_nothing_happens_while_the_files_stay(bench: Bench) -> None:
    assert not bench.look()
    assert (0, []) == (bench.renewals, bench.events())


def test_a_renewed_pair_is_taken_over_and_told(bench: Bench) -> None:
    old = bench.presented.pair

    bench.put(*bench.pki.issue("gateway-b"))

    assert bench.look()
    assert 1 == bench.renewals
    assert old.fingerprint != bench.presented.pair.fingerprint
    assert bench.presented.certificate.read_bytes() == bench.certificate.read_bytes()
    assert ["tls.renewed"] == [event["event"] for event in bench.events()]


def test_files_that_still_change_are_left_alone(bench: Bench) -> None:
    bench.put(*bench.pki.issue("gateway-b"))
    assert not bench.presented.look(bench._renewed)

    bench.put(*bench.pki.issue("gateway-c"))
    assert not bench.presented.look(bench._renewed)

    assert bench.presented.look(bench._renewed)
    assert bench.presented.certificate.read_bytes() == bench.certificate.read_bytes()


def test_a_certificate_without_its_key_changes_nothing_and_is_told_once(bench: Bench) -> None:
    before = bench.presented.certificate.read_bytes()
    certificate, key = bench.pki.issue("gateway-b")
    bench.certificate.write_bytes(certificate.read_bytes())

    assert not bench.look()
    assert not bench.look()

    assert before == bench.presented.certificate.read_bytes()
    assert [("tls.rejected", "certificate and key do not belong together")] == [
        (event["event"], event["reason"]) for event in bench.events()
    ]

    bench.key.write_bytes(key.read_bytes())

    assert bench.look()
    assert 1 == bench.renewals


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "a file cannot be read"),
        (b"", "the file of the certificate has none"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "has none"),
        (b"x" * (1024 * 1024 + 1), "too large"),
    ],
)
def test_a_file_that_is_no_certificate_changes_nothing(
    bench: Bench, content: bytes | None, reason: str
) -> None:
    bench.certificate.unlink()
    if content is not None:
        bench.certificate.write_bytes(content)

    assert not bench.look()

    assert reason in bench.events()[0]["reason"]
    assert 0 == bench.renewals


def test_an_expired_certificate_does_not_replace_a_good_one(bench: Bench) -> None:
    bench.put(*bench.pki.issue("gateway-a", expired=True))

    assert not bench.look()

    assert "the certificate has expired" == bench.events()[0]["reason"]


def test_a_certificate_of_tomorrow_counts_from_then_on(bench: Bench) -> None:
    bench.put(*bench.pki.issue("gateway-b"))
    bench.now -= timedelta(days=20)
    assert not bench.look()
    assert "the certificate is not valid yet" == bench.events()[0]["reason"]

    bench.now += timedelta(days=20)

    assert bench.presented.look(bench._renewed)


def test_an_encrypted_key_is_refused_and_nobody_is_asked(bench: Bench, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    from trust.keys import load_private_key

    encrypted = load_private_key(bench.key.read_bytes()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    (tmp_path / "encrypted.key").write_bytes(encrypted)

    (tmp_path / "encrypted.key").chmod(0o600)
    with pytest.raises(PairRefused, match="do not belong together"):
        read_pair(bench.certificate, tmp_path / "encrypted.key")


def test_the_key_is_nowhere_in_what_is_said(bench: Bench) -> None:
    bench.put(*bench.pki.issue("gateway-b"))
    bench.look()
    line = bench.key.read_text().splitlines()[1]

    assert line not in repr(bench.presented.pair)
    assert line not in bench.log.getvalue()


def test_nothing_is_left_open(bench: Bench) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(5):
        bench.put(*bench.pki.issue(f"gateway-{number}"))
        assert bench.look()

    assert before == len(list(Path("/proc/self/fd").iterdir()))


def test_a_key_that_others_can_read_is_refused(bench: Bench) -> None:
    bench.key.chmod(0o640)
    with pytest.raises(PairRefused, match="chmod 600"):
        read_pair(bench.certificate, bench.key)
