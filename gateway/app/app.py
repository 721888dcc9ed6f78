"""One gateway process, put together."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import msgspec

from gateway.app.clock import utc_now
from gateway.app.dispatching import Dispatching
from gateway.app.listening import Listening
from gateway.app.opening import open_directory, open_evidence, open_journal
from gateway.app.parts import Parts
from gateway.app.setup import Setup
from gateway.config import Config, ConfigError, Mistake
from gateway.config.assemble import NOTICE_KIND
from gateway.config.check import check, check_parties
from gateway.config.directory import Directory
from gateway.config.document import DestinationSection
from gateway.config.evidence import Evidence
from gateway.config.expiry import expiring_around
from gateway.config.targets import open_destinations
from gateway.core.envelope import Envelope
from gateway.core.ports import Destination, Journal
from gateway.core.records import State, Stored
from gateway.ingress.grpc.server import GrpcIngress
from gateway.ingress.http.server import HttpIngress
from gateway.ingress.limits import Limiter
from gateway.ingress.operations import OperationsIngress
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
from gateway.telemetry import Telemetry
from gateway.telemetry.expiry import ExpiryWatch
from translators.translator import FormatId
from trust.identity import PartyId
from trust.keys import Signer
from trust.members import Grant
from trust.party import Registry as Parties
from trust.signatures.jws import sign_detached

NOTICE_GRANT = Grant(formats=(NOTICE_FORMAT,), kinds=(NOTICE_KIND,), countries=("*",))


class App:
    """One gateway process. ``start`` returns when it serves; ``stop`` drains and closes."""

    def __init__(self, config: Config, *, telemetry: Telemetry) -> None:
        """Reads every file that the configuration names; raises ``ConfigError``."""
        self.telemetry = telemetry
        self._setup = Setup.of(config)
        self._keyring = self._open_keys()
        self._desk = SigningDesk(self._keyring, seconds=config.signing.timeout)
        self._bell = Bell()
        self._counting = Counting(telemetry)
        self._stack = AsyncExitStack()
        self._parts = Parts(telemetry)
        self._dispatching = Dispatching(self._parts)
        self._listening: Listening | None = None
        self._ready = False

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._setup.config

    @property
    def https(self) -> HttpIngress | None:
        """The listener for client certificates, once it listens."""
        return None if self._listening is None else self._listening.https

    @property
    def signed(self) -> HttpIngress | None:
        """The listener for signed requests, once it listens."""
        return None if self._listening is None else self._listening.signed

    @property
    def grpc(self) -> GrpcIngress | None:
        """The gRPC listener, once it listens."""
        return None if self._listening is None else self._listening.grpc

    @property
    def operations(self) -> OperationsIngress | None:
        """Health and metrics, once they are told."""
        return None if self._listening is None else self._listening.operations

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

    async def start(self) -> None:
        """Open the journal and the registry, check everything, then listen and dispatch."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        journal = await open_journal(self.config)
        self._stack.push_async_callback(journal.close)
        self._stack.callback(self._desk.close)
        directory = await open_directory(
            self.config,
            journal,
            judge=self._judge_parties,
            changed=self._renew,
            telemetry=self.telemetry,
        )
        mistakes = check(self.config, formats=self._setup.formats, parties=directory.parties)
        if mistakes:
            raise ConfigError(self.config.file, mistakes)
        evidence = await open_evidence(
            self.config, directory, stack=self._stack, telemetry=self.telemetry
        )
        listening = self._listening = Listening(self.config, telemetry=self.telemetry)
        self._stack.push_async_callback(listening.stop)
        inbound = self._inbound(journal, directory)
        notices = Notices(submit=self._own_submit(inbound, directory), clock=utc_now)
        preparer = self._preparer(journal, directory)
        limiter = Limiter.shared(
            journal,
            parties=lambda: directory.parties,
            settings=lambda: self.config.limits.party,
            telemetry=self.telemetry,
            clock=utc_now,
        )
        await listening.start(
            self._service(journal, directory, evidence, inbound, preparer, notices),
            parties=directory.parties,
            limiter=limiter,
            is_ready=self._is_ready,
            controls=(),
        )
        self._parts.start(self._watch_work(journal), "work")
        self._parts.start(directory.watch(seconds=self.config.registry.poll), "registry")
        self._parts.start(evidence.run(), "evidence")
        self._parts.start(self._watch_own_files(directory, listening), "files")
        self._parts.start(self._watch_backlog(journal), "backlog")
        self._dispatch(journal, directory, preparer, notices)
        self._ready = True
        self.telemetry.log.info(
            "gateway.ready",
            gateway=self.config.gateway.id,
            https=self.https and self.https.port,
            signed=self.signed and self.signed.port,
            grpc=self.grpc and self.grpc.port,
            operations=self.operations and self.operations.port,
            destinations=len(self._dispatching),
        )

    def _judge_parties(self, parties: Parties) -> tuple[Mistake, ...]:
        return check_parties(self.config, formats=self._setup.formats, parties=parties)

    def _renew(self, parties: Parties) -> None:
        if self._listening is not None:
            self._listening.renew(parties)

    def _bench(self) -> Bench:
        return self._setup.bench

    def _inbound(self, journal: Journal, directory: Directory) -> Inbound:
        return Inbound(
            gateway_id=self.config.gateway.id,
            journal=journal,
            bench=self._bench,
            parties=lambda: directory.parties,
            desk=self._desk,
            limits=lambda: self.config.limits,
            bell=self._bell,
            clock=utc_now,
            observe=self._counting.judged,
        )

    def _preparer(self, journal: Journal, directory: Directory) -> Preparer:
        return Preparer(
            gateway_id=self.config.gateway.id,
            journal=journal,
            network=lambda: self._setup.bench.network,
            parties=lambda: directory.parties,
        )

    def _service(
        self,
        journal: Journal,
        directory: Directory,
        evidence: Evidence,
        inbound: Inbound,
        preparer: Preparer,
        notices: Notices,
    ) -> Gateway:
        inboxes = Inboxes(
            journal=journal,
            preparer=preparer,
            endpoints=lambda: self._setup.bench.network.endpoints,
            spoken=lambda party: spoken(directory.parties, party, formats=self._setup.formats),
            sign=self._sign,
            settings=lambda: self.config.dispatch,
            bell=self._bell,
            clock=utc_now,
            buried=notices.buried,
            observe=self._counting.settled,
            failed=self._counting.failed,
        )
        return Gateway(
            gateway_id=self.config.gateway.id,
            authenticator=lambda: directory.authenticator,
            bench=self._bench,
            journal=journal,
            inbound=inbound,
            inboxes=inboxes,
            signing_keys=self._keyring.published,
            limits=lambda: self.config.limits,
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

    def _dispatch(
        self, journal: Journal, directory: Directory, preparer: Preparer, notices: Notices
    ) -> None:
        assert self._listening is not None  # it holds our certificate
        for section, destination in open_destinations(
            self.config,
            formats=self._setup.formats,
            desk=self._desk,
            authenticator=lambda: directory.authenticator,
            own=self._listening.own_pair,
            clock=utc_now,
        ):

            def make(destination: Destination, section: DestinationSection = section) -> Dispatcher:
                return Dispatcher(
                    journal=journal,
                    destination=destination,
                    endpoint=self._setup.bench.network.endpoints.get(section.id),
                    preparer=preparer,
                    settings=section.dispatch or self.config.dispatch,
                    bell=self._bell,
                    clock=utc_now,
                    random=random.random,
                    buried=notices.buried,
                    observe=self._counting.settled,
                    failed=self._counting.failed,
                )

            self._dispatching.start(destination, make)

    def _is_ready(self) -> bool:
        return self._ready and self._parts.sound

    async def _watch_work(self, journal: Journal) -> None:
        """Wake dispatchers for new work, and return expired leases and due retries."""
        while True:
            self._bell.ring(await journal.wake(seconds=self.config.dispatch.tick))
            self._bell.ring(await journal.tick(now=utc_now()))

    async def _watch_own_files(self, directory: Directory, listening: Listening) -> None:
        """Present a renewed certificate, and say in time what ends."""
        expiry = ExpiryWatch(
            find=lambda: expiring_around(self.config, directory.authenticator),
            telemetry=self.telemetry,
            clock=utc_now,
        )
        async with asyncio.TaskGroup() as tasks:
            renew = listening.presented.watch(
                seconds=self.config.registry.poll, renewed=lambda: self._renew(directory.parties)
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
        await self._dispatching.stop(seconds=self.config.dispatch.timeout)
        await self._parts.stop()
        await self._stack.aclose()
