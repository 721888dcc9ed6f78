"""django-pyas2: an AS2 message that is verified, kept and answered by a signed receipt (RFC 4130).

Its keys and its partner are loaded as a fixture, so that nothing here imports it.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7

from bench.load.pump import Request
from bench.peers import environment
from bench.peers.documents import document
from bench.peers.load import request
from bench.peers.processes import NotStarted, free_port, serving
from bench.peers.subject import Open, Serving, Subject

SITE = environment.HERE / "serving/as2"
PATH = "/pyas2/as2receive"
GATEWAY, PARTNER = "gateway-lx", "post-a"
_SETUP_SECONDS = 60.0
_BOUNDARY = "luxor-bench-9f2c6c0d"
_RECEIPT = "signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=optional, "


class Identity(msgspec.Struct, frozen=True):
    """A key and its self-signed certificate, as partners of AS2 exchange them."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def public_pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def pem(self, password: bytes) -> bytes:
        """The key, encrypted, and the certificate."""
        return self.public_pem + self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(password),
        )


def identity(name: str, *, now: datetime) -> Identity:
    """RSA of 2048 bits: the one kind that it can sign and verify with."""
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Identity(key, certificate)


def fixture(gateway: Identity, partner: Identity) -> bytes:
    """The rows that its administration pages would make, for Django's ``loaddata``."""
    password = "luxor-bench"  # noqa: S105 - of a key that lives as long as the measurement
    rows = (
        (
            "privatekey",
            1,
            {
                "name": "gateway.pem",
                "key": base64.b64encode(gateway.pem(password.encode())).decode(),
                "key_pass": password,
            },
        ),
        (
            "publiccertificate",
            1,
            {
                "name": "partner.pem",
                "certificate": base64.b64encode(partner.public_pem).decode(),
                "verify_cert": True,
            },
        ),
        ("organization", GATEWAY, {"name": GATEWAY, "signature_key": 1}),
        (
            "partner",
            PARTNER,
            {
                "name": PARTNER,
                "target_url": "http://localhost/",
                "content_type": "application/XML",
                "signature": "sha256",
                "signature_cert": 1,
                "mdn": True,
                "mdn_mode": "SYNC",
                "mdn_sign": "sha256",
            },
        ),
    )
    return msgspec.json.encode(
        [{"model": f"pyas2.{model}", "pk": key, "fields": fields} for model, key, fields in rows]
    )


def message(content: bytes, *, sender: Identity, name: str) -> Request:
    """A signed AS2 message that asks for a signed receipt in the answer (RFC 4130, 5 and 7)."""
    part = (
        b"Content-Type: application/xml\r\nContent-Transfer-Encoding: binary\r\n"
        + f'Content-Disposition: attachment; filename="{name}.xml"\r\n\r\n'.encode()
        + content
    )
    signature = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(part)
        .add_signer(sender.certificate, sender.key, hashes.SHA256())
        .sign(
            serialization.Encoding.DER,
            [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary],
        )
    )
    body = b"\r\n".join(
        (
            f"--{_BOUNDARY}".encode(),
            part,
            f"--{_BOUNDARY}".encode(),
            b"Content-Type: application/pkcs7-signature; name=smime.p7s; smime-type=signed-data",
            b"Content-Transfer-Encoding: base64",
            b'Content-Disposition: attachment; filename="smime.p7s"',
            b"",
            base64.encodebytes(signature).strip(),
            f"--{_BOUNDARY}--".encode(),
            b"",
        )
    )
    fields = {
        "AS2-Version": "1.2",
        "AS2-From": PARTNER,
        "AS2-To": GATEWAY,
        "Message-ID": f"<{name}@{PARTNER}>",
        "MIME-Version": "1.0",
        "Disposition-Notification-To": f"{PARTNER}@localhost",
        "Disposition-Notification-Options": f"{_RECEIPT}sha256",
        "Content-Type": 'multipart/signed; protocol="application/pkcs7-signature";'
        f' micalg=sha256; boundary="{_BOUNDARY}"',
    }
    return request(body, path=PATH, name=name, fields=fields)


def version() -> str:
    """django-pyas2 and what serves it."""
    of = environment.python_version
    return (
        f"django-pyas2 {of('django-pyas2')}, pyas2lib {of('pyas2lib')}, Django {of('django')},"
        f" gunicorn {of('gunicorn')}, SQLite {sqlite3.sqlite_version}"
    )


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[Serving]:
    """One worker of gunicorn, on a new database."""
    now = datetime.now(UTC)
    gateway, partner = identity(GATEWAY, now=now), identity(PARTNER, now=now)
    settings = {
        "DJANGO_SETTINGS_MODULE": "settings",
        "LUXOR_PEER_FOLDER": str(folder),
        "LUXOR_PEER_SECRET": secrets.token_hex(32),
        "PYTHONPATH": str(SITE),
    }
    (folder / "data").mkdir()
    _prepare(folder, settings, fixture(gateway, partner))
    port = free_port()
    command = environment.gunicorn("application:application", port)
    with serving(command, port=port, folder=folder, environment=settings, cwd=SITE) as pid:

        def requests(first: int, count: int) -> Sequence[Request]:
            return [
                message(document(number), sender=partner, name=f"bench-{number}")
                for number in range(first, first + count)
            ]

        yield Serving(
            pid=pid, place=Open(port), requests=requests, done=partial(kept, folder / "as2.db")
        )


def _prepare(folder: Path, settings: dict[str, str], rows: bytes) -> None:
    place = folder / "partners.json"
    place.write_bytes(rows)
    admin = str(environment.python() / "bin/django-admin")
    for words in (["migrate", "--verbosity", "0"], ["loaddata", str(place), "--verbosity", "0"]):
        done = subprocess.run(  # noqa: S603 - the commands are those above
            [admin, *words],
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            timeout=_SETUP_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise NotStarted(f"django-admin {words[0]}: {done.stderr.strip()[-400:]}")


def kept(database: Path, count: int) -> str:
    """What its database lacks of so many messages: it answers 200 whatever it thinks of one."""
    with contextlib.closing(sqlite3.connect(database)) as rows:
        found, receipts = rows.execute(
            "SELECT count(*), count(mdn.id) FROM pyas2_message AS message"
            " LEFT JOIN pyas2_mdn AS mdn ON mdn.message_id = message.id AND mdn.signed"
            " WHERE message.status = 'S' AND message.signed"
        ).fetchone()
    if (found, receipts) == (count, count):
        return ""
    return f"{found} messages verified and kept, {receipts} signed receipts, of {count}"


SUBJECT = Subject(
    id="django-pyas2",
    title="django-pyas2",
    does="the S/MIME signature (RSA-2048, SHA-256) is verified, the message recorded, its content"
    " written to the store and to the partner's inbox folder (neither file synced), and a signed"
    " receipt (MDN) returned and kept; the content is not looked at; no TLS",
    settings=f"{environment.GUNICORN}; DEBUG off; SQLite in"
    " WAL mode, synchronous=FULL, transactions IMMEDIATE, connections kept; certificates verified,"
    " as is its default",
    version=version,
    serve=serve,
    quickest=200,
)
