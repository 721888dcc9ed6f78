"""One gateway process, put together."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

from gateway.app.behind import Behind
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
from gateway.app.speaking import signs_with, submits_as
from gateway.app.usable import Usable, count_backlog
from gateway.app.waking import Waking
from gateway.config import Config, ConfigError, Mistake, load
from gateway.config.check import check, check_parties
from gateway.config.directory import Directory
from gateway.config.expiry import expiring_around
from gateway.config.journal import journal_of
from gateway.config.targets import target_of
from gateway.core.ports import Destination, Journal
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
from gateway.pipeline.judge import Bench
from gateway.pipeline.notices import Notices
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
from gateway.telemetry.groups import Groups
from trust.identity import PartyId
from trust.keys import PublicKey
from trust.party import Registry as Parties


class App:
    """One gateway process. ``start`` returns when it serves; ``stop`` drains and closes."""

    def __init__(
        self,
        config: Config,
        *,
        telemetry: Telemetry,
        reread: Callable[[], Config] | None = None,
        place: Place = ALONE,
        settled: Callable[[], None] = lambda: None,
    ) -> None:
        """Reads every file that the configuration names; raises ``ConfigError``.

        ``reread`` gives the configuration as it is when it is loaded again, with what the command
        line changes of it; by default it is the file alone. ``place`` is that of a worker.
        ``settled`` is called when what stands for long does so: at the end of a start or reload.
        """
        self._place = place
        self._settled = settled
        self.telemetry = telemetry
        self._setup = Setup.of(config)
        self._reread = reread or partial(load, Path(config.file))
        self._reloads: Reloading | None = None
        self._keyring = self._open_keys()
        self._desk = SigningDesk(self._keyring, seconds=config.signing.timeout)
        self._sign = signs_with(self._desk)
        self._bell = Bell()
        self._counting = Counting(telemetry)
        self._usable = Usable(telemetry)
        self._strain = Strain(time.monotonic)
        self._announcing = Announcing(telemetry)
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
        behind = await self._open()
        listening = self._listening = Listening(
            self.config, telemetry=self.telemetry, place=self._place
        )
        self._stack.push_async_callback(listening.stop)
        admission = Admission(
            strain=self._strain,
            settings=lambda: self.config.limits,
            telemetry=self.telemetry,
        )
        await self._listen(behind, listening, admission)
        self._work(behind, listening, admission)
        await self._dispatch(self._setup, behind)
        self._settled()
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

    async def _open(self) -> Behind:
        """Everything that a listener may ask for; raises ``ConfigError``."""
        journal = await open_journal(self.config)
        self._stack.push_async_callback(journal.close)
        Groups(self.telemetry.metrics.registry, lambda: journal.groups)
        self.telemetry.metrics.stages.include(lambda: journal.seconds)
        self._stack.callback(self._desk.close)
        board = Switchboard(journal.destinations, node=uuid4().hex, told=self._announcing.changed)
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
        forgetting = Forgetting(
            journal=journal,
            settings=lambda: self.config.retention,
            telemetry=self.telemetry,
            clock=utc_now,
        )
        inbound = self._inbound(journal, directory, forgetting)
        own = PartyId(self.config.gateway.id)
        submit = submits_as(own, inbound, directory, telemetry=self.telemetry)
        return Behind(
            journal=journal,
            board=board,
            directory=directory,
            evidence=evidence,
            forgetting=forgetting,
            inbound=inbound,
            notices=Notices(submit=submit, clock=utc_now),
            preparer=Preparer(
                gateway_id=self.config.gateway.id,
                journal=journal,
                network=lambda: self._setup.bench.network,
                parties=lambda: directory.parties,
            ),
        )

    async def _listen(self, behind: Behind, listening: Listening, admission: Admission) -> None:
        reloading = self._reloads = self._reloading(behind)
        limiter = Limiter.shared(
            behind.journal,
            parties=lambda: behind.directory.parties,
            settings=lambda: self.config.limits.party,
            telemetry=self.telemetry,
            clock=utc_now,
        )
        await listening.start(
            self._service(behind),
            parties=behind.directory.parties,
            limiter=limiter,
            admission=admission,
            is_ready=self._is_ready,
            controls=(
                *reload_controls(lambda: reloading),
                *delivery_controls(behind.journal, utc_now),
                *destination_controls(
                    behind.journal, lambda: {d.id for d in self.config.destination}, utc_now
                ),
            ),
        )

    def _work(self, behind: Behind, listening: Listening, admission: Admission) -> None:
        """Begin what goes on in the background as long as the process lives."""
        journal, poll = behind.journal, self.config.registry.poll
        waking = Waking(
            journal=journal,
            board=behind.board,
            bell=self._bell,
            seconds=lambda: self.config.dispatch.tick,
            clock=utc_now,
            told=self._usable.told,
        )
        saturation = Saturation(
            admission, strain=self._strain, journal=journal, telemetry=self.telemetry, clock=utc_now
        )
        overseeing = Overseeing(journal_of(self.config).look, telemetry=self.telemetry)
        overdue = Overdue(
            journal=journal,
            notices=behind.notices,
            settings=lambda: self.config.answers,
            telemetry=self.telemetry,
            clock=utc_now,
        )
        counted = self._counting.backlog
        for name, work in {
            "work": waking.run,
            "registry": lambda: behind.directory.watch(seconds=poll),
            "evidence": behind.evidence.run,
            "saturation": saturation.watch,
            "files": lambda: self._watch_own_files(behind.directory, listening),
            "backlog": lambda: count_backlog(journal, counted, seconds=poll),
            "store": overseeing.watch,
            "retention": behind.forgetting.watch,
            "answers": overdue.watch,
        }.items():
            self._parts.keep(work, name)

    def _judge_parties(self, parties: Parties) -> tuple[Mistake, ...]:
        return check_parties(self.config, formats=self._setup.formats, parties=parties)

    def _renew(self, parties: Parties) -> None:
        if self._listening is not None:
            self._listening.renew(parties)

    def _bench(self) -> Bench:
        return self._setup.bench

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
            stages=self.telemetry.metrics.stages,
            observe=self._counting.judged,
            forgotten=forgetting.forgotten,
        )

    def _service(self, behind: Behind) -> Gateway:
        journal, directory = behind.journal, behind.directory
        inboxes = Inboxes(
            journal=journal,
            preparer=behind.preparer,
            endpoints=lambda: self._setup.bench.network.endpoints,
            spoken=lambda party: spoken(directory.parties, party, formats=self._setup.formats),
            sign=self._sign,
            settings=lambda: self.config.dispatch,
            bell=self._bell,
            clock=utc_now,
            buried=behind.notices.buried,
            observe=self._counting.settled,
            failed=self._counting.failed,
        )
        return Gateway(
            gateway_id=self.config.gateway.id,
            authenticator=lambda: directory.authenticator,
            bench=self._bench,
            journal=journal,
            inbound=behind.inbound,
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
            seek=behind.evidence.seek,
            clearance=lambda: self.config.clearance,
            cleared=self._counting.cleared,
        )

    def _reloading(self, behind: Behind) -> Reloading:
        async def deliver(setup: Setup) -> Changes:
            changes = await self._dispatch(setup, behind)
            self._settled()
            return changes

        return Reloading(
            read=self._reread,
            current=lambda: self._setup,
            install=self._install,
            deliver=deliver,
            folders=lambda: None if self._listening is None else self._listening.folders,
            directory=behind.directory,
            journal=behind.journal,
            telemetry=self.telemetry,
            clock=utc_now,
        )

    def _install(self, setup: Setup) -> None:
        self._setup = setup

    async def _dispatch(self, setup: Setup, behind: Behind) -> Changes:
        """Deliver to the destinations of this setup, and to no others."""
        assert self._listening is not None  # it holds our certificate

        def keys(party: PartyId) -> Mapping[str, PublicKey]:
            return behind.directory.authenticator.keys(party)

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
            self._announcing.show(behind.board.of(section.id))

            def make(destination: Destination) -> Dispatcher:
                return Dispatcher(
                    journal=behind.journal,
                    destination=destination,
                    endpoint=setup.bench.network.endpoints.get(section.id),
                    preparer=behind.preparer,
                    settings=settings,
                    board=behind.board,
                    bell=self._bell,
                    clock=utc_now,
                    random=random.random,
                    buried=behind.notices.buried,
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
