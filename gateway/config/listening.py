"""The HTTPS listeners of a configuration: with client certificates, and with signed requests."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping

from gateway.config.document import Config
from gateway.core.ports import Clock
from gateway.ingress.admission import Admission
from gateway.ingress.http.server import HttpIngress
from gateway.ingress.limits import Limiter
from gateway.ingress.tls import ServerTls
from gateway.pipeline.service import Service
from gateway.telemetry import Telemetry


def https_listeners(
    config: Config,
    *,
    service: Service,
    telemetry: Telemetry,
    clock: Clock,
    tls: ServerTls,
    limiter: Limiter,
    admission: Admission,
    opened: Callable[[str], socket.socket | None] = lambda _: None,
) -> Mapping[str, HttpIngress]:
    """Those that are configured, by their name in ``[ingress]``; none of them has started.

    ``opened`` gives the socket of one that is listened on already.
    """
    sections = {"https": config.ingress.https, "signed": config.ingress.signed}
    return {
        name: HttpIngress(
            service=service,
            telemetry=telemetry,
            clock=clock,
            tls=tls,
            host=section.host,
            port=section.port,
            settings=section.limits,
            limiter=limiter,
            admission=admission,
            names=section.names,
            certificates=name == "https",
            listener=opened(name),
        )
        for name, section in sections.items()
        if section is not None
    }
