"""``luxor xml``: put a signature into a document, and prove one."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import click
import msgspec
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from gateway.cli.groups import Described
from gateway.cli.options import json_option
from gateway.cli.spoken import Spoken, with_formats
from gateway.keys.errors import KeyUnusable
from gateway.keys.opening import Providers
from gateway.keys.secret import environment
from gateway.pipeline.xml_signed import MAX_BYTES, is_enveloped, place_of
from translators.xml import Limits, Node, XmlError, parse_exactly
from trust.certificates import load_certificates
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import PublicKey, public_keys, signing_key
from trust.mistakes import RegistryError
from trust.party import Registry
from trust.signatures.xmldsig.place import Detached
from trust.signatures.xmldsig.signing import Baseline, sign_detached, sign_enveloped
from trust.signatures.xmldsig.verifying import VerifiedXml, verify_xml

REFUSED = 1
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = click.Path(dir_okay=False, path_type=Path)
_source = click.argument("source", metavar="FILE", type=click.File("rb"))
_format = click.option(
    "--format",
    "format_id",
    metavar="F",
    help="A format whose documents come in an envelope, with the signature beside them.",
)


@click.group(name="xml", cls=Described)
def xml() -> None:
    """Signatures inside XML documents (XMLDSig and XAdES-B)."""


@xml.command(
    epilog="""\b
Examples:
  luxor xml sign items.xml --key signing.key --out items.signed.xml
  luxor xml sign items.xml --key signing.key --certificate signing.pem > items.signed.xml
  luxor xml sign filing.xml --key signing.key --layout acme.toml --format acme.filing.1 \\
      --out filing.signed.xml
  luxor submit items.signed.xml --no-sign --format upu.itmatt.1 --as post-a \\
      --to https://localhost:8443

\b
Exit status: 0 signed, 1 this document or key can not be used, 2 wrong usage."""
)
@_source
@click.option("--key", "reference", required=True, metavar="FILE|URI", help="Key that signs.")
@click.option("--password", metavar="WHERE", help="Of the key: file:PATH, env:NAME.")
@click.option("--algorithm", default="", metavar="JWS", help="As RS256; else that of the key.")
@click.option("--certificate", type=_FILE, help="Of the key (PEM): makes it XAdES-B, with a time.")
@_format
@click.option("--out", type=_NEW, help="Write the document there.")
@json_option("Print JSON about it; wants --out.")
@with_formats
def sign(
    spoken: Spoken,
    source: BinaryIO,
    reference: str,
    password: str | None,
    algorithm: str,
    certificate: Path | None,
    format_id: str | None,
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    """Put a signature into FILE (or - for standard input).

    It covers the whole document and stands in it; or, for a format in whose envelope it has its
    place, there. Sign once and keep the result: who signs anew sends something new.
    """
    if as_json and out is None:
        raise click.UsageError("--json wants --out: the document itself goes to standard output")
    document = _parsed(source)
    place = _place(spoken, format_id, document)
    try:
        signer = Providers(folder=Path(), environ=environment()).open(
            reference, password=password, algorithm=algorithm
        )
        baseline = None if certificate is None else _baseline(certificate)
        if place is None:
            sign_enveloped(document, signer=signer, baseline=baseline)
        else:
            sign_detached(document, place=place, signer=signer, baseline=baseline)
        content = etree.tostring(document, encoding="UTF-8", xml_declaration=True)
        # Nobody should find out from the receiver that a certificate is another key's.
        own = {signer.kid: signer.public_key}
        found = verify_xml(parse_exactly(content), keys=own, now=datetime.now(UTC), place=place)
    except KeyUnusable as error:
        raise click.ClickException(str(error)) from error
    except TrustError as error:
        raise click.ClickException(error.detail) from error
    if out is None:
        click.echo(content, nl=False)
        return
    out.write_bytes(content)
    if as_json:
        click.echo(msgspec.json.encode({"file": str(out), **_row(found)}).decode())
    else:
        click.echo(f"{out}: signed with key {signer.kid} ({signer.alg})")


@xml.command(
    epilog="""\b
