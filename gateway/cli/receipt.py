"""``luxor receipt``: prove a receipt without the gateway that gave it, and get it again."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from gateway.cli.access import Access, access, why, with_access
from gateway.cli.found import as_rows, print_findings, trusted
from gateway.cli.groups import Described
from gateway.cli.options import json_option
from gateway.client import CredentialsError, ProblemError
from gateway.client.bundle import bundle_of
from gateway.core.errors import Unavailable
from trust.errors import TrustError
from trust.findings import Findings
from trust.receipt import ReceiptClaims
from trust.receipt_proof import (
    MAX_BUNDLE_BYTES,
    Content,
    ReceiptBundle,
    Trusted,
    prove_receipt,
    read_bundle,
    write_bundle,
)

NOT_PROVED = 1
NOT_REACHED = 3
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = click.Path(dir_okay=False, path_type=Path)


@click.group(cls=Described)
def receipt() -> None:
    """Receipts: the gateway's signed word on what it received and what became of it."""


@receipt.command(
    epilog="""\b
Examples:
  luxor receipt verify receipt.json --ca root.pem
  luxor receipt verify receipt.json --ca root.pem --crl root.crl --crl issuing.crl \\
      --content items.xml --outcomes outcomes.json
  luxor receipt verify receipt.jws --certificate gateway-signing.pem --ca root.pem
  luxor receipt verify receipt.jws --key gateway.pub --json

\b
Exit status: 0 all that was checked holds, 1 something does not, 2 wrong usage."""
)
@click.argument("file", type=_FILE)
@click.option("--ca", "authorities", multiple=True, type=_FILE, help="Authority (PEM) you trust.")
@click.option("--crl", "lists", multiple=True, type=_FILE, help="Revocation list; repeat per CA.")
@click.option("--certificate", type=_FILE, help="Chain of the gateway's signing certificate.")
@click.option("--key", type=_FILE, help="The gateway's public key (PEM), instead of --ca.")
@click.option("--content", type=_FILE, help="What was sent; compared by size and SHA-256.")
@click.option("--outcomes", type=_FILE, help="The list of outcomes, byte by byte.")
@click.option("--gateway", metavar="PARTY", help="Who must have given it.")
@click.option("--party", metavar="PARTY", help="To whom it must have been given.")
@json_option()
def verify(
    file: Path,
    *,
    authorities: tuple[Path, ...],
    lists: tuple[Path, ...],
    certificate: Path | None,
    key: Path | None,
    content: Path | None,
    outcomes: Path | None,
    gateway: str | None,
    party: str | None,
    as_json: bool,
) -> None:
    """Prove a receipt offline: who signed it, that they could then, and of what it speaks.

    FILE is a bundle of `luxor receipt get` or `luxor submit --bundle`, or the token alone. The
    certificate must lead to an authority of --ca, name the gateway, be for signing, and have been
    valid and (with --crl) not revoked when the receipt was given.
    """
    if (key is None) == (not authorities):
        raise click.UsageError("say whom you trust: --ca FILE, or the gateway's own --key FILE")
    if lists and not authorities:
        raise click.UsageError("--crl is about certificates, and needs --ca")
    found = Findings()
    claims = None
    try:
        bundle = _bundle(file, certificate)
    except TrustError as error:
        found.refuted("form", error)
    else:
        believed = trusted(authorities, lists, key)
        claims = _prove(bundle, believed, found, content=content, outcomes=outcomes)
        if claims is not None:
            _expect(claims, gateway, party, found)
    if as_json:
        told = {"proved": not found.failed, "claims": claims, "steps": as_rows(found)}
        click.echo(msgspec.json.encode(told).decode())
    else:
        if claims is not None:
            click.echo(_sentence(claims))
        print_findings(found, Console())
        click.echo("The receipt is not proved." if found.failed else "The receipt is proved.")
    if found.failed:
        sys.exit(NOT_PROVED)


