"""``luxor evidence``: a package that proves who said what, and going through it offline."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from gateway.cli.dossier import Missing, dossier
from gateway.cli.found import as_rows, print_findings, public_key, trusted
from gateway.cli.groups import Described
from gateway.cli.journals import reading
from gateway.cli.options import json_option
from gateway.config import Config
from gateway.core.errors import Unavailable
from gateway.keys.opening import KeysUnusable, Providers, open_keyring
from gateway.keys.ring import Keyring
from gateway.keys.secret import environment
from translators.xml import XmlError, parse_exactly
from trust.errors import TrustError
from trust.evidence import Package, read_package
from trust.evidence_proof import prove_evidence_package
from trust.findings import Findings

NOT_PROVED = 1
NOT_TRACED = 3
MAX_PACKAGE_BYTES = 512 * 1024 * 1024
MAX_FILES = 64
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(cls=Described)
def evidence() -> None:
    """Evidence: what a party sent, that it was that party, and what the gateway told it."""


@evidence.command(
    epilog="""\b
Examples:
  luxor evidence export my-interchange --party post-a --config gateway.toml --out case-17
  luxor evidence export my-interchange --party post-a --config gateway.toml --out case-17.zip

\b
Exit status: 0 written, 1 the journal does not have it (any more), 2 wrong usage."""
)
@click.argument("interchange_id", metavar="ID")
@click.option("--party", required=True, metavar="PARTY", help="Who sent it.")
@click.option(
    "--config", type=_FILE, default=Path("gateway.toml"), show_default=True, help="The gateway's."
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="A new folder, or a file that ends in .zip.",
)
@json_option()
def export(interchange_id: str, *, party: str, config: Path, out: Path, as_json: bool) -> None:
    """Write all that the journal has of one interchange, with the gateway's signed statement.

    It holds the received bytes, the sender's signature and key, the receipt, the list of outcomes
    and the sender's registration; so it holds personal data, where the content does. Reads the
    journal beside the running gateway, and signs with the gateway's key.
    """
    if out.exists():
        raise click.UsageError(f"--out: {out} is there already")
    if not out.absolute().parent.is_dir():
        raise click.UsageError(f"--out: there is no folder {out.parent}")
    now = datetime.now(UTC)
    try:
        with reading(config) as (settings, reader):
            keyring = _keyring(settings, now)
            files = dossier(
                reader,
                settings,
                keyring,
                party=party,
                interchange_id=interchange_id,
                now=now,
            )
    except (Missing, Unavailable) as error:
        click.echo(f"Nothing written: {error}", err=True)
        sys.exit(NOT_PROVED)
    _write(out, files)
    if as_json:
        sizes = {name: len(content) for name, content in files.items()}
        click.echo(msgspec.json.encode({"out": str(out), "files": sizes}).decode())
    else:
        click.echo(f"{out}: {', '.join(files)}")
        click.echo(f"Prove it anywhere: luxor evidence verify {out} --ca AUTHORITY.pem")


@evidence.command(
    epilog="""\b
Examples:
  luxor evidence verify case-17 --ca root.pem
  luxor evidence verify case-17.zip --ca root.pem --crl root.crl --crl issuing.crl
  luxor evidence verify case-17.zip --key gateway.pub --sender-key post-a.pub --json

