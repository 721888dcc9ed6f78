"""OpenSSL's own client reads what the authority gives; pyHanko's engine judges by it."""

from __future__ import annotations

import asyncio
import io
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import crl as asn1_crl  # type: ignore[import-untyped] # it has no types
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import PathError, PathValidationError, RevokedError

from gateway.authority import Entry, Issued, Office
from gateway.authority.founding import found, install
from gateway.authority.office import open_office
from gateway.authority.server import AuthorityServer
from gateway.telemetry import event_log
from tests.gateway.authority.conftest import DAY, POST, URL, request_of
from tests.gateway.authority.test_server import question
from trust.responder import Good, Seat, Standing, answer, read_question

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="the openssl command is not here")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An authority of today: OpenSSL has a clock of its own."""
    folder = tmp_path / "authority"
    found(folder, identifier="luxor", title="Test", url=URL, now=datetime.now(UTC), key="P-384")
    with open_office(folder) as opened:
        yield opened


@pytest.fixture
def issued(office: Office) -> Issued:
    """A certificate of the post."""
    return office.enrol(POST, request_of(POST), purpose="tls", now=datetime.now(UTC))


def openssl(*arguments: object, cwd: Path, ok: bool = True) -> str:
    """Run the command; what it printed on both streams."""
    done = subprocess.run(
        [OPENSSL or "openssl", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    output = done.stdout + done.stderr
    assert (done.returncode == 0) is ok, output
    return output


@needs_openssl
def test_openssl_verifies_a_path_with_both_lists(office: Office, issued: Issued) -> None:
    leaf = office.folder / "leaf.pem"
    leaf.write_text(issued.chain)
    arguments = ("verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "issuing.pem")
    lists = ("-crl_check_all", "-CRLfile", "crl/root.crl", "-CRLfile", "crl/issuing.crl")
    assert "leaf.pem: OK" in openssl(*arguments, *lists, leaf, cwd=office.folder)

    office.revoke([issued.entry.serial], reason="superseded", now=datetime.now(UTC))

    told = openssl(*arguments, *lists, leaf, cwd=office.folder, ok=False)
    assert "certificate revoked" in told
    text = openssl("crl", "-in", "crl/issuing.crl", "-noout", "-text", cwd=office.folder)
    assert "Superseded" in text
    assert issued.entry.serial.upper() in text


@needs_openssl
@pytest.mark.parametrize("nonce", ["-nonce", "-no_nonce"])
async def test_openssl_asks_the_responder(office: Office, issued: Issued, nonce: str) -> None:
    leaf = office.folder / "leaf.pem"
    leaf.write_text(issued.chain)
    server = AuthorityServer(
        office,
        host="127.0.0.1",
        port=0,
        clock=lambda: datetime.now(UTC),
        log=event_log(stream=io.StringIO()),
    )
    await server.start()

    async def ask(*more: object, ok: bool = True) -> str:
        url = f"http://127.0.0.1:{server.port}/ocsp"
        arguments = ("ocsp", "-issuer", "issuing.pem", *more, "-url", url, nonce)
        trusted = ("-CAfile", "root.pem", "-no_cert_verify") if not more else ()
        return await asyncio.to_thread(
            openssl,
            *arguments,
            *(trusted or ("-CAfile", "chain.pem")),
            cwd=office.folder,
            ok=ok,
        )

    try:
        told = await ask("-cert", leaf)
        assert "Response verify OK" in told
        assert "leaf.pem: good" in told
        assert "WARNING: no nonce" not in told

        office.revoke([issued.entry.serial], reason="key-compromise", now=datetime.now(UTC))

        told = await ask("-cert", leaf)
        assert "leaf.pem: revoked" in told
        assert "Reason: keyCompromise" in told
        assert "0x1234: unknown" in await ask("-serial", "0x1234")
        two = await ask("-cert", leaf, "-serial", "0x1234", ok=False)
        assert "malformedrequest" in two.lower()
        ours = await ask("-sha256", "-cert", leaf)
        assert "leaf.pem: revoked" in ours
    finally:
        await server.stop()


@needs_openssl
def test_a_root_in_openssl_signs_the_issuing_authority(tmp_path: Path) -> None:
    folder = tmp_path / "authority"
    now = datetime.now(UTC)
    found(folder, identifier="luxor", title="Test", now=now, key="P-256", root_elsewhere=True)
    home = tmp_path / "root"
    home.mkdir()
    (home / "ca.cnf").write_text(
        "[req]\ndistinguished_name = dn\nprompt = no\nx509_extensions = ca\n"
        "[dn]\nCN = Offline Root\n"
        "[ca]\nbasicConstraints = critical, CA:true, pathlen:1\n"
        "keyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash\n"
        "[issuing]\nbasicConstraints = critical, CA:true, pathlen:0\n"
        "keyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash\n"
        "authorityKeyIdentifier = keyid\n"
        "[lists]\ndatabase = index.txt\ncrlnumber = number\ndefault_md = sha256\n"
        "default_crl_days = 90\n"
    )
    (home / "index.txt").write_text("")
    (home / "number").write_text("01\n")
    openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", "root.key", "-out", "root.pem", "-days", "900", "-config", "ca.cnf"),
        cwd=home,
    )
    openssl(
        *("x509", "-req", "-in", folder / "issuing.csr", "-CA", "root.pem", "-CAkey", "root.key"),
        *("-CAcreateserial", "-days", "800", "-extfile", "ca.cnf", "-extensions", "issuing"),
        *("-out", "issuing.pem"),
        cwd=home,
    )
    openssl(
        *("ca", "-gencrl", "-config", "ca.cnf", "-name", "lists", "-cert", "root.pem"),
        *("-keyfile", "root.key", "-out", "root.crl"),
        cwd=home,
    )

    install(
        folder,
        now=now,
        root=(home / "root.pem").read_bytes(),
        issuing=(home / "issuing.pem").read_bytes(),
        root_crl=(home / "root.crl").read_bytes(),
    )

    with open_office(folder) as office:
        leaf = folder / "leaf.pem"
        leaf.write_text(office.enrol(POST, request_of(POST), purpose="tls", now=now).chain)
    told = openssl(
        *("verify", "-CAfile", "root.pem", "-untrusted", "issuing.pem", "-crl_check_all"),
        *("-CRLfile", "crl/root.crl", "-CRLfile", "crl/issuing.crl", leaf),
        cwd=folder,
    )
    assert "leaf.pem: OK" in told


def judged(office: Office, entry: Entry, *, answers: list[bytes], lists: list[bytes]) -> str:
    """What pyHanko's engine says, which has nothing but this evidence."""
    der = [c.public_bytes(Encoding.DER) for c in office.holdings.certificates.values()]
    root, issuing = map(asn1_x509.Certificate.load, der)
    context = ValidationContext(
        trust_roots=[root],
        other_certs=[issuing],
        crls=[asn1_crl.CertificateList.load(one) for one in lists],
        ocsps=[asn1_ocsp.OCSPResponse.load(one) for one in answers],
        revocation_mode="require",
        allow_fetching=False,
    )
    validator = CertificateValidator(
        asn1_x509.Certificate.load(entry.certificate), validation_context=context
    )
    coroutine = validator.async_validate_usage({"digital_signature"})  # type: ignore[no-untyped-call] # so it is
    try:
        coroutine.send(None)
    except StopIteration:
        return "good"
    except RevokedError:
        return "revoked"
    except (PathError, PathValidationError) as error:
        return f"{type(error).__name__} {error}"
    finally:
        coroutine.close()
    raise AssertionError("it wants to fetch something")


