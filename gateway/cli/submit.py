"""``luxor submit``: one file to a gateway, and the proof that it has it."""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from gateway.cli.access import Access, Client, access, with_access
from gateway.cli.answered import Sent, as_json, print_answer, print_problem
from gateway.client import CredentialsError, ProblemError
from gateway.client.bundle import bundle_of
from gateway.core.errors import Unavailable
from trust.errors import TrustError
from trust.receipt_proof import ReceiptBundle, write_bundle

REFUSED = 1
NOT_SENT = 3
LARGE_BYTES = 256 * 1024
"""From here on a bar shows how much has left."""
_ID = re.compile(r"[A-Za-z0-9_:~-][A-Za-z0-9._:~-]{0,119}")
_PREFIX = 12  # digits of the content's digest in an id that nobody chose


@click.command(
    epilog="""\b
Examples:
  luxor submit items.xml --format upu.itmatt.1 --as post-a --to https://localhost:8443
  luxor submit orders.json --format luxor.json.1 --as platform-shop --to grpc://localhost:8444
  luxor submit orders.json --format luxor.json.1 --as platform-shop --sign http \\
      --sign-key shop.key --ca gateway-ca.pem --to https://localhost:8445
  luxor sample upu.itmatt.1 | luxor submit - --format upu.itmatt.1 --as post-a \\
      --to https://localhost:8443 --id first-try --save receipt.jws

\b
Exit status: 0 everything was accepted, 1 something was refused, 2 wrong usage,
3 it could not be sent or its receipt is no proof: repeating it is safe."""
)
@click.argument(
    "source", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
@click.option("--format", "format_id", required=True, metavar="F", help="Format of FILE.")
@with_access
@click.option(
    "--id",
    "interchange_id",
    metavar="ID",
    help="Interchange id; by default from the file's name and content, so that repeating is safe.",
)
@click.option(
    "--on-behalf-of", metavar="PARTY", help="In whose name, by a delegation (luxor party delegate)."
)
@click.option("--no-sign", is_flag=True, help="Do not sign, though there is a key.")
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the receipt there.",
)
@click.option(
    "--bundle",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the receipt there with what proves it offline (luxor receipt verify).",
)
@click.option("--json", "json_output", is_flag=True, help="Print JSON.")
def submit(
    source: str,
    format_id: str,
    interchange_id: str | None,
    on_behalf_of: str | None,
    no_sign: bool,  # noqa: FBT001 - a click option
    save: Path | None,
    bundle: Path | None,
    json_output: bool,  # noqa: FBT001 - a click option
    **options: Any,
) -> None:
    """Send FILE (or - for standard input) to a gateway and check its receipt.

    The answer comes when the content is on the gateway's disk. Refused messages are named with
    every fault; the others were accepted all the same.
    """
    if interchange_id is not None and not _ID.fullmatch(interchange_id):
        raise click.UsageError("--id has 1 to 120 letters, digits and . _ : ~ - and no first dot")
    if no_sign and options["how"] == "http":
        raise click.UsageError("--sign http and --no-sign contradict each other")
    _check_folders({"--save": save, "--bundle": bundle})
    reached = access(**options)
    with _content(source) as file:
        if interchange_id is None:
            interchange_id = default_id("stdin" if source == "-" else Path(source).stem, file)
        size = file.stat().st_size
        sending = _send(
            reached,
            file,
            interchange_id,
            format_id,
            on_behalf_of=on_behalf_of,
            sign=not no_sign,
            shown=0 if json_output else size,
            bundled=bundle is not None,
        )
        try:
            sent = asyncio.run(sending)
        except CredentialsError as error:
            raise click.UsageError(str(error)) from error
        except OSError as error:
            raise click.UsageError(f"{source}: {error.strerror or error}") from error
        except ProblemError as error:
            print_problem(error, interchange_id, json_output=json_output)
            sys.exit(REFUSED)
        except (Unavailable, TrustError) as error:
            _not_sent(error, interchange_id, json_output=json_output)
            sys.exit(NOT_SENT)
    _keep(sent, save=save, bundle=bundle)
    if json_output:
        click.echo(as_json(sent))
    else:
        print_answer(sent, reached, console=Console())
    if not sent.good:
        sys.exit(REFUSED)


