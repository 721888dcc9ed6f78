"""Who calls: the certificate of the connection, judged for each call, and how calls end."""

from __future__ import annotations

import math
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, NoReturn

import grpc
from grpc import aio

from gateway.core.errors import Refused
from gateway.ingress.grpc.conversion import bounded_problem
from gateway.ingress.grpc.handshakes import Handshakes
from gateway.ingress.limits import Limiter
from gateway.ingress.problems import Told
from translators.faults import Fault
from trust.identity import Identity

PROBLEM_KEY = "luxor-problem-bin"
RECEIPT_KEY = "luxor-receipt"
RETRY_KEY = "retry-after"
Context = aio.ServicerContext[Any, Any]


class Callers:
    """From a call to the party behind it."""

    def __init__(
        self,
        *,
        identify: Callable[[bytes], Awaitable[Identity]],
        handshakes: Handshakes,
        limiter: Limiter,
    ) -> None:
        self._identify = identify
        self._handshakes = handshakes
        self.limiter = limiter

    @asynccontextmanager
    async def call(self, context: Context) -> AsyncIterator[Identity]:
        """The party that makes this call, for as long as it lasts.

        Raises ``Refused``, and ``Unavailable`` when the party asks for more than it may.
        """
        identity = await self._identify(self.certificate(context))
        party, connection = identity.party, context.peer()
        self.limiter.connect(party, connection)
        try:
            await self.limiter.admit(party)
            with self.limiter.call(party):
                yield identity
        finally:
            self.limiter.disconnect(party, connection)

    async def still(self, certificate: bytes) -> Identity:
        """The party behind a certificate, judged anew: for each message of a stream."""
        return await self._identify(certificate)

    def certificate(self, context: Context) -> bytes:
        """The caller's certificate as DER, the same for a whole call; raises ``Refused``."""
        self._handshakes.succeeded(context.peer())
        properties = context.auth_context()
        # The core takes TLS 1.2 as well and has no switch for it.
        if list(properties.get("ssl_tls_version", [])) != [b"TLSv1.3"]:
            raise Refused("tls.version")
        chain = list(properties.get("x509_pem_cert", []))
        if not chain:
            raise Refused("certificate.missing")
        return _der(chain[0])


@lru_cache(maxsize=1024)
def _der(pem: bytes) -> bytes:
    """A certificate as bytes; whoever calls again shows the same one."""
    return ssl.PEM_cert_to_DER_cert(pem.decode("ascii"))


async def abort(
    context: Context, told: Told, *, receipt: str = "", faults: Iterable[Fault] | None = None
) -> NoReturn:
    """End the call with the status of a problem, and the problem in its trailing metadata."""
    found = told.problem.faults if faults is None else faults
    metadata: list[tuple[str, str | bytes]] = [
        (PROBLEM_KEY, bounded_problem(told.problem, found)),
    ]
    if receipt:
        metadata.append((RECEIPT_KEY, receipt))
    if told.retry_after is not None:
        metadata.append((RETRY_KEY, str(math.ceil(told.retry_after))))
    await context.abort(
        grpc.StatusCode[told.grpc],
        f"{told.problem.code}: {told.problem.title}",
        tuple(metadata),
    )
    raise AssertionError("abort does not return")
