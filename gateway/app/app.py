"""One gateway process, put together."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import msgspec

from gateway.app.clock import utc_now
from gateway.app.dispatching import Changes, Dispatching, Wanted
from gateway.app.forgetting import Forgetting
from gateway.app.listening import Listening
from gateway.app.opening import open_directory, open_evidence, open_journal
from gateway.app.overseeing import Overseeing
from gateway.app.parts import Parts
from gateway.app.place import ALONE, Place
from gateway.app.reload_controls import reload_controls
from gateway.app.reloading import Reloading
from gateway.app.saturation import Saturation
from gateway.app.setup import Pinned, Setup
from gateway.app.usable import Usable, count_backlog
from gateway.app.waking import Waking
from gateway.config import Config, ConfigError, Mistake, load
from gateway.config.assemble import NOTICE_KIND
from gateway.config.check import check, check_parties
from gateway.config.directory import Directory
from gateway.config.evidence import Evidence
from gateway.config.expiry import expiring_around
from gateway.config.journal import journal_of
from gateway.config.targets import target_of
from gateway.core.envelope import Envelope
from gateway.core.ports import Destination, Journal
from gateway.core.records import State, Stored
from gateway.egress.registry import Surroundings, open_destination
from gateway.ingress.admission import Admission
from gateway.ingress.delivery_controls import delivery_controls
from gateway.ingress.destination_controls import destination_controls
from gateway.ingress.grpc.server import GrpcIngress
from gateway.ingress.http.server import HttpIngress
from gateway.ingress.limits import Limiter
from gateway.ingress.operations import OperationsIngress
from gateway.keys.opening import KeysUnusable, Providers, open_keyring
from gateway.keys.ring import Keyring
from gateway.keys.secret import environment
from gateway.pipeline.announcing import Announcing
from gateway.pipeline.bell import Bell
from gateway.pipeline.counting import Counting
from gateway.pipeline.gateway import Gateway
from gateway.pipeline.inbound import Inbound
from gateway.pipeline.inbox import Inboxes
from gateway.pipeline.judge import Bench, Sender
from gateway.pipeline.notices import NOTICE_FORMAT, Notices
from gateway.pipeline.outbound import Dispatcher
from gateway.pipeline.overdue import Overdue
from gateway.pipeline.ping import Pinging
from gateway.pipeline.prepare import Preparer
from gateway.pipeline.signing import SigningDesk
from gateway.pipeline.spoken import spoken
from gateway.pipeline.strain import Strain
from gateway.pipeline.switchboard import Switchboard
from gateway.telemetry import Telemetry
from gateway.telemetry.expiry import ExpiryWatch
from translators.translator import FormatId
from trust.identity import PartyId
from trust.keys import PublicKey, Signer
from trust.members import Grant
from trust.party import Registry as Parties
from trust.signatures.jws import sign_detached

NOTICE_GRANT = Grant(formats=(NOTICE_FORMAT,), kinds=(NOTICE_KIND,), countries=("*",))


class App:
    """One gateway process. ``start`` returns when it serves; ``stop`` drains and closes."""

    def __init__(
        self,
        config: Config,
        *,
        telemetry: Telemetry,
        reread: Callable[[], Config] | None = None,
        place: Place = ALONE,
    ) -> None:
        """Reads every file that the configuration names; raises ``ConfigError``.

        ``reread`` gives the configuration as it is when it is loaded again, with what the command
        line changes of it; by default it is the file alone. ``place`` is that of a worker.
        """
        self._place = place
        self.telemetry = telemetry
        self._setup = Setup.of(config)
        self._reread = reread or partial(load, Path(config.file))
        self._reloads: Reloading | None = None
        self._keyring = self._open_keys()
        self._desk = SigningDesk(self._keyring, seconds=config.signing.timeout)
        self._bell = Bell()
        self._counting = Counting(telemetry)
        self._usable = Usable(telemetry)
        self._strain = Strain(time.monotonic)
        self._announcing = Announcing(telemetry)
        self._board: Switchboard | None = None
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
        board = self._board = Switchboard(
            journal.destinations, node=uuid4().hex, told=self._announcing.changed
        )
        await board.refresh()
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
        listening = self._listening = Listening(
            self.config, telemetry=self.telemetry, place=self._place
        )
        self._stack.push_async_callback(listening.stop)
        forgetting = self._forgetting(journal)
        inbound = self._inbound(journal, directory, forgetting)
        notices = Notices(submit=self._own_submit(inbound, directory), clock=utc_now)
        preparer = self._preparer(journal, directory)
        reloading = self._reloads = self._reloading(journal, directory, preparer, notices)
        limiter = Limiter.shared(
            journal,
            parties=lambda: directory.parties,
            settings=lambda: self.config.limits.party,
            telemetry=self.telemetry,
            clock=utc_now,
        )
        admission = Admission(
            strain=self._strain,
            settings=lambda: self.config.limits,
            telemetry=self.telemetry,
        )
        await listening.start(
            self._service(journal, directory, evidence, inbound, preparer, notices),
            parties=directory.parties,
            limiter=limiter,
            admission=admission,
            is_ready=self._is_ready,
            controls=(
                *reload_controls(lambda: reloading),
                *delivery_controls(journal, utc_now),
                *destination_controls(
                    journal, lambda: {d.id for d in self.config.destination}, utc_now
                ),
            ),
        )
        waking = Waking(
            journal=journal,
            board=board,
            bell=self._bell,
            seconds=lambda: self.config.dispatch.tick,
            clock=utc_now,
            told=self._usable.told,
        )
        self._parts.keep(waking.run, "work")
        poll = self.config.registry.poll
        self._parts.keep(lambda: directory.watch(seconds=poll), "registry")
        self._parts.keep(evidence.run, "evidence")
        saturation = Saturation(
            admission, strain=self._strain, journal=journal, telemetry=self.telemetry, clock=utc_now
        )
        self._parts.keep(saturation.watch, "saturation")
        self._parts.keep(lambda: self._watch_own_files(directory, listening), "files")
        self._parts.keep(
            lambda: count_backlog(journal, self._counting.backlog, seconds=poll), "backlog"
        )
        overseeing = Overseeing(journal_of(self.config).look, telemetry=self.telemetry)
        self._parts.keep(overseeing.watch, "store")
        self._parts.keep(forgetting.watch, "retention")
        overdue = Overdue(
            journal=journal,
            notices=notices,
            settings=lambda: self.config.answers,
            telemetry=self.telemetry,
            clock=utc_now,
        )
        self._parts.keep(overdue.watch, "answers")
        await self._dispatch(self._setup, journal, directory, preparer, notices)
        self._ready = True
        self.telemetry.log.info(
            "gateway.ready",
            gateway=self.config.gateway.id,
            https=self.https and self.https.port,
            signed=self.signed and self.signed.port,
            grpc=self.grpc and self.grpc.port,
            operations=self.operations and self.operations.port,
            destinations=len(self._dispatching),
            configuration=self._setup.digest,
        )

    def _judge_parties(self, parties: Parties) -> tuple[Mistake, ...]:
        return check_parties(self.config, formats=self._setup.formats, parties=parties)

    def _renew(self, parties: Parties) -> None:
        if self._listening is not None:
            self._listening.renew(parties)

    def _bench(self) -> Bench:
        return self._setup.bench

    def _forgetting(self, journal: Journal) -> Forgetting:
        return Forgetting(
            journal=journal,
            settings=lambda: self.config.retention,
            telemetry=self.telemetry,
            clock=utc_now,
        )

    def _inbound(self, journal: Journal, directory: Directory, forgetting: Forgetting) -> Inbound:
        return Inbound(
            gateway_id=self.config.gateway.id,
            journal=journal,
            bench=self._bench,
            parties=lambda: directory.parties,
            desk=self._desk,
            limits=lambda: self.config.limits,
            bell=self._bell,
            clock=utc_now,
            strain=self._strain,
            observe=self._counting.judged,
            forgotten=forgetting.forgotten,
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
            pinging=Pinging(
                gateway_id=self.config.gateway.id,
                authenticator=lambda: directory.authenticator,
                sign=self._sign,
                clock=utc_now,
                max_age=lambda: timedelta(seconds=self.config.limits.signature_age),
            ),
            limits=lambda: self.config.limits,
            clock=utc_now,
            seek=evidence.seek,
            clearance=lambda: self.config.clearance,
            cleared=self._counting.cleared,
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

    def _reloading(
        self, journal: Journal, directory: Directory, preparer: Preparer, notices: Notices
    ) -> Reloading:
        async def deliver(setup: Setup) -> Changes:
            return await self._dispatch(setup, journal, directory, preparer, notices)

        return Reloading(
            read=self._reread,
            current=lambda: self._setup,
            install=self._install,
            deliver=deliver,
            folders=lambda: None if self._listening is None else self._listening.folders,
            directory=directory,
            journal=journal,
            telemetry=self.telemetry,
            clock=utc_now,
        )

    def _install(self, setup: Setup) -> None:
        self._setup = setup

    async def _dispatch(
        self,
        setup: Setup,
        journal: Journal,
        directory: Directory,
        preparer: Preparer,
        notices: Notices,
    ) -> Changes:
        """Deliver to the destinations of this setup, and to no others."""
        assert self._listening is not None  # it holds our certificate
        assert self._board is not None
        board = self._board

        def keys(party: PartyId) -> Mapping[str, PublicKey]:
            return directory.authenticator.keys(party)

        surroundings = Surroundings(
            sender=PartyId(setup.config.gateway.id),
            desk=self._desk,
            own=self._listening.own_pair,
            keys=keys,
            media_types=lambda format_id: self._setup.formats.get(format_id).media_types,
            clock=utc_now,
        )

        def wanted(pinned: Pinned) -> Wanted:
            section, settings = pinned.section, pinned.dispatch
            self._announcing.show(board.of(section.id))

            def make(destination: Destination) -> Dispatcher:
                return Dispatcher(
                    journal=journal,
                    destination=destination,
                    endpoint=setup.bench.network.endpoints.get(section.id),
                    preparer=preparer,
                    settings=settings,
                    board=board,
                    bell=self._bell,
                    clock=utc_now,
                    random=random.random,
                    buried=notices.buried,
                    observe=self._counting.settled,
                    failed=self._counting.failed,
                )

            return Wanted(
                like=pinned,
                drain=settings.timeout,
                open=lambda: open_destination(target_of(setup.config, section), surroundings),
                make=make,
            )

        return await self._dispatching.change(
            {name: wanted(pinned) for name, pinned in setup.destinations.items()}
        )

    def _is_ready(self) -> bool:
        return self._ready and self._parts.sound and self._usable() and self._strain.trouble is None

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
            if self._place.first:
                tasks.create_task(expiry.watch())

    def hang_up(self) -> None:
        """Load the configuration again, as ``SIGHUP`` asks; events tell what became of it."""
        if self._reloads is not None:
            self._parts.start(self._reloads.hang_up(), "reload")

    async def stop(self) -> None:
        """Take nothing new, finish what is under way, close. May be called twice."""
        try:
            await self._drain()
        finally:
            await self._parts.stop()
            await self._stack.aclose()

    async def _drain(self) -> None:
        """Cancelled, it hurries: what is under way is left, and nothing that is durable is lost."""
        serving, self._ready = self._ready, False
        listening = self._listening
        if listening is not None and serving:
            listening.announce()
            await asyncio.sleep(self.config.gateway.drain_delay)
        drained = () if listening is None else (listening.drain(),)
        await asyncio.gather(self._dispatching.stop(), *drained)
