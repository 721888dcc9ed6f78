"""Where requests go, and as whom."""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path

import msgspec

from trust.errors import TrustError
from trust.keys import KeySigner


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One gateway, and the party that sends. Paths are of PEM files."""

    host: str = "localhost"
    port: int
    """Of HTTPS or gRPC, as the mix goes."""
    certificate: str
    key: str
    authority: str
    """Of the gateway's certificate."""
    signing_key: str = ""
    gateway: str = "gateway-lx"
    """The gateway's party id: what signatures are made for."""

    def context(self) -> ssl.SSLContext:
        """TLS as that party; raises ``OSError`` for files that cannot be read."""
        context = ssl.create_default_context(cafile=self.authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.certificate, self.key)
        return context

    def check(self) -> None:
        """Read every file once; raises ``ValueError`` for one that is not what it should be."""
        try:
            ssl.create_default_context(cafile=self.authority)
        except ssl.SSLError as error:
            raise ValueError(f"{self.authority}: not a certificate in PEM") from error
        try:
            self.context()
        except ssl.SSLError as error:
            pair = f"{self.certificate} and {self.key}"
            raise ValueError(f"{pair}: not a certificate in PEM and its key") from error
        if self.signing_key:
            try:
                KeySigner.from_pem(self.read(self.signing_key))
            except TrustError as error:
                raise ValueError(f"{self.signing_key}: {error}") from error

    def read(self, name: str) -> bytes:
        """The content of one of the files."""
        return Path(name).read_bytes()


def is_loopback(host: str) -> bool:
    """Whether load for this host stays on this machine; by its name alone, nothing is looked up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