\b
Exit status: 0 everything is proved, 1 something is not, 2 wrong usage, 3 nothing contradicts,
but the gateway's key was not traced to anything that you trust."""
)
@click.argument("source", metavar="DIR|FILE", type=click.Path(exists=True, path_type=Path))
@click.option("--ca", "authorities", multiple=True, type=_FILE, help="Authority (PEM) you trust.")
@click.option("--crl", "lists", multiple=True, type=_FILE, help="Revocation list; repeat per CA.")
@click.option("--key", type=_FILE, help="The gateway's public key (PEM), instead of --ca.")
@click.option("--sender-key", type=_FILE, help="The sender's public key (PEM), from the sender.")
@json_option()
def verify(
    source: Path,
    *,
    authorities: tuple[Path, ...],
    lists: tuple[Path, ...],
    key: Path | None,
    sender_key: Path | None,
    as_json: bool,
) -> None:
    """Go through a package offline: nothing was changed, who said it, and what it was told."""
    if key is not None and authorities:
        raise click.UsageError("--ca or --key: one of them says whom you trust")
    believed = trusted(authorities, lists, key)
    sender = None if sender_key is None else public_key(sender_key)
    found = Findings()
    package = None
    try:
        package = read_package(_read(source))
    except TrustError as error:
        found.refuted("files", error)
    else:
        prove_evidence_package(package, believed, found, read_xml=_document, sender=sender)
    traced = bool(authorities) or key is not None
    if as_json:
        told = {
            "proved": traced and not found.failed,
            "contradicted": found.failed,
            "statement": None if package is None else package.statement,
            "steps": as_rows(found),
        }
        click.echo(msgspec.json.encode(told).decode())
    else:
        _tell(package, found, traced=traced)
    if found.failed:
        sys.exit(NOT_PROVED)
    if not traced:
        sys.exit(NOT_TRACED)


def _tell(package: Package | None, found: Findings, *, traced: bool) -> None:
    if package is not None:
        said = package.statement
        click.echo(
            f"Evidence of {said.interchange_id} from {said.party}, record {said.record} of "
            f"{said.gateway}, put together at {said.exported_at:%Y-%m-%d %H:%M:%S %Z}."
        )
    print_findings(found, Console())
    if found.failed:
        click.echo("This is not proved.")
    elif traced:
        click.echo("All of it is proved.")
    else:
        click.echo("Nothing contradicts; to know whose it is, name whom you trust: --ca or --key.")


def _document(content: bytes) -> Any:
    """A whole document as it was signed; raises ``ValueError``."""
    try:
        return parse_exactly(content)
    except XmlError as error:
        raise ValueError(error.detail) from error


def _keyring(settings: Config, now: datetime) -> Keyring:
    folder = settings.path("")
    try:
        return open_keyring(
            settings.signing,
            gateway=settings.gateway.id,
            folder=folder,
            providers=Providers(folder=folder, environ=environment()),
            clock=lambda: now,
        )
    except KeysUnusable as error:
        raise click.UsageError(str(error)) from error


def _write(out: Path, files: Mapping[str, bytes]) -> None:
    """Readable by its owner alone: it holds what somebody declared."""
    if out.suffix == ".zip":
        out.touch(mode=0o600)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return
    out.mkdir(mode=0o700)
    for name, content in files.items():
        (out / name).write_bytes(content)


def _read(source: Path) -> dict[str, bytes]:
    """The files by their names; raises ``evidence.invalid`` for what is no package."""
    if source.is_dir():
        return _read_folder(source)
    try:
        with zipfile.ZipFile(source) as archive:
            return _read_archive(archive)
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        raise TrustError("evidence.invalid", f"{source.name} cannot be read as a zip") from error
    except Exception as error:  # zlib and its kind raise their own on hostile archives
        if isinstance(error, TrustError | OSError):
            raise
        raise TrustError("evidence.invalid", f"{source.name} cannot be unpacked") from error


def _read_folder(source: Path) -> dict[str, bytes]:
    entries = sorted(source.iterdir())
    _bound(len(entries), sum(entry.stat().st_size for entry in entries))
    odd = [entry.name for entry in entries if entry.is_symlink() or not entry.is_file()]
    if odd:
        raise TrustError("evidence.invalid", f"{odd[0]} is not part of the package")
    return {entry.name: entry.read_bytes() for entry in entries}


def _read_archive(archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = archive.infolist()
    _bound(len(entries), sum(entry.file_size for entry in entries))
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise TrustError("evidence.invalid", "a name is in the archive twice")
    return {entry.filename: archive.read(entry) for entry in entries}


def _bound(number: int, size: int) -> None:
    if number > MAX_FILES or size > MAX_PACKAGE_BYTES:
        raise TrustError(
            "evidence.invalid", f"more than {MAX_FILES} files or {MAX_PACKAGE_BYTES} bytes"
        )
