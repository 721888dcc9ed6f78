"""``luxor keys``: the key with which a gateway or a party signs: make it, show it, certify it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import click
import msgspec

from gateway.cli.groups import Described
from gateway.cli.options import json_option
from gateway.keys.errors import KeyUnusable
from gateway.keys.making import make_in_file, make_on_token
from gateway.keys.opening import Providers
from gateway.keys.reference import TokenReference, key_reference
from gateway.keys.ring import OwnSigner
from gateway.keys.secret import environment
from trust.authority import KeyKind
from trust.errors import TrustError
from trust.identity import PARTY_ID_PATTERN, PartyId
from trust.signing_request import signing_request

_reference = click.argument("reference", metavar="FILE|URI")
_password = click.option(
    "--password",
    metavar="WHERE",
    help="Where the key's password or the token's PIN is: file:PATH, env:NAME, credential:NAME.",
)
_algorithm = click.option(
    "--algorithm", default="", metavar="JWS", help="As RS256; else the one of the key's kind."
)


@click.group(cls=Described)
def keys() -> None:
    """Signing keys, in files or on tokens (PKCS #11). Keys of TLS: luxor certs.

    A key is named by its file, or by a URI such as
    'pkcs11:token=luxor;object=signing?module-path=/usr/lib/softhsm/libsofthsm2.so'.
    """


@keys.command(
    epilog="""\b
Examples:
  luxor keys new signing.key
  luxor keys new signing.key --kind Ed25519 --password file:password.txt
  luxor keys new 'pkcs11:token=luxor;object=signing?module-path=/usr/lib/p11.so' \\
      --password env:PIN"""
)
@_reference
@click.option("--kind", type=click.Choice(get_args(KeyKind)), default="P-256", show_default=True)
@_password
@json_option()
def new(reference: str, *, kind: KeyKind, password: str | None, as_json: bool) -> None:
    """Make a key, in a new file for you alone or on a token that keeps it.

    A password, where one is given, encrypts the file. Nothing that is there is written over.
    """
    providers = _providers()
    try:
        named = key_reference(reference)
        secret = None if password is None else providers.secret(password)
        if isinstance(named, TokenReference):
            secret = secret or providers.pin(named)
            if secret is None:
                raise KeyUnusable("--password WHERE is needed: the PIN of the token")
            make_on_token(named, kind=kind, pin=secret, modules=providers.modules())
        else:
            make_in_file(Path(named.path), kind=kind, password=secret)
    except KeyUnusable as error:
        raise click.ClickException(str(error)) from error
    _tell(reference, _open(reference, password=password), as_json=as_json)


@keys.command(
    epilog="""\b
Examples:
  luxor keys show signing.key
  luxor keys show 'pkcs11:token=luxor;id=%01?module-path=/usr/lib/p11.so' --password env:PIN"""
)
@_reference
@_password
@_algorithm
@json_option()
def show(reference: str, *, password: str | None, algorithm: str, as_json: bool) -> None:
    """Open a key, have it sign once, and show its name and algorithm."""
    _tell(reference, _open(reference, password=password, algorithm=algorithm), as_json=as_json)


@keys.command(
    epilog="""\b
Examples:
  luxor keys public signing.key > gateway-lx.pub
  luxor keys public signing.key --out gateway-lx.pub"""
)
@_reference
@_password
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it there.")
@json_option()
def public(reference: str, *, password: str | None, out: Path | None, as_json: bool) -> None:
    """Print the public half (PEM), which the registry of whoever verifies needs."""
    signer = _open(reference, password=password)
    pem = _pem(signer)
    if out is not None:
        out.write_text(pem, "ascii")
    if as_json:
        click.echo(msgspec.json.encode(_row(reference, signer)).decode())
    elif out is None:
        click.echo(pem, nl=False)
    else:
        click.echo(f"{out}: the public key {signer.kid}")


@keys.command(
    epilog="""\b
Examples:
  luxor keys csr signing.key --party gateway-lx --out signing.csr
  luxor party enrol gateway-lx --csr signing.csr --purpose signing"""
)
@_reference
@click.option("--party", required=True, help="Whose key it is.")
@_password
@_algorithm
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it there.")
@json_option()
def csr(
    reference: str,
    *,
    party: str,
    password: str | None,
    algorithm: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """Ask for a signing certificate: a request (PKCS #10, PEM) that the key has signed."""
    if re.fullmatch(PARTY_ID_PATTERN, party) is None:
        raise click.UsageError("--party is an id: lower case, digits, hyphens")
    signer = _open(reference, password=password, algorithm=algorithm)
    try:
        request = signing_request(signer, signer.public_key, party=PartyId(party)).decode("ascii")
    except TrustError as error:
        raise click.ClickException(error.detail) from error
    if out is not None:
        out.write_text(request, "ascii")
    if as_json:
        click.echo(msgspec.json.encode({**_row(reference, signer), "request": request}).decode())
    elif out is None:
        click.echo(request, nl=False)
    else:
        click.echo(f"{out}: request for {party}, key {signer.kid}")


def _providers() -> Providers:
    return Providers(folder=Path(), environ=environment())


def _open(reference: str, *, password: str | None, algorithm: str = "") -> OwnSigner:
    try:
        signer = _providers().open(reference, password=password, algorithm=algorithm)
        signer.sign(b"luxor keys")
    except KeyUnusable as error:
        raise click.ClickException(str(error)) from error
    return signer


def _pem(signer: OwnSigner) -> str:
    return signer.public_key.pem


def _row(reference: str, signer: OwnSigner) -> dict[str, Any]:
    return {
        "reference": reference,
        "kid": signer.kid,
        "algorithm": signer.alg,
        "on_token": signer.waits,
        "public_key": _pem(signer),
    }


def _tell(reference: str, signer: OwnSigner, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(_row(reference, signer)).decode())
        return
    where = "on a token" if signer.waits else "in a file"
    click.echo(f"{signer.kid}  {signer.alg}  {where}: {reference}")
