"""The configuration file as types. Names here are the names in ``gateway.toml``.

Unknown keys are mistakes. Paths are relative to the folder of the file. ``docs/configuration.md``
explains every key.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gateway.agreements import Agreement
from gateway.config.retention import RetentionSection
from gateway.core.bounds import Pause
from gateway.ingress.folder.settings import FolderSettings
from gateway.ingress.grpc.settings import GrpcSettings
from gateway.ingress.http.settings import HttpSettings
from gateway.keys.settings import SigningSettings
from gateway.pipeline.clearance import ClearanceSettings
from gateway.pipeline.overdue import AnswerSettings
from gateway.pipeline.settings import DispatchSettings, Limits
from gateway.regimes import QualitySettings
from gateway.routing import Expectation, Route
from gateway.store.settings import JournalSettings
from translators.canonical import Header
from trust.identity import PARTY_ID_PATTERN

Port = Annotated[int, Meta(ge=0, le=65535)]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}\Z")]
Authority = Annotated[str, Meta(pattern=r"^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?\Z")]
"""A host, or a host and its port (RFC 3986, 3.2)."""
PartyName = Annotated[str, Meta(pattern=rf"^{PARTY_ID_PATTERN}\Z")]


class GatewaySection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[gateway]``: who this is and where it keeps its files."""

    id: PartyName
    number: Annotated[int, Meta(ge=0, lt=1 << 37)]
    """Unique among gateways that exchange with each other: it is part of message ids."""
    data: str = "data"
    workers: Annotated[int, Meta(ge=1, le=64)] | None = None
    """Processes that serve as one gateway under a supervisor; without it there is one, alone."""
    drain_delay: Pause = 0.0
    """Seconds for which a gateway that is asked to end serves on, and says that it is not ready."""
    log: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"


class KeyPair(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A certificate chain and its key, as PEM files."""

    certificate: str
    key: str


class RegistrySection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[registry]``: the parties of the network.

    The registry lives in the journal's store. ``file`` is taken over when it is new or has
    changed since it was last taken over. Revocation lists are read from ``crls``.
    """

    file: str | None = None
    crls: str = "."
    poll: Annotated[float, Meta(gt=0, le=60)] = 1.0
    """Seconds between looks at the registry's version and at the revocation lists."""
    refresh: Annotated[float, Meta(ge=1, le=3_600)] = 300.0
    """Seconds after which an answer or a list that was fetched is asked for again."""
    answer_timeout: Annotated[float, Meta(gt=0, le=30)] = 2.0
    """Seconds that one responder has for its answer."""
    list_timeout: Annotated[float, Meta(gt=0, le=300)] = 30.0
    """Seconds for fetching a revocation list."""


class HttpsSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[ingress.https]``.

    ``names`` are those under which parties reach it, ``host`` or ``host:port``: signatures of
    requests are made for one of them. Without any, those of the certificate count.
    """

    host: str = "127.0.0.1"
    port: Port = 8443
    names: tuple[Authority, ...] = ()
    limits: HttpSettings = HttpSettings()


class SignedSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[ingress.signed]``: the same without client certificates; each request is signed."""

    host: str = "127.0.0.1"
    port: Port = 8445
    names: tuple[Authority, ...] = ()
    limits: HttpSettings = HttpSettings()


class GrpcSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[ingress.grpc]``."""

    host: str = "127.0.0.1"
    port: Port = 8444
    limits: GrpcSettings = GrpcSettings()


class OperationsSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[ingress.operations]``: health, metrics and controls, plain HTTP.

    Loopback unless said otherwise; elsewhere controls are served only with a ``token``: a file
    whose text callers show (RFC 6750, 2.1).
    """

    host: str = "127.0.0.1"
    port: Port = 8440
    token: str | None = None


class FolderSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[[ingress.folder]]``: a watched folder that belongs to one party."""

    party: PartyName
    path: str
    format: Name
    poll: Annotated[float, Meta(gt=0, le=3600)] = 0.5
    on_behalf_of: PartyName | None = None
    """In whose name the files are sent, by a delegation to ``party``."""
    limits: FolderSettings = FolderSettings()


class IngressSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[ingress]``: how interchanges come in."""

    https: HttpsSection | None = None
    signed: SignedSection | None = None
    grpc: GrpcSection | None = None
    operations: OperationsSection | None = OperationsSection()
    folder: tuple[FolderSection, ...] = ()


class DestinationSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[[destination]]``: where messages for a party are brought.

    ``address`` is a URL (https), ``host:port`` (grpc) or a folder (folder). ``ca`` pins the
    authority of the receiver's server certificate. ``receipt = "none"`` is for plain receivers
    whose 2xx status is all the acknowledgement there is.
    """

    id: Name
    party: PartyName
    transport: Literal["https", "grpc", "folder"]
    address: str
    format: Name
    ca: str | None = None
    receipt: Literal["required", "none"] = "required"
    answers: bool = False
    suffix: str | None = None
    """File name ending, for folders; by default it follows from the format."""
    dispatch: DispatchSettings | None = None
    header: Header = Header()
    """What deliveries say in their header beside what follows from them, such as a declarant."""


class FormatSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[[format]]``: a layout file of one's own that adds a format."""

    layout: str


class RegimeSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[[regime]]``: a table of one jurisdiction's admission rules."""

    file: str


class CodeListSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[[codes.list]]``: a list of one's own, and the places of the model that it is for."""

    name: Name
    file: str
    places: Annotated[tuple[str, ...], Meta(min_length=1)]


class CodesSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[codes]``: files with code lists of one's own; registers that are not public, above all."""

    impc: str | None = None
    operators: str | None = None
    hs: str | None = None
    countries: str | None = None
    currencies: str | None = None
    list: tuple[CodeListSection, ...] = ()


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file. ``folder`` is where it lies; it is not a key of the file."""

    gateway: GatewaySection
    tls: KeyPair
    signing: SigningSettings
    registry: RegistrySection
    journal: JournalSettings = JournalSettings()
    ingress: IngressSection = IngressSection()
    limits: Limits = Limits()
    dispatch: DispatchSettings = DispatchSettings()
    severity: dict[str, Literal["error", "warning", "ignore"]] = {}
    countries: tuple[Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")], ...] = ()
    """Country codes accepted beside ISO 3166-1."""
    codes: CodesSection = CodesSection()
    quality: QualitySettings = QualitySettings()
    retention: RetentionSection = RetentionSection()
    clearance: ClearanceSettings = ClearanceSettings()
    format: tuple[FormatSection, ...] = ()
    regime: tuple[RegimeSection, ...] = ()
    destination: tuple[DestinationSection, ...] = ()
    agreement: tuple[Agreement, ...] = ()
    route: tuple[Route, ...] = ()
    expect: tuple[Expectation, ...] = ()
    answers: AnswerSettings = AnswerSettings()
    folder: str = "."
    file: str = "gateway.toml"

    def path(self, name: str) -> Path:
        """A path of the file, relative to the folder in which the file lies."""
        return Path(self.folder) / name
