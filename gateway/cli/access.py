"""The options by which a command speaks to a gateway as one of its parties."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from gateway.client import (
    Credentials,
    CredentialsError,
    GrpcPartyClient,
    PartyClient,
    Peer,
    ProblemError,
    development,
    peer,
)
from gateway.core.errors import Unavailable
from trust.identity import PartyId

Client = PartyClient | GrpcPartyClient
_CERTS = Path("certs")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

_OPTIONS = (
    click.option(
        "--as",
        "party",
        metavar="PARTY",
        help="Who sends: a party of the folder --certs, or whose key --sign-key is.",
    ),
    click.option(
        "--to", "url", metavar="URL", help="The gateway: https://HOST:PORT or grpc://HOST:PORT."
    ),
    click.option(
        "--certs",
        type=click.Path(file_okay=False, path_type=Path),
        default=_CERTS,
        show_default=True,
        help="Folder that `luxor certs dev` has made.",
    ),
    click.option("--cert", type=_FILE, help="Certificate chain (PEM) instead of the folder's."),
    click.option("--key", type=_FILE, help="Its key (PEM)."),
    click.option("--ca", type=_FILE, help="Authority of the gateway's certificate (PEM)."),
    click.option("--sign-key", type=_FILE, help="Key that signs what is sent (PEM)."),
    click.option(
        "--sign",
        "how",
        type=click.Choice(["jws", "http"]),
        default="jws",
        show_default=True,
        help="What is signed: the content (jws), or each request (http), which needs no --cert.",
    ),
    click.option(
        "--gateway", metavar="PARTY", help="The gateway's party id; by default the network's own."
    ),
    click.option(
        "--gateway-key",
        "gateway_keys",
        multiple=True,
        type=_FILE,
        help="The gateway's public key (PEM), to prove its receipts; again for its next one.",
    ),
)


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """Where a gateway is and what one shows and believes there."""

    url: str
    credentials: Credentials
    gateway: Peer | None
    sign_requests: bool = False
    options: tuple[str, ...] = ()
    """How the same was said on the command line, for a command to be told to a person."""

    def client(self) -> Client:
        """A client for the URL's transport; raises ``CredentialsError``."""
        if self.url.startswith("grpc://"):
            return GrpcPartyClient(self.url, self.credentials, gateway=self.gateway)
        return PartyClient(
            self.url,
            self.credentials,
            gateway=self.gateway,
            sign_requests=self.sign_requests,
        )


def with_access(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command; it hands them on to :func:`access`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def access(
    *,
    party: str | None,
    url: str | None,
    certs: Path,
    cert: Path | None,
    key: Path | None,
    ca: Path | None,
    sign_key: Path | None,
    how: str,
    gateway: str | None,
    gateway_keys: tuple[Path, ...],
) -> Access:
    """What the options come to; raises ``click.UsageError`` for what does not fit together."""
    if url is None:
        raise click.UsageError("--to is needed: the address of the gateway")
    if not url.startswith(("https://", "grpc://")):
        raise click.UsageError(f"--to wants https://HOST:PORT or grpc://HOST:PORT, not {url}")
    requests = how == "http"
    if requests and url.startswith("grpc://"):
        raise click.UsageError("--sign http is for https://; over gRPC the content is signed")
    try:
        if requests and cert is None and ca is not None and sign_key is not None:
            credentials, known = _of_key(party, ca), None
        elif cert is None and key is None:
            credentials, known = _of_folder(party, certs, gateway)
        else:
            credentials, known = _of_files(party, cert, key, ca), None
        if gateway_keys:
            if gateway is None:
                raise click.UsageError("--gateway-key needs --gateway, whose key it is")
            known = peer(gateway, *gateway_keys)
    except CredentialsError as error:
        raise click.UsageError(str(error)) from error
    if ca is not None:
        credentials = msgspec.structs.replace(credentials, authority=ca)
    if sign_key is not None:
        credentials = msgspec.structs.replace(credentials, signing_key=sign_key)
    if requests and credentials.signing_key is None:
        raise click.UsageError("--sign http needs --sign-key, or a folder that has the key")
    said: dict[str, object] = {
        "--to": url,
        "--as": party,
        "--certs": None if certs == _CERTS else certs,
        "--cert": cert,
        "--key": key,
        "--ca": ca,
        "--sign": how if requests else None,
        "--sign-key": sign_key if requests else None,
    }
    return Access(
        url=url,
        credentials=credentials,
        gateway=known,
        sign_requests=requests,
        options=tuple(word for name, value in said.items() if value for word in (name, str(value))),
    )


def why(error: Exception, *, what: str = "Not read") -> str:
    """What a gateway refused, or why there is no answer now, and when there may be one."""
    if isinstance(error, ProblemError):
        detail = error.detail if error.detail != error.title else ""
        return f"Refused: {error.title} ({error.code})\n{detail}".rstrip()
    wait = error.retry_after if isinstance(error, Unavailable) else None
    return f"{what}: {error}".rstrip(".") + (
        "" if wait is None else f". Try again in {wait:g} seconds."
    )


def _of_folder(party: str | None, certs: Path, gateway: str | None) -> tuple[Credentials, Peer]:
    if party is None:
        raise click.UsageError("--as PARTY is needed, or --cert, --key and --ca")
    if certs == _CERTS and not certs.is_dir():
        raise click.UsageError(
            "say with what to connect: --cert, --key and --ca, or --sign http, --sign-key and --ca"
            " (there is no folder certs, which `luxor certs dev` makes for development)"
        )
    return development(certs, party, gateway=gateway)


def _of_key(party: str | None, ca: Path) -> Credentials:
    """Credentials of a party that shows no certificate."""
    if party is None:
        raise click.UsageError("--as PARTY is needed: no certificate says who signs")
    return Credentials(authority=ca, name=PartyId(party))


def _of_files(
    party: str | None, cert: Path | None, key: Path | None, ca: Path | None
) -> Credentials:
    if cert is None or key is None or ca is None:
        raise click.UsageError(
            "--cert, --key and --ca belong together (without a certificate: --sign http)"
        )
    name = None if party is None else PartyId(party)
    return Credentials(certificate=cert, key=key, authority=ca, name=name)
