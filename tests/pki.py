"""A certification authority for tests: keys and certificates that live as long as a test."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from trust.authority import Validity, generate_tls_key, issue_root, issue_tls, private_key_pem
from trust.certificates import pem_of
from trust.identity import PartyId

DAY = timedelta(days=1)


class Pki:
    """One root that issues to parties; files go below ``folder``."""

    def __init__(self, folder: Path, *, name: str = "root") -> None:
        self._folder = folder / name
        self._folder.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC)
        self.now = now
        validity = Validity(now - 30 * DAY, now + 30 * DAY)
        self._root = issue_root(generate_tls_key("P-256"), name=name, validity=validity)
        self.authority = pem_of(self._root.certificate)
        self.authority_file = self._folder / "ca.pem"
        self.authority_file.write_text(self.authority)

    def issue(self, party: str | None, *, expired: bool = False) -> tuple[Path, Path]:
        """A certificate for a party and for this host, and its key, as PEM files."""
        name = f"{party or 'nobody'}{'-expired' if expired else ''}"
        start = self.now - 10 * DAY
        key = generate_tls_key("P-256")
        certificate = issue_tls(
            key,
            issuer=self._root,
            name=name,
            party=None if party is None else PartyId(party),
            validity=Validity(start, start + DAY if expired else self.now + 10 * DAY),
            hosts=("127.0.0.1", "localhost"),
        )
        files = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        files[0].write_text(pem_of(certificate))
        files[1].write_bytes(private_key_pem(key))
        return files

    def client(self, party: str | None, *, expired: bool = False) -> ssl.SSLContext:
        """A client that trusts this root and shows a certificate of it."""
        context = self.stranger()
        context.load_cert_chain(*self.issue(party, expired=expired))
        return context

    def stranger(self) -> ssl.SSLContext:
        """A client that trusts this root and shows no certificate."""
        return ssl.create_default_context(cadata=self.authority)