Examples:
  luxor xml verify items.signed.xml --key signing.pub
  luxor xml verify items.signed.xml --registry registry.toml --party post-a --json
  luxor xml verify items.signed.xml --key signing.pub --content items.xml

\b
Exit status: 0 the signature holds, 1 it does not, 2 wrong usage."""
)
@_source
@click.option("--key", "files", multiple=True, type=_FILE, help="Public key (PEM); repeatable.")
@click.option("--algorithm", default="", metavar="JWS", help="Of --key, where it has several.")
@click.option("--registry", type=_FILE, help="Registry of parties, instead of --key.")
@click.option("--party", help="Whose keys of the registry.")
@_format
@click.option("--content", type=_NEW, help="Write what was signed there, and only that.")
@json_option()
@with_formats
def verify(
    spoken: Spoken,
    source: BinaryIO,
    files: tuple[Path, ...],
    algorithm: str,
    registry: Path | None,
    party: str | None,
    format_id: str | None,
    content: Path | None,
    *,
    as_json: bool,
) -> None:
    """Prove the signature inside FILE (or - for standard input) as a gateway does.

    Keys are those that you name; what the document says of its key is no proof.
    """
    if bool(files) == (registry is not None) or (registry is None) != (party is None):
        raise click.UsageError("give --key, or --registry and --party")
    document = _parsed(source)
    place = _place(spoken, format_id, document)
    keys = _keys(files, algorithm) if registry is None else _registered(registry, party or "")
    try:
        found = verify_xml(document, keys=keys, now=datetime.now(UTC), place=place)
    except TrustError as error:
        if as_json:
            told = {"status": "refused", "code": error.code, "detail": error.detail}
            click.echo(msgspec.json.encode(told).decode())
        else:
            click.echo(f"Refused: {error.code}: {error.detail}", err=True)
        sys.exit(REFUSED)
    if content is not None:
        content.write_bytes(found.content)
    if as_json:
        click.echo(msgspec.json.encode({"status": "valid", **_row(found)}).decode())
        return
    click.echo(f"The signature holds: key {found.key.kid} ({found.key.algorithm.name})")
    if found.signing_time is not None:
        click.echo(f"It says that it was made at {found.signing_time.isoformat()}")
    click.echo(f"It covers {len(found.content):,} bytes")


def _row(found: VerifiedXml) -> dict[str, Any]:
    return {
        "kid": found.key.kid,
        "algorithm": found.key.algorithm.name,
        "signing_time": found.signing_time,
        "signed_bytes": len(found.content),
    }


def _parsed(source: BinaryIO) -> Node:
    try:
        return parse_exactly(source.read(MAX_BYTES + 1), limits=Limits(size=MAX_BYTES))
    except XmlError as error:
        raise click.ClickException(f"{error.code}: {error.detail}") from error


def _place(spoken: Spoken, format_id: str | None, document: Node) -> Detached | None:
    """Where the format has the signature; in the document, when no format is named."""
    if format_id is None:
        return None
    translator: object = spoken.get(format_id)
    if not is_enveloped(translator):
        raise click.UsageError(f"{format_id} is no format of XML")
    return place_of(translator.detached, str(document.tag))


def _baseline(path: Path) -> Baseline:
    certificate = load_certificates(path.read_bytes())[0]
    return Baseline(
        certificate=certificate.public_bytes(Encoding.DER), signing_time=datetime.now(UTC)
    )


def _keys(files: tuple[Path, ...], algorithm: str) -> dict[str, PublicKey]:
    try:
        return public_keys(signing_key(path.read_bytes(), algorithm=algorithm) for path in files)
    except TrustError as error:
        raise click.UsageError(f"--key: {error.detail}") from error


def _registered(path: Path, party: str) -> dict[str, PublicKey]:
    try:
        registry = Registry.from_toml(
            path.read_text("utf-8"), lambda file: (path.parent / file).read_bytes()
        )
        return public_keys(registry.party(PartyId(party)).signing_keys)
    except (RegistryError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{path}: {error}") from error
    except TrustError as error:
        raise click.UsageError(f"{path}: {error.detail}") from error
