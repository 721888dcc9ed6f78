"""Our gateway, whole: every check, the journal with its fsync, a signed receipt, and delivery."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import msgspec

from bench import serving
from bench.load.documents import order_bodies
from bench.load.pump import Request
from bench.load.target import Target
from bench.peers.documents import FORMAT, document
from bench.peers.load import request
from bench.peers.processes import NotStarted
from bench.peers.subject import Serving, Subject
from tests.e2e.network import make_pki
from trust.keys import KeySigner
from trust.signatures.jws import sign_detached

PATH = "/v1/interchanges"
DELIVERED_SECONDS = 60.0
"""For what is accepted to be delivered."""


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent, by whom, and whether with a signature beside mutual TLS."""

    format: str
    media_type: str
    party: str
    signed: bool
    body: Callable[[int, str], bytes]
    """By its number and name."""


def _item(number: int, name: str) -> bytes:
    del name
    return document(number)


def _order() -> Callable[[int, str], bytes]:
    bodies = order_bodies()
    return lambda number, name: bodies.body(number, name=name)


def item(*, signed: bool) -> Kind:
    """The document of one item, as the peers have it."""
    return Kind(
        format=FORMAT, media_type="application/xml", party="post-a", signed=signed, body=_item
    )


def order() -> Kind:
    """A signed order in JSON."""
    return Kind(
        format="luxor.json.1",
        media_type="application/json",
        party="platform-shop",
        signed=True,
        body=_order(),
    )


@contextlib.contextmanager
def serve(folder: Path, *, kind: Callable[[], Kind]) -> Iterator[Serving]:
    """One process that also delivers to a folder."""
    sent, certs = kind(), make_pki(folder / "certs")
    with contextlib.ExitStack() as running:
        try:
            served = running.enter_context(
                serving.gateway(folder / "gateway", certs, delivers=True)
            )
        except AssertionError as error:  # with all that it has said
            raise NotStarted(str(error).strip().rpartition("\n")[2]) from error
        target = served.target(sent.party)
        signer = KeySigner.from_pem(target.read(target.signing_key))
        yield Serving(
            pid=served.pid,
            place=target,
            requests=partial(_requests, sent, signer, target),
            done=partial(_delivered, folder / "gateway/archive"),
        )


def _requests(
    kind: Kind, signer: KeySigner, target: Target, first: int, count: int
) -> Sequence[Request]:
    return [_one(kind, signer, target, number) for number in range(first, first + count)]


def _one(kind: Kind, signer: KeySigner, target: Target, number: int) -> Request:
    name = f"bench-{number}"
    content = kind.body(number, name)
    fields = {
        "Content-Type": kind.media_type,
        "Luxor-Interchange-Id": name,
        "Luxor-Format": kind.format,
    }
    if kind.signed:
        fields["Luxor-Signature"] = sign_detached(
            content,
            signer=signer,
            interchange_id=name,
            format=kind.format,
            audience=target.gateway,
            now=datetime.now(UTC),
        )
    return request(content, path=PATH, name=name, fields=fields, expected=b"202")


def _delivered(archive: Path, count: int) -> str:
    """What waits to be delivered costs CPU, too: so it is waited for."""
    until = time.monotonic() + DELIVERED_SECONDS
    while (found := sum(1 for _ in archive.glob("*.json"))) < count:
        if time.monotonic() > until:
            return f"{found} messages delivered, of {count}"
        time.sleep(0.1)
    return ""


def _version() -> str:
    return f"Luxor {version('luxor-gateway')}"


_DOES = (
    "judged by every rule, journalled in canonical form with its evidence and its legs (synced"
    " before the answer), answered by a signed receipt (ES256), and delivered to a folder; over"
    " mutual TLS 1.3"
)
_SETTINGS = (
    "one process on uvloop, SQLite in WAL mode, synchronous=FULL; its own defaults, with what one"
    " party may ask for raised"
)
UNSIGNED = Subject(
    id="gateway-xml",
    title="Luxor gateway, XML",
    does=f"an item as XML is read and validated by its layout, {_DOES}",
    settings=_SETTINGS,
    version=_version,
    serve=partial(serve, kind=partial(item, signed=False)),
    quickest=1_500,
)
SIGNED_XML = Subject(
    id="gateway-signed-xml",
    title="Luxor gateway, signed XML",
    does="an item as XML under a detached JWS (ES256) is verified, read and validated by its"
    f" layout, {_DOES}",
    settings=_SETTINGS,
    version=_version,
    serve=partial(serve, kind=partial(item, signed=True)),
    quickest=1_500,
)
SIGNED_JSON = Subject(
    id="gateway-signed-json",
    title="Luxor gateway, signed JSON",
    does="an order as JSON (2 KB) under a detached JWS (Ed25519) is verified, read and validated,"
    f" {_DOES}",
    settings=_SETTINGS,
    version=_version,
    serve=partial(serve, kind=order),
    quickest=1_500,
)
