"""Our certificate and key as the configuration names them, opened for the listeners."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from gateway.config.document import Config
from gateway.config.mistakes import ConfigError, Mistake
from gateway.ingress.presented import PairRefused, Presented
from gateway.telemetry import Telemetry


def open_presented(
    config: Config, *, clock: Callable[[], datetime], telemetry: Telemetry
) -> Presented:
    """Hold the pair of ``[tls]``; raises ``ConfigError``. The caller closes it."""
    try:
        return Presented(
            config.path(config.tls.certificate),
            config.path(config.tls.key),
            clock=clock,
            log=telemetry.of("tls"),
        )
    except OSError as error:
        raise ConfigError(config.file, [Mistake("tls", error.strerror or str(error))]) from error
    except PairRefused as error:
        raise ConfigError(config.file, [Mistake("tls", str(error))]) from error