def answered(office: Office, seat: Seat, role: str, serial: int, standing: Standing) -> bytes:
    """A signed answer of now."""
    now = datetime.now(UTC).replace(microsecond=0)
    asked = read_question(question(office, serial, role=role))
    return answer(asked, standing, seat=seat, this_update=now - DAY / 100, until=now + DAY)


def listed(office: Office, role: str) -> bytes:
    """A list of the authority, DER."""
    content = (office.folder / f"crl/{role}.crl").read_bytes()
    return x509.load_pem_x509_crl(content).public_bytes(Encoding.DER)


def test_another_engine_believes_answers_and_lists(office: Office, issued: Issued) -> None:
    """pyHanko's engine takes answers into account where a certificate says that there are any."""
    now = datetime.now(UTC)
    seat, above = office.seat("issuing", now=now), office.seat("root", now=now)
    assert seat is not None
    assert above is not None
    entry, roots = issued.entry, listed(office, "root")
    serial = int(entry.serial, 16)
    good = answered(office, seat, "issuing", serial, office.standing("issuing", serial))
    assert "good" == judged(office, entry, answers=[good], lists=[roots])
    issuing = office.holdings.certificates["issuing"].serial_number
    upper = answered(office, above, "root", issuing, Good())
    assert "good" == judged(office, entry, answers=[good, upper], lists=[])
    assert "good" == judged(office, entry, answers=[], lists=[roots, listed(office, "issuing")])
    assert "good" != judged(office, entry, answers=[], lists=[roots])
    strangers = answered(office, above, "issuing", serial, Good())
    assert "good" != judged(office, entry, answers=[strangers], lists=[roots])

    office.revoke([entry.serial], reason="superseded", now=now)

    revoked = answered(office, seat, "issuing", serial, office.standing("issuing", serial))
    assert "revoked" == judged(office, entry, answers=[revoked], lists=[roots])
    assert "revoked" == judged(office, entry, answers=[], lists=[roots, listed(office, "issuing")])
