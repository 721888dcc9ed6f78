"""A complete receiver of webhooks: proves who sent, keeps each message once, then answers.

It needs aiohttp and joserfc and nothing of Luxor. Run it with
`python examples/webhook_receiver.py receiver.toml`; docs/webhooks.md has that file and explains it.
"""

from __future__ import annotations

import base64
import json
import sqlite3
import ssl
import sys
import time
import tomllib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from joserfc.errors import JoseError
from joserfc.jwk import import_key
from joserfc.jws import JWSRegistry

MAX_BYTES = 64 * 1024 * 1024
MAX_AGE_S = 300
CRITICAL = {"b64", "iat", "jti", "aud"}
"""Header names that a gateway lists in `crit` (RFC 7515, 4.1.11), and that are looked at here."""

KEY_TYPES: Mapping[str, Any] = {"ES256": "EC", "PS256": "RSA", "Ed25519": "OKP"}
"""Algorithms that gateways sign with, and the `kty` of their keys (RFC 7518, 6.1)."""


class NotProved(Exception):
    """Why a delivery is not taken for what it says it is."""


@dataclass(frozen=True)
class Keys:
    """The sender's keys as `GET /v1/keys` of its gateway tells them, by their names."""

    by_kid: Mapping[str, tuple[str, Any]]

    @classmethod
    def read(cls, path: Path) -> Keys:
        document = json.loads(path.read_text("utf-8"))
        return cls(
            {
                entry["kid"]: (
                    entry["algorithm"],
                    import_key(entry["public_key"], KEY_TYPES[entry["algorithm"]]),
                )
                for entry in document["keys"]
            }
        )


def prove(
    token: str, content: bytes, *, message_id: str, form: str, receiver: str, keys: Keys, now: float
) -> None:
    """Return only if one of these keys signed exactly this for exactly this receiver, just now."""
    try:
        segment, payload, signature = token.split(".")
        header = json.loads(_decoded(segment))
        algorithm, key = keys.by_kid[header["kid"]]
        made_at = int(header["iat"])
    except (ValueError, KeyError, TypeError) as error:
        raise NotProved("no detached JWS of a key that is known here") from error
    if payload or header.get("b64") is not False or set(header.get("crit", ())) != CRITICAL:
        raise NotProved("not in the form of RFC 7797 that gateways use")
    if header.get("alg") != algorithm:  # the key says which algorithm it is for, not the sender
        raise NotProved("another algorithm than that of the key")
    if header.get("aud") != receiver:
        raise NotProved("made out to somebody else")
    if (header.get("jti"), header.get("cty")) != (message_id, form):
        raise NotProved("made for another message or format")
    if abs(now - made_at) > MAX_AGE_S:
        raise NotProved("too old, or our clock is wrong")
    signed = segment.encode() + b"." + content
    try:
        good = (
            JWSRegistry(algorithms=[algorithm])
            .get_alg(algorithm)
            .verify(signed, _decoded(signature), key)
        )
    except (JoseError, ValueError) as error:
        raise NotProved("the signature can not be read") from error
    if not good:
        raise NotProved("the signature does not fit the content")


def _decoded(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


class Store:
    """What was received, each message id once, on disk before it is acknowledged."""

    def __init__(self, path: Path) -> None:
        self._file = sqlite3.connect(path)
        self._file.executescript(
            """PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL;
            CREATE TABLE IF NOT EXISTS received (
              message_id TEXT PRIMARY KEY, format TEXT NOT NULL, content BLOB NOT NULL
            );"""
        )

    def keep(self, message_id: str, form: str, content: bytes) -> bool:
        """True when it is new: then it is durable on return. False when it was here before."""
        with self._file:
            return bool(
                self._file.execute(
                    "INSERT INTO received VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                    (message_id, form, content),
                ).rowcount
            )

    def close(self) -> None:
        self._file.close()


def application(*, receiver: str, keys_file: Path, store: Store) -> web.Application:
    """`POST /hook`: 204 once the message is kept, also when it was here before."""

    async def take(request: web.Request) -> web.Response:
        content = await request.read()
        message_id = request.headers.get("Luxor-Interchange-Id", "")
        form = request.headers.get("Luxor-Format", "")
        try:
            prove(
                request.headers.get("Luxor-Signature", ""),
                content,
                message_id=message_id,
                form=form,
                receiver=receiver,
                keys=Keys.read(keys_file),  # anew each time: keys change
                now=time.time(),
            )
        except NotProved as error:
            # 401 says something of the link, so the gateway keeps the message and tries again.
            return web.json_response(
                {"code": "signature.invalid", "detail": str(error)}, status=401
            )
        if store.keep(message_id, form, content):
            sys.stdout.write(json.dumps({"received": message_id, "format": form}) + "\n")
            sys.stdout.flush()
        return web.Response(status=204)

    app = web.Application(client_max_size=MAX_BYTES)
    app.router.add_post("/hook", take)
    return app


def main(path: Path) -> None:
    settings = tomllib.loads(path.read_text("utf-8"))
    folder = path.parent
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    tls.load_cert_chain(folder / settings["certificate"], folder / settings["key"])
    tls.load_verify_locations(folder / settings["senders"])
    tls.verify_mode = ssl.CERT_REQUIRED  # the gateway shows its certificate
    with closing(Store(folder / settings["store"])) as store:
        app = application(
            receiver=settings["receiver"], keys_file=folder / settings["keys"], store=store
        )
        web.run_app(app, host=settings["host"], port=settings["port"], ssl_context=tls, print=None)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
