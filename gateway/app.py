"""The composition root: the only module that names concrete classes and puts them together."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

import msgspec
from prometheus_client import CollectorRegistry

from gateway.config import Config, ConfigError, Mistake
from gateway.config.assemble import NOTICE_KIND, formats_of, network_of, regimes_of
from gateway.config.check import check, check_parties
from gateway.config.directory import Directory
from gateway.config.evidence import Evidence
from gateway.config.expiry import expiring_around
from gateway.config.listening import https_listeners
from gateway.config.presenting import open_presented
from gateway.config.targets import open_destinations
from gateway.core.envelope import Envelope
from gateway.core.errors import Unavailable
from gateway.core.ports import Journal
from gateway.core.records import State, Stored
from gateway.egress.evidence import EvidenceClient
from gateway.egress.tls import OwnPair
from gateway.ingress.folder import FolderIngress
from gateway.ingress.grpc.server import GrpcIngress
from gateway.ingress.http.server import HttpIngress
from gateway.ingress.limits import Limiter
from gateway.ingress.operations import OperationsIngress
from gateway.ingress.presented import Presented
from gateway.ingress.tls import ServerTls
from gateway.keys.opening import KeysUnusable, Providers, open_keyring
from gateway.keys.ring import Keyring
from gateway.keys.secret import environment
from gateway.pipeline.bell import Bell
from gateway.pipeline.counting import Counting
from gateway.pipeline.gateway import Gateway
from gateway.pipeline.inbound import Inbound
from gateway.pipeline.inbox import Inboxes
from gateway.pipeline.judge import Bench, Sender
from gateway.pipeline.notices import NOTICE_FORMAT, Notices
from gateway.pipeline.outbound import Dispatcher
from gateway.pipeline.prepare import Preparer
from gateway.pipeline.signing import SigningDesk
from gateway.pipeline.spoken import spoken
from gateway.store.sqlite import JournalMismatch, open_sqlite
from gateway.telemetry import Telemetry, event_log
from gateway.telemetry.expiry import ExpiryWatch
from gateway.telemetry.metrics import Metrics
from translators.translator import FormatId
from trust.identity import PartyId
from trust.keys import Signer
from trust.members import Grant
from trust.party import Registry as Parties
from trust.signatures.jws import sign_detached

NOTICE_GRANT = Grant(formats=(NOTICE_FORMAT,), kinds=(NOTICE_KIND,), countries=("*",))


def utc_now() -> datetime:
    """The clock of a running gateway."""
    return datetime.now(UTC)


class App:
    """One gateway process. ``start`` returns when it serves; ``stop`` drains and closes."""

    def __init__(self, config: Config, *, telemetry: Telemetry) -> None:
        """Reads every file that the configuration names; raises ``ConfigError``."""
        self.config = config
        self.telemetry = telemetry
        self._formats = formats_of(config)
        self._bench = Bench(
            gateway_number=config.gateway.number,
            network=network_of(config, self._formats),
            regimes=regimes_of(config),
            severities=dict(config.severity),
        )
        self._keyring = self._open_keys()
        self._desk = SigningDesk(self._keyring, seconds=config.signing.timeout)
        self._bell = Bell()
        self._counting = Counting(telemetry)
        self._stack = AsyncExitStack()
        self._dispatchers: list[Dispatcher] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.https: HttpIngress | None = None
        self.signed: HttpIngress | None = None
        self.grpc: GrpcIngress | None = None
        self.operations: OperationsIngress | None = None
        self._presented: Presented | None = None
        self._ready = False

    def _open_keys(self) -> Keyring:
        folder = self.config.path("")
        try:
            return open_keyring(
                self.config.signing,
                gateway=self.config.gateway.id,
                folder=folder,
                providers=Providers(folder=folder, environ=environment()),
                clock=utc_now,
            )
        except KeysUnusable as error:
            mistakes = [Mistake(*mistake) for mistake in error.mistakes]
            raise ConfigError(self.config.file, mistakes) from error

    def _mistake(self, path: str, text: str) -> ConfigError:
        return ConfigError(self.config.file, [Mistake(path, text)])

    @contextmanager
    def _said(self, path: str) -> Iterator[None]:
        """What the machine does not give is a mistake at ``path`` of the configuration."""
        try:
            yield
        except OSError as error:
            raise self._mistake(path, error.strerror or str(error)) from error

    async def start(self) -> None:
        """Open the journal and the registry, check everything, then listen and dispatch."""
        data = self.config.path(self.config.gateway.data)
        try:
            with self._said("gateway.data"):
                data.mkdir(mode=0o700, parents=True, exist_ok=True)
            await self._start(data)
        except BaseException:
            await self.stop()
            raise

    async def _start(self, data: Path) -> None:
        try:
            journal = await open_sqlite(
                data / "journal.db", gateway=self.config.gateway.number, clock=utc_now
            )
        except JournalMismatch as error:
            raise self._mistake("gateway.data", str(error)) from error
        except Unavailable as error:
            raise self._mistake("gateway.data", error.reason) from error
        self._stack.push_async_callback(journal.close)
        self._stack.callback(self._desk.close)
        directory = await self._open_directory(journal)
        evidence = await self._open_evidence(directory)
        service = self._service(journal, directory, evidence)
        limiter = Limiter.shared(
            journal,
            parties=lambda: directory.parties,
            settings=self.config.limits.party,
            telemetry=self.telemetry,
            clock=utc_now,
        )
        await self._listen(service, directory, limiter)
        self._spawn(self._watch_work(journal), "work")
        self._spawn(directory.watch(seconds=self.config.registry.poll), "registry")
        self._spawn(evidence.run(), "evidence")
        self._spawn(self._watch_own_files(directory), "files")
        self._spawn(self._watch_backlog(journal), "backlog")
        for dispatcher in self._dispatchers:
            self._spawn(dispatcher.run(), "dispatch")
        self._ready = True
        self.telemetry.log.info(
            "gateway.ready",
            gateway=self.config.gateway.id,
            https=self.https and self.https.port,
            signed=self.signed and self.signed.port,
            grpc=self.grpc and self.grpc.port,
            operations=self.operations and self.operations.port,
            destinations=len(self._dispatchers),
        )

    async def _open_directory(self, journal: Journal) -> Directory:
        section = self.config.registry
        directory = Directory(
            journal=journal,
            file=None if section.file is None else self.config.path(section.file),
            crls=self.config.path(section.crls),
            fetched=self._fetched_lists(),
            judge=lambda parties: check_parties(
                self.config, formats=self._formats, parties=parties
            ),
            changed=self._renew,
            log=self.telemetry.of("registry"),
        )
        await directory.open()
        mistakes = check(self.config, formats=self._formats, parties=directory.parties)
        if mistakes:
            raise ConfigError(self.config.file, mistakes)
        return directory

    def _fetched_lists(self) -> Path:
        return self.config.path(self.config.gateway.data) / "revocation"

    async def _open_evidence(self, directory: Directory) -> Evidence:
        """Lists that are fetched are there before the first message, if they can be had soon."""
        section = self.config.registry
        client = EvidenceClient(
            answer_seconds=section.answer_timeout, list_seconds=section.list_timeout
        )
        self._stack.push_async_callback(client.close)
        evidence = Evidence(
            authenticator=lambda: directory.authenticator,
            install=directory.put_answers,
            client=client,
            folder=self._fetched_lists(),
            refresh=timedelta(seconds=section.refresh),
            clock=utc_now,
            metrics=self.telemetry.metrics,
            log=self.telemetry.of("revocation"),
        )
        await evidence.prime(seconds=section.answer_timeout)
        await directory.read_lists()
        return evidence

    def _service(self, journal: Journal, directory: Directory, evidence: Evidence) -> Gateway:
        def parties() -> Parties:
            return directory.parties

        def bench() -> Bench:
            return self._bench

        inbound = Inbound(
            gateway_id=self.config.gateway.id,
            journal=journal,
            bench=bench,
            parties=parties,
            desk=self._desk,
            limits=self.config.limits,
            bell=self._bell,
            clock=utc_now,
            observe=self._counting.judged,
        )
        notices = Notices(submit=self._own_submit(inbound, directory), clock=utc_now)
        preparer = Preparer(
            gateway_id=self.config.gateway.id,
            journal=journal,
            network=lambda: self._bench.network,
            parties=parties,
        )
        self._make_dispatchers(journal, preparer, notices, directory)
        inboxes = Inboxes(
            journal=journal,
            preparer=preparer,
            endpoints=lambda: self._bench.network.endpoints,
            spoken=lambda party: spoken(parties(), party, formats=self._formats),
            sign=self._sign,
            settings=self.config.dispatch,
            bell=self._bell,
            clock=utc_now,
            buried=notices.buried,
            observe=self._counting.settled,
            failed=self._counting.failed,
        )
        return Gateway(
            gateway_id=self.config.gateway.id,
            authenticator=lambda: directory.authenticator,
            bench=bench,
            journal=journal,
            inbound=inbound,
            inboxes=inboxes,
            signing_keys=self._keyring.published,
            limits=self.config.limits,
            clock=utc_now,
            seek=evidence.seek,
        )

    def _own_submit(
        self, inbound: Inbound, directory: Directory
    ) -> Callable[[Envelope], Awaitable[Stored]]:
        """The gateway as a sender: granted its notices and nothing else."""

        async def submit(envelope: Envelope) -> Stored:
            own = PartyId(self.config.gateway.id)
            party = msgspec.structs.replace(
                directory.parties.party(own), grants=(NOTICE_GRANT,), must_sign=False
            )
            identity = directory.authenticator.configured(own)
            stored = await inbound.accept(Sender(identity, party, own=True), envelope)
            if stored.state is State.REFUSED:  # somebody waits for it who will never hear
                self.telemetry.of("notices").error(
                    "notice.refused", interchange_id=stored.interchange_id, record=stored.record
                )
            return stored

        return submit

    async def _sign(self, content: bytes, jti: str, format_id: FormatId, audience: PartyId) -> str:
        def made(signer: Signer) -> str:
            return sign_detached(
                content,
                signer=signer,
                interchange_id=jti,
                format=format_id,
                audience=audience,
                now=utc_now(),
            )

        return await self._desk.sign(made)

    def _make_dispatchers(
        self, journal: Journal, preparer: Preparer, notices: Notices, directory: Directory
    ) -> None:
        for section, destination in open_destinations(
            self.config,
            formats=self._formats,
            desk=self._desk,
            authenticator=lambda: directory.authenticator,
            own=self._own_pair,
            clock=utc_now,
        ):
            settings = section.dispatch or self.config.dispatch
            self._stack.push_async_callback(destination.close)
            self._dispatchers.append(
                Dispatcher(
                    journal=journal,
                    destination=destination,
                    endpoint=self._bench.network.endpoints.get(section.id),
                    preparer=preparer,
                    settings=settings,
                    bell=self._bell,
                    clock=utc_now,
                    random=random.random,
                    buried=notices.buried,
                    observe=self._counting.settled,
                    failed=self._counting.failed,
                )
            )

    async def _listen(self, service: Gateway, directory: Directory, limiter: Limiter) -> None:
        ingress = self.config.ingress
        if ingress.operations is not None:
            self.operations = OperationsIngress(
                host=ingress.operations.host,
                port=ingress.operations.port,
                metrics=self.telemetry.metrics.registry,
                checks={"gateway": self._is_ready},
            )
            with self._said("ingress.operations.port"):
                await self.operations.start()
            self._stack.push_async_callback(self.operations.stop)
        self._presented = open_presented(self.config, clock=utc_now, telemetry=self.telemetry)
        self._stack.callback(self._presented.close)
        tls = self._server_tls(directory.parties)
        listeners = https_listeners(
            self.config,
            service=service,
            telemetry=self.telemetry,
            clock=utc_now,
            tls=tls,
            limiter=limiter,
        )
        for name, listener in listeners.items():
            with self._said(f"ingress.{name}.port"):
                await listener.start()
            self._stack.push_async_callback(listener.stop)
        self.https, self.signed = listeners.get("https"), listeners.get("signed")
        if ingress.grpc is not None:
            self.grpc = GrpcIngress(
                service=service,
                telemetry=self.telemetry,
                clock=utc_now,
                tls=tls,
                host=ingress.grpc.host,
                port=ingress.grpc.port,
                settings=ingress.grpc.limits,
                limiter=limiter,
            )
            with self._said("ingress.grpc.port"):
                await self.grpc.start()
            self._stack.push_async_callback(self.grpc.stop)
        for index, section in enumerate(ingress.folder):
            folder = FolderIngress(
                service=service,
                telemetry=self.telemetry,
                clock=utc_now,
                party=PartyId(section.party),
                path=self.config.path(section.path),
                format_id=FormatId(section.format),
                poll=section.poll,
                settings=section.limits,
                limiter=limiter,
                on_behalf_of=None
                if section.on_behalf_of is None
                else PartyId(section.on_behalf_of),
            )
            with self._said(f"ingress.folder[{index}].path"):
                await folder.start()
            self._stack.push_async_callback(folder.stop)

    def _own_pair(self) -> OwnPair:
        assert self._presented is not None  # opened before anything is delivered
        held = self._presented
        return OwnPair(certificate=held.certificate, key=held.key, revision=held.pair.fingerprint)

    def _server_tls(self, parties: Parties) -> ServerTls:
        assert self._presented is not None  # listeners exist after it
        authorities = parties.authorities.values()
        return ServerTls(
            certificate=self._presented.certificate,
            key=self._presented.key,
            authorities="\n".join(pem for entry in authorities for pem in entry.certificates),
        )

    def _renew(self, parties: Parties) -> None:
        """New connections are judged by the authorities of the registry that is in force now."""
        tls = self._server_tls(parties)
        for ingress in (self.https, self.signed, self.grpc):
            if ingress is not None:
                ingress.renew(tls)

    def _is_ready(self) -> bool:
        return self._ready and not any(task.done() for task in self._tasks)

    def _spawn(self, work: Awaitable[None], name: str) -> None:
        task = asyncio.ensure_future(work)
        task.set_name(name)
        task.add_done_callback(self._explain)
        self._tasks.append(task)

    def _explain(self, task: asyncio.Task[None]) -> None:
        """A part that died makes the process unready, and says why."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.telemetry.log.error("part.failed", part=task.get_name(), error=error)

    async def _watch_work(self, journal: Journal) -> None:
        """Wake dispatchers for new work, and return expired leases and due retries."""
        while True:
            self._bell.ring(await journal.wake(seconds=self.config.dispatch.tick))
            self._bell.ring(await journal.tick(now=utc_now()))

    async def _watch_own_files(self, directory: Directory) -> None:
        """Present a renewed certificate, and say in time what ends."""
        assert self._presented is not None  # it listens already
        poll = self.config.registry.poll
        expiry = ExpiryWatch(
            find=lambda: expiring_around(self.config, directory.authenticator),
            telemetry=self.telemetry,
            clock=utc_now,
        )
        async with asyncio.TaskGroup() as tasks:
            renew = self._presented.watch(
                seconds=poll, renewed=lambda: self._renew(directory.parties)
            )
            tasks.create_task(renew)
            tasks.create_task(expiry.watch())

    async def _watch_backlog(self, journal: Journal) -> None:
        while True:
            self._counting.backlog(await journal.backlog())
            await asyncio.sleep(self.config.registry.poll)

    async def stop(self) -> None:
        """Take nothing new, finish what is under way, close. May be called twice."""
        self._ready = False
        for dispatcher in self._dispatchers:
            dispatcher.stop()
        working = [task for task in self._tasks if task.get_name() == "dispatch"]
        if working:
            await asyncio.wait(working, timeout=self.config.dispatch.timeout)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._stack.aclose()


def new_telemetry(config: Config, *, stream: TextIO) -> Telemetry:
    """Counters, and a log on ``stream`` as the configuration asks."""
    return Telemetry(
        metrics=Metrics(CollectorRegistry()),
        log=event_log(stream=stream, rendering=config.gateway.log, level=config.gateway.log_level),
    )