def _check_folders(files: dict[str, Path | None]) -> None:
    """Before anything is sent: what comes back can be written."""
    for option, file in files.items():
        if file is not None and not file.absolute().parent.is_dir():
            raise click.UsageError(f"{option}: there is no folder {file.parent}")


def _keep(sent: Sent, *, save: Path | None, bundle: Path | None) -> None:
    if save is not None:
        save.write_text(sent.answer.receipt + "\n", "ascii")
    if bundle is not None and sent.bundle is not None:
        bundle.write_bytes(write_bundle(sent.bundle))


def default_id(name: str, file: Path) -> str:
    """An id from a file's name and content: the same for the same bytes."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    fit = re.sub(r"[^A-Za-z0-9._:~-]+", "-", name).strip(".-")[:80]
    return f"{fit or 'file'}-{digest[:_PREFIX]}"


@contextmanager
def _content(source: str) -> Iterator[Path]:
    """The file; what comes from standard input is put into one that goes away again."""
    if source != "-":
        yield Path(source)
        return
    with tempfile.NamedTemporaryFile() as spool:
        shutil.copyfileobj(sys.stdin.buffer, spool)
        spool.flush()
        yield Path(spool.name)


async def _send(
    reached: Access,
    file: Path,
    interchange_id: str,
    format_id: str,
    *,
    on_behalf_of: str | None,
    sign: bool,
    shown: int,
    bundled: bool,
) -> Sent:
    """``shown``: the size of which progress is shown; 0 for none."""
    signer = reached.credentials.signer() if sign and not reached.sign_requests else None
    if signer is not None and reached.gateway is None:
        raise CredentialsError("to sign, say for whom: --gateway and --gateway-key, or --no-sign")
    async with reached.client() as client:
        with _progress(shown) as told:
            answer = await client.submit(
                file,
                interchange_id=interchange_id,
                format=format_id,
                progress=told,
                signer=signer,
                on_behalf_of=on_behalf_of,
            )
        outcomes = answer.outcomes
        if answer.more:
            outcomes = await client.outcomes(interchange_id)
        bundle = await _bundle(client, answer.receipt) if bundled else None
    return Sent(answer=answer, outcomes=outcomes, bundle=bundle)


async def _bundle(client: Client, token: str) -> ReceiptBundle:
    """The receipt is there whatever comes now: without the gateway's keys it stands alone."""
    try:
        return bundle_of(token, await client.keys())
    except (Unavailable, ProblemError) as error:
        click.echo(f"The bundle has no certificate: {error}", err=True)
        return ReceiptBundle(receipt=token)


@contextmanager
def _progress(size: int) -> Iterator[Any]:
    """A bar on standard error for large files: what has left, then that it is being judged."""
    console = Console(stderr=True)
    if size < LARGE_BYTES or not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("sending", total=size)

        def told(sent: int) -> None:
            bar.update(task, completed=sent, description="judging" if sent == size else "sending")

        yield told


def _not_sent(error: Exception, interchange_id: str, *, json_output: bool) -> None:
    """Say why, and that the same command may be given again."""
    proof = isinstance(error, TrustError)
    retry = error.retry_after if isinstance(error, Unavailable) else None
    if json_output:
        told = {
            "interchange_id": interchange_id,
            "status": "unproved" if proof else "unavailable",
            "detail": str(error),
            "retry_after": retry,
        }
        click.echo(msgspec.json.encode(told).decode())
        return
    what = "The answer is no proof" if proof else "Not sent"
    when = "" if retry is None else f" in {retry:g} seconds"
    click.echo(f"{what}: {error}", err=True)
    click.echo(f"Repeating the same command{when} is safe (id {interchange_id}).", err=True)
