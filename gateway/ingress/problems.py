"""What a caller is told when a request as a whole fails: one shape for every transport."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

import msgspec

from gateway.core.envelope import Transport
from gateway.core.errors import ProblemKind, Refused, Unavailable, problem_kinds
from gateway.telemetry import Telemetry
from translators.faults import Fault

TYPE_PREFIX = "urn:luxor:problem:"
INTERNAL = "internal"
OVERLOAD = "overload"
DEFAULT_RETRY_S = 2.0
LOGGED_CHARACTERS = 120
"""Of an id as it is claimed; a good one is not longer."""
LIMITS = frozenset({"rate.exceeded", "concurrency.exceeded", "connections.exceeded"})
"""Codes that say: not so much."""


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem document (RFC 9457) with our members ``code`` and ``faults``."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    faults: tuple[Fault, ...] = ()
    instance: str | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A problem with what transports add: the gRPC status and when to come again (seconds)."""

    problem: Problem
    grpc: str
    retry_after: float | None = None


def incident_number() -> str:
    """A number by which a person finds an event in the log."""
    return secrets.token_hex(6)


class Problems:
    """Turns whatever was raised into what the caller is told, counting and logging it."""

    def __init__(
        self,
        *,
        transport: Transport,
        telemetry: Telemetry,
        incidents: Callable[[], str] = incident_number,
    ) -> None:
        self.kinds: Mapping[str, ProblemKind] = problem_kinds()
        self._transport = transport
        self._metrics = telemetry.metrics
        self._log = telemetry.of(f"ingress.{transport}")
        self._incidents = incidents

    def tell(
        self,
        error: Exception,
        *,
        party: str = "",
        interchange_id: str = "",
        instance: str | None = None,
    ) -> Told:
        """What to answer. Anything but ``Refused`` and ``Unavailable`` is an incident.

        An incident tells the caller its number alone; the log has the type and the places, never
        a text that could quote content.
        """
        fields = {"party": party, "interchange_id": interchange_id[:LOGGED_CHARACTERS]}
        match error:
            case Refused() if error.code in self.kinds:
                code, detail, retry = error.code, error.detail, None
                self._log.info("request.refused", code=code, faults=len(error.faults), **fields)
            case Unavailable():
                code = error.reason if error.reason in self.kinds else OVERLOAD
                detail, retry = "", error.retry_after
                # A party beyond its limits is logged by whoever holds them, and not each time.
                write = self._log.debug if code in LIMITS else self._log.warning
                write("request.unavailable", code=code, reason=error.reason, **fields)
            case _:
                incident = self._incidents()
                code, detail, retry = INTERNAL, f"incident {incident}", None
                self._log.error("request.failed", incident=incident, error=error, **fields)
        self._metrics.refusals.labels(code=code, transport=self._transport).inc()
        faults = error.faults if isinstance(error, Refused) and code == error.code else ()
        return self.told(code, detail=detail, faults=faults, retry_after=retry, instance=instance)

    def told(
        self,
        code: str,
        *,
        detail: str = "",
        faults: tuple[Fault, ...] = (),
        retry_after: float | None = None,
        instance: str | None = None,
    ) -> Told:
        """The problem of a code, neither counted nor logged; raises ``KeyError``."""
        kind = self.kinds[code]
        if retry_after is None and kind.http in (429, 503):
            retry_after = DEFAULT_RETRY_S
        problem = Problem(
            type=TYPE_PREFIX + code,
            title=kind.title,
            status=kind.http,
            code=code,
            detail=detail or kind.meaning,
            faults=faults,
            instance=instance,
        )
        return Told(problem=problem, grpc=kind.grpc, retry_after=retry_after)