@receipt.command(
    epilog="""\b
Examples:
  luxor receipt get my-interchange --as post-a --to https://localhost:8443 --out receipt.json
  luxor receipt get my-interchange --as post-a --to grpc://localhost:8444 --token
  luxor receipt get my-interchange --as post-a --to https://localhost:8443 \\
      --out receipt.json --outcomes outcomes.json

\b
Exit status: 0 it is there, 1 the gateway has none, 2 wrong usage, 3 it could not be
reached, or what came is no proof."""
)
@click.argument("interchange_id", metavar="ID")
@with_access
@click.option("--out", type=_NEW, help="Write the bundle there instead of printing it.")
@click.option("--outcomes", type=_NEW, help="Write the list of outcomes there.")
@click.option("--token", "only_token", is_flag=True, help="The bare token instead of a bundle.")
@json_option()
def get(
    interchange_id: str,
    *,
    out: Path | None,
    outcomes: Path | None,
    only_token: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Get the receipt of an interchange again; it is the same, byte for byte.

    The bundle has the token and the certificates of the key that signed it, so that `luxor receipt
    verify` needs nothing else but an authority.
    """
    reached = access(**options)
    try:
        bundle, listed = asyncio.run(_get(reached, interchange_id, outcomes=outcomes is not None))
    except CredentialsError as error:
        raise click.UsageError(str(error)) from error
    except ProblemError as error:
        click.echo(why(error), err=True)
        sys.exit(NOT_PROVED)
    except (Unavailable, TrustError) as error:
        click.echo(why(error, what="No receipt"), err=True)
        sys.exit(NOT_REACHED)
    written = f"{bundle.receipt}\n".encode() if only_token else write_bundle(bundle)
    if out is not None:
        out.write_bytes(written)
    if outcomes is not None and listed is not None:
        outcomes.write_bytes(listed)
    if as_json:
        click.echo(msgspec.json.encode(bundle).decode())
    elif out is None:
        click.echo(written, nl=False)
    else:
        click.echo(f"{interchange_id}: receipt written to {out}")


async def _get(
    reached: Access, interchange_id: str, *, outcomes: bool
) -> tuple[ReceiptBundle, bytes | None]:
    async with reached.client() as client:
        token = await client.receipt(interchange_id)
        bundle = bundle_of(token, await client.keys())
        listed = await client.outcome_document(interchange_id) if outcomes else None
        return bundle, listed


def _bundle(file: Path, certificate: Path | None) -> ReceiptBundle:
    with file.open("rb") as opened:
        bundle = read_bundle(opened.read(MAX_BUNDLE_BYTES + 1))
    if certificate is None:
        return bundle
    pem = certificate.read_text("ascii", "replace")
    return msgspec.structs.replace(bundle, certificates=(pem,))


def _prove(
    bundle: ReceiptBundle,
    believed: Trusted,
    found: Findings,
    *,
    content: Path | None,
    outcomes: Path | None,
) -> ReceiptClaims | None:
    return prove_receipt(
        bundle,
        believed,
        found,
        content=None if content is None else content_of(content),
        outcomes=None if outcomes is None else outcomes.read_bytes(),
    )


def content_of(file: Path) -> Content:
    """Digest and size of a file of any length."""
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
        return Content(digest=digest, size=opened.tell())


def _expect(claims: ReceiptClaims, gateway: str | None, party: str | None, found: Findings) -> None:
    for step, wanted, got, word in (
        ("giver", gateway, claims.gateway, "given by"),
        ("taker", party, claims.party, "given to"),
    ):
        if wanted is None:
            continue
        if wanted == got:
            found.proved(step, f"it was {word} {got}")
        else:
            found.refuted(step, TrustError("receipt.invalid", f"it was {word} {got}, not {wanted}"))


def _sentence(claims: ReceiptClaims) -> str:
    whose = "" if claims.on_behalf_of is None else f" on behalf of {claims.on_behalf_of}"
    return (
        f"{claims.gateway} says: {claims.party}{whose} sent {claims.interchange_id} "
        f"({claims.format}, {claims.size} bytes), received at "
        f"{claims.received_at:%Y-%m-%d %H:%M:%S %Z} as record {claims.record}, "
        f"{claims.status}: {claims.accepted} accepted, {claims.refused} refused."
    )
