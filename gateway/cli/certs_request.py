"""``luxor certs request``: a key of one's own, and what the authority needs to certify it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import click

from gateway.authority import AuthorityError
from gateway.authority.files import put, read_private
from gateway.cli.issued import name_option
from gateway.cli.options import json_option
from trust.authority import KeyKind, generate_key, private_key_pem
from trust.enrolment import CertificatePurpose, key_id, make_request
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import load_private_key


@click.command(
    epilog="""\b
Examples:
    luxor certs request post-a --host gw.post-a.example
    luxor certs request post-a --purpose signing --kind Ed25519
    luxor certs request post-a --key there-already.key --out renewal.csr"""
)
@name_option
@click.option(
    "--purpose",
    type=click.Choice(["tls", "signing"]),
    default="tls",
    show_default=True,
    help="Each has a key of its own.",
)
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The private key; made when it is not there. NAME.key or NAME-signing.key.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the request goes. NAME.csr or NAME-signing.csr.",
)
@click.option(
    "--kind",
    type=click.Choice(get_args(KeyKind)),
    default="P-256",
    show_default=True,
    help="The kind of a new key; Ed25519 is for signing only.",
)
@click.option("--host", "hosts", multiple=True, help="A host that others will call it by.")
@json_option()
def request(
    *,
    party: PartyId,
    purpose: CertificatePurpose,
    key_file: Path | None,
    out: Path | None,
    kind: KeyKind,
    hosts: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make a private key, and a request that the authority makes a certificate of.

    The key stays here, readable by its owner alone. The request is for the authority: it runs
    `luxor party enrol NAME --csr FILE` and gives a certificate back.
    """
    if purpose == "tls" and kind == "Ed25519":
        raise click.UsageError("a TLS certificate has an EC or RSA key")
    stem = party if purpose == "tls" else f"{party}-signing"
    key_file = key_file or Path(f"{stem}.key")
    out = out or Path(f"{stem}.csr")
    try:
        there = key_file.exists()
        key = load_private_key(read_private(key_file)) if there else generate_key(kind)
        csr = make_request(key, party=party, hosts=hosts)
    except AuthorityError as error:
        raise click.ClickException(str(error)) from error
    except TrustError as error:
        raise click.ClickException(f"{key_file}: {error.detail}") from error
    if not there:
        put(key_file, private_key_pem(key), private=True)
    put(out, csr)
    named = key_id(key.public_key())
    if as_json:
        row = {"key": str(key_file), "csr": str(out), "made": not there}
        print(json.dumps({**row, "key_id": named}))
        return
    print(f"{key_file}: {'the key that was there' if there else 'a new key; it stays with you'}")
    print(f"{out}: for the authority, which names the same key")
    print(f"the key is {named}")
