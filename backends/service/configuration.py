"""Configuration: one TOML file per process, read so that every mistake is told with its path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, toml

from trust.mistakes import Mistake
from trust.tables import Report, read_table, reporter

T = TypeVar("T", bound=msgspec.Struct)
Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
FileName = Annotated[str, Meta(min_length=1)]


class ConfigurationError(Exception):
    """The configuration cannot be used; ``mistakes`` says everything that is wrong with it."""

    def __init__(self, source: str, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(f"{source}: {mistake}" for mistake in mistakes))


class ServiceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``[service]``: who this process is and where it listens.

    Files are relative to the configuration file. ``registry`` is the party registry, in which the
    gateway stands with its authorities and signing keys; it is read again when it changes.
    """

    party: str
    ledger: FileName
    registry: FileName
    certificate: FileName
    """TLS certificate chain, PEM, for serving and for calling."""
    key: FileName
    signing_key: FileName
    signing_kid: str = ""
    listen: str = "127.0.0.1:0"
    ready_file: FileName | None = None
    """Gets ``HOST:PORT`` once the process serves."""


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """``[gateway]``: the one party that delivers here and to which answers go."""

    party: str
    address: str
    """``HOST:PORT`` of its gRPC ingress."""
    server_name: str | None = None
    """The name in its TLS certificate, when it is not the host of ``address``."""
    authorities: tuple[FileName, ...] = ()
    """PEM files of CAs for its TLS; empty: those that the registry lists for the party."""
    format: str = "luxor.proto.1"
    """Format of the answers."""


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``[limits]``: the bound of every queue, body and wait."""

    message_bytes: Positive = 16_777_216
    stream_bytes: Positive = 1_048_576
    """Larger answers go to the gateway by calls of their own."""
    window: Positive = 256
    """Submissions of one stream that may be unanswered, and answers in flight to the gateway."""
    calls: Positive = 1_000
    """Concurrent gRPC calls."""
    group: Positive = 512
    """Pieces of work in one commit."""
    waiting: Positive = 10_000
    """Pieces of work that may wait for a commit."""
    answer_seconds: Seconds = 30.0
    """How long the gateway may take for a receipt before the answer is sent again."""
    retry_first_seconds: Seconds = 0.2
    retry_most_seconds: Seconds = 30.0
    poll_seconds: Seconds = 1.0
    """How often timers and the registry are looked at."""
    stop_seconds: Seconds = 10.0
    key_days: Positive = 300
    """After this long a repeated item id is another item (an S10 may be used again)."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What every back end's file has. ``folder`` is where the file lies."""

    folder: Path
    service: ServiceSettings
    gateway: GatewaySettings
    limits: LimitSettings

    def path(self, name: str) -> Path:
        """A file that the configuration names."""
        return self.folder / name


def read_settings(path: Path, section: str, own: type[T]) -> tuple[Settings, T]:
    """The file's settings and the back end's ``[section]``.

    Raises :class:`ConfigurationError` with every unknown, missing or wrong key and every file
    that is not there.
    """
    source = str(path)
    document = _read(path)
    mistakes: list[Mistake] = []
    report = reporter(mistakes)
    known = {"service": ServiceSettings, "gateway": GatewaySettings, "limits": LimitSettings}
    for name in document.keys() - {*known, section}:
        report(name, f"unknown section; known are {', '.join(sorted([*known, section]))}")
    service = _section(document, "service", ServiceSettings, report)
    gateway = _section(document, "gateway", GatewaySettings, report)
    limits = _section(document, "limits", LimitSettings, report)
    found = _section(document, section, own, report)
    if service is not None and gateway is not None and limits is not None and found is not None:
        settings = Settings(
            folder=path.absolute().parent, service=service, gateway=gateway, limits=limits
        )
        _check(settings, report)
        if not mistakes:
            return settings, found
    raise ConfigurationError(source, mistakes)


def read_service(path: Path) -> ServiceSettings:
    """``[service]`` alone, for what does not serve; raises :class:`ConfigurationError`."""
    mistakes: list[Mistake] = []
    service = _section(_read(path), "service", ServiceSettings, reporter(mistakes))
    if service is None:
        raise ConfigurationError(str(path), mistakes)
    return service


def _read(path: Path) -> dict[str, Any]:
    try:
        return toml.decode(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise ConfigurationError(str(path), [Mistake("", error.strerror or str(error))]) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(str(path), [Mistake("", f"not TOML: {error}")]) from error


def _section(document: Mapping[str, Any], name: str, row: type[T], report: Report) -> T | None:
    raw = document.get(name, {})
    if not isinstance(raw, dict):
        report(name, f"write [{name}]")
        return None
    return read_table(raw, row, name, report)


def _check(settings: Settings, report: Report) -> None:
    service, gateway = settings.service, settings.gateway
    files = {
        "service.registry": service.registry,
        "service.certificate": service.certificate,
        "service.key": service.key,
        "service.signing_key": service.signing_key,
        **{f"gateway.authorities[{at}]": name for at, name in enumerate(gateway.authorities)},
    }
    for path, name in files.items():
        if not settings.path(name).is_file():
            report(path, f"there is no file {settings.path(name)}")
    for path, address in (("service.listen", service.listen), ("gateway.address", gateway.address)):
        host, colon, port = address.rpartition(":")
        if not (host and colon and port.isdecimal() and int(port) <= 65_535):
            report(path, "write HOST:PORT")
    if settings.limits.retry_first_seconds > settings.limits.retry_most_seconds:
        report("limits.retry_first_seconds", "is more than limits.retry_most_seconds")
