"""``luxor authority``: a certification authority for networks that have none."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, get_args

import click
import msgspec

from gateway.authority.files import put
from gateway.authority.founding import AuthorityKeyKind, found, install, renew_issuing
from gateway.cli.authority_serve import serve
from gateway.cli.groups import Described
from gateway.cli.issued import folder_option, opened, print_entries, said
from gateway.cli.options import json_option


@click.group(cls=Described)
def authority() -> None:
    """An authority of one's own: certificates for parties, revocation lists, OCSP.

    `luxor party enrol | renew | revoke | certificates` work with it, `luxor certs request` makes
    what a party sends to it. docs/authority.md tells the whole way.
    """


@authority.command(
    epilog="""\b
Examples:
    luxor authority init --dir authority --id luxor --title "Luxor Network"
    luxor authority init --dir authority --id luxor --title "Luxor Network" \\
        --url http://pki.example.org:8085
    luxor authority init --dir authority --id luxor --title "Luxor Network" --root-elsewhere"""
)
@folder_option
@click.option(
    "--id", "identifier", default="luxor", show_default=True, help="Its id in registries."
)
@click.option("--title", required=True, help="Its name for people, in its certificates.")
@click.option("--url", default="", help="Where others will reach `luxor authority serve`.")
@click.option(
    "--key",
    "kind",
    type=click.Choice(get_args(AuthorityKeyKind)),
    default="P-384",
    show_default=True,
    help="The kind of its keys.",
)
@click.option(
    "--root-elsewhere", is_flag=True, help="Make a request that a root kept elsewhere will sign."
)
@json_option()
def init(
    *,
    folder: Path,
    identifier: str,
    title: str,
    url: str,
    kind: AuthorityKeyKind,
    root_elsewhere: bool,
    as_json: bool,
) -> None:
    """Make an authority: root, issuing authority, ledger, first lists.

    Keys are readable by their owner alone. Once all is made, private/root.key may be moved to where
    no network is; nothing but a new issuing certificate and the root's own list needs it.
    """
    with said():
        found(
            folder,
            identifier=identifier,
            title=title,
            url=url,
            key=kind,
            root_elsewhere=root_elsewhere,
            now=datetime.now(UTC),
        )
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    if as_json:
        print(json.dumps({"directory": str(folder), "files": files}))
    elif root_elsewhere:
        print(f"{folder}: let the root sign {folder / 'issuing.csr'}, then luxor authority install")
    else:
        print(
            f"{folder}: authority {identifier!r} is made; luxor authority registry tells the rest"
        )


@authority.command(
    "install",
    epilog="""\b
Examples:
    luxor authority install --root root.pem --issuing issuing.pem --root-crl root.crl
    luxor authority install --root-crl root.crl""",
)
@folder_option
@click.option("--root", type=click.File("rb"), help="The root's certificate.")
@click.option("--issuing", type=click.File("rb"), help="What the root made of issuing.csr.")
@click.option("--root-crl", type=click.File("rb"), help="The root's revocation list.")
@json_option()
def install_(
    *,
    folder: Path,
    root: BinaryIO | None,
    issuing: BinaryIO | None,
    root_crl: BinaryIO | None,
    as_json: bool,
) -> None:
    """Put in place what a root that is kept elsewhere has signed."""
    if root is None and root_crl is None:
        raise click.UsageError("give --root and --issuing, or --root-crl")
    with said():
        install(
            folder,
            now=datetime.now(UTC),
            root=None if root is None else root.read(),
            issuing=None if issuing is None else issuing.read(),
            root_crl=None if root_crl is None else root_crl.read(),
        )
    print(json.dumps({"directory": str(folder)}) if as_json else f"{folder}: in place")


@authority.command(
    epilog="""\b
Examples:
    luxor authority publish
    luxor authority publish --anew --json"""
)
@folder_option
@click.option("--anew", is_flag=True, help="Make the lists anew though they are not due.")
@json_option()
def publish(*, folder: Path, anew: bool, as_json: bool) -> None:
    """Make the revocation lists that are due, where no `luxor authority serve` does it."""
    with opened(folder) as office:
        written = office.publish(now=datetime.now(UTC), anew=anew)
    if as_json:
        print(msgspec.json.encode({"written": written}).decode())
        return
    for one in written:
        print(f"{one.path}: number {one.number}, {one.entries} revoked, until {one.next_update:%F}")
    if not written:
        print(f"{folder}: no list is due")


@authority.command(
    "renew",
    epilog="""\b
Examples:
    luxor authority renew""",
)
@folder_option
@json_option()
def renew_(*, folder: Path, as_json: bool) -> None:
    """Renew the certificate of the issuing authority over its key; what it issued stays good.

    Registries name its file: gateways take the new one over when they are given it.
    """
    with said():
        written = renew_issuing(folder, now=datetime.now(UTC))
    if as_json:
        print(json.dumps({"written": [written]}))
    elif written == "issuing.csr":
        print(f"{folder / written}: let the root sign it, then luxor authority install")
    else:
        print(f"{folder / written}: renewed; give it to the gateways, whose registries name it")


@authority.command(
    "list",
    epilog="""\b
Examples:
    luxor authority list
    luxor authority list --all --json""",
)
@folder_option
@click.option("--all", "everything", is_flag=True, help="Ended ones and responders too.")
@json_option()
def list_(*, folder: Path, everything: bool, as_json: bool) -> None:
    """List what was issued."""
    now = datetime.now(UTC)
    with opened(folder) as office:
        entries = [
            entry
            for entry in office.ledger.all()
            if everything
            or (entry.purpose != "responder" and entry.parsed().not_valid_after_utc > now)
        ]
    print_entries(entries, now=now, as_json=as_json)


@authority.command(
    epilog="""\b
Examples:
    luxor authority registry
    luxor authority registry --for /etc/luxor >> /etc/luxor/registry.toml
    luxor authority registry --online"""
)
@folder_option
@click.option(
    "--for",
    "beside",
    type=click.Path(path_type=Path, file_okay=False),
    help="Copy certificates and lists below this folder, and name them from there.",
)
@click.option(
    "--online", is_flag=True, help="Let the gateway ask `luxor authority serve`, for this url."
)
@json_option()
def registry(*, folder: Path, beside: Path | None, online: bool, as_json: bool) -> None:
    """Print the [[authority]] that a gateway's registry needs.

    Without --online the gateway reads the lists as files; whoever publishes them copies them.
    """
    with opened(folder) as office:
        identifier, url = office.profile.id, office.profile.url
    place = folder.resolve()
    if beside is not None:
        place = Path(identifier)
        for name in ("root.pem", "issuing.pem", "crl/root.crl", "crl/issuing.crl"):
            put(beside / place / name, (folder / name).read_bytes())
    row: dict[str, object] = {
        "id": identifier,
        "certificates": [str(place / "root.pem"), str(place / "issuing.pem")],
    }
    if online:
        if not url:
            raise click.ClickException(f"no url in {folder / 'authority.toml'}")
        row["crl_urls"] = [f"{url}/crl/root.crl", f"{url}/crl/issuing.crl"]
        row["ocsp"] = [f"{url}/ocsp"]
        row["require"] = "ocsp"
    else:
        row["crls"] = [str(place / "crl/root.crl"), str(place / "crl/issuing.crl")]
    if as_json:
        print(json.dumps(row))
        return
    lines = [f"{key} = {json.dumps(value)}" for key, value in row.items()]
    print("\n".join(["[[authority]]", *lines]))


authority.add_command(serve)
