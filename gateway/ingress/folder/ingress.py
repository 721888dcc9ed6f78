"""A watched folder: files in, receipts beside them out.

``in/`` is where a party drops files, best by a rename. Each file is one interchange whose id is
the file's name without its ending. A judged file moves to ``done/`` or ``refused/`` together with
``<file name>.receipt.json``: the answer that HTTPS would give, or the problem document.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from gateway.core.envelope import Transport
from gateway.core.errors import Refused, Unavailable
from gateway.core.ports import Clock
from gateway.core.records import State
from gateway.ingress.answers import answer_of
from gateway.ingress.folder.scan import Look, look
from gateway.ingress.folder.settings import DEFAULTS, FolderSettings
from gateway.ingress.folder.settle import settle, too_long
from gateway.ingress.folder.taking import ChangedError, read_file, read_signature
from gateway.ingress.limits import Limiter
from gateway.ingress.problems import Problems
from gateway.ingress.reception import Claim, Reception, printable
from gateway.ingress.spool import Intake
from gateway.pipeline.backoff import pause
from gateway.pipeline.service import Service
from gateway.telemetry import Telemetry
from translators.translator import FormatId
from trust.identity import Identity, PartyId

_LOCK = ".luxor.lock"
_ALL_OUTCOMES = 1_000_000


class FolderIngress:
    """One folder of one party."""

    def __init__(
        self,
        *,
        service: Service,
        telemetry: Telemetry,
        clock: Clock,
        party: PartyId,
        path: Path,
        format_id: FormatId,
        poll: float,
        settings: FolderSettings = DEFAULTS,
        on_behalf_of: PartyId | None = None,
        limiter: Limiter | None = None,
    ) -> None:
        """``path`` gets the folders ``in``, ``done`` and ``refused``; ``poll`` is in seconds."""
        self._service = service
        self._limiter = limiter or Limiter.alone(telemetry=telemetry, clock=clock)
        self._party = party
        self._format_id = format_id
        self._poll = poll
        self._on_behalf_of = on_behalf_of
        self._settings = settings
        self._in, self._done, self._refused = (path / n for n in ("in", "done", "refused"))
        self._lock_file = path / _LOCK
        self._lock: int | None = None
        self._reception = Reception(
            service=service, telemetry=telemetry, clock=clock, transport=Transport.FOLDER
        )
        self._problems = Problems(transport=Transport.FOLDER, telemetry=telemetry)
        self._log = telemetry.of("ingress.folder").bind(party=party)
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._pauses: dict[str, float] = {}
        self._failures: dict[str, int] = {}

    async def start(self) -> None:
        """Make the folders and begin to watch. Raises ``OSError`` when they cannot be made."""
        self.prepare()
        self._task = asyncio.create_task(self._watch(), name=f"folder.{self._party}")

    def prepare(self) -> None:
        """Make the folders, and no more. Raises ``OSError`` when they cannot be made."""
        for folder in (self._in, self._done, self._refused):
            folder.mkdir(parents=True, exist_ok=True)

    async def stop(self) -> None:
        """Finish the files that are being judged, then stop. May be called twice."""
        self._stopping.set()
        task, self._task = self._task, None
        if task is not None:
            _, late = await asyncio.wait({task}, timeout=self._settings.drain)
            for one in late:
                one.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def _watch(self) -> None:
        looks: Mapping[str, Look] = {}
        complaint = ""
        settings = self._settings
        while not self._stopping.is_set():
            try:
                if self._is_ours():
                    await asyncio.to_thread(self.prepare)
                    found = await asyncio.to_thread(
                        look, self._in, looks, listing=settings.listing, batch=settings.batch
                    )
                    looks = found.looks
                    await self._take_all({name: looks[name] for name in found.still})
                complaint = ""
            except OSError as error:
                if (reason := os.strerror(error.errno or 0)) != complaint:  # once, not each round
                    self._log.error("folder.unusable", reason=reason)
                complaint = reason
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll):
                    await self._stopping.wait()

    def _is_ours(self) -> bool:
        """One process watches a folder; the others wait for it to go away."""
        if self._lock is None:
            descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return False
            self._lock = descriptor
        return True

    async def _take_all(self, files: Mapping[str, Look]) -> None:
        loop = asyncio.get_running_loop()
        places = asyncio.Semaphore(self._settings.parallel)
        self._pauses = {name: until for name, until in self._pauses.items() if name in files}
        self._failures = {name: n for name, n in self._failures.items() if name in files}

        async def one(name: str, seen: Look) -> None:
            async with places:
                if not self._stopping.is_set():
                    await self._take(name, seen)

        async with asyncio.TaskGroup() as group:
            for name, seen in files.items():
                if self._pauses.get(name, 0.0) <= loop.time():
                    group.create_task(one(name, seen))

    async def _take(self, name: str, seen: Look) -> None:
        """Judge one file and put it away; what cannot be judged now stays where it is."""
        path = self._in / name
        claim = Claim(
            interchange_id=path.stem, format_id=self._format_id, on_behalf_of=self._on_behalf_of
        )
        intake = Intake(self._settings.spool)
        try:
            target, report = await self._judge(path, seen, claim, intake)
            await asyncio.to_thread(settle, source=path, target=target, report=report)
        except (ChangedError, FileNotFoundError):
            return  # its owner still works on it, or took it back
        except Unavailable as error:
            self._problems.tell(error, party=self._party, interchange_id=claim.interchange_id)
            self._postpone(name, error.retry_after)
        except OSError as error:
            reason, known = os.strerror(error.errno or 0), printable(claim.interchange_id)
            self._log.error("file.not-settled", interchange_id=known, reason=reason)
            self._postpone(name, None)
        except Exception as error:  # a mistake of ours with one file must not end the watching
            self._log.error(
                "file.failed", interchange_id=printable(claim.interchange_id), error=error
            )
            self._postpone(name, self._settings.longest_pause)
        finally:
            intake.close()

    async def _judge(
        self, path: Path, seen: Look, claim: Claim, intake: Intake
    ) -> tuple[Path, bytes]:
        """Where the file goes, and what is written beside it."""
        try:
            identity = self._service.folder_identity(self._party)
            await self._limiter.turn(identity.party)
            stored = await self._submit(identity, path, seen, claim, intake)
        except (ChangedError, OSError, Unavailable):
            raise
        except Exception as error:
            told = self._problems.tell(
                error, party=self._party, interchange_id=printable(claim.interchange_id)
            )
            return self._refused, _pretty(told.problem)
        target = self._done if stored[0] is State.ACCEPTED else self._refused
        return target, stored[1]

    async def _submit(
        self, identity: Identity, path: Path, seen: Look, claim: Claim, intake: Intake
    ) -> tuple[State, bytes]:
        try:
            if too_long(path.name):
                raise Refused("interchange.id-invalid", "the file name is too long")
            self._reception.permit(identity, claim)
            signature = await asyncio.to_thread(
                read_signature, path, limit=self._settings.signature_bytes
            )
            content = await read_file(path, seen, intake)
            stored = await self._reception.accept(
                identity, msgspec.structs.replace(claim, signature=signature), content
            )
        except Refused as refused:
            noted = msgspec.structs.replace(claim, interchange_id=printable(claim.interchange_id))
            await self._reception.note(identity, noted, refused)
            raise
        return stored.state, _pretty(answer_of(stored, limit=_ALL_OUTCOMES))

    def _postpone(self, name: str, retry_after: float | None) -> None:
        """Leave a file alone for longer and longer: each try of a refused one is journaled."""
        longest, failures = self._settings.longest_pause, self._failures.get(name, 0)
        self._failures[name] = failures + 1
        doubling = pause(failures + 1, first=self._poll, longest=longest, spread=1.0)
        wait = doubling if retry_after is None else min(retry_after, longest)
        self._pauses[name] = asyncio.get_running_loop().time() + wait


def _pretty(value: msgspec.Struct) -> bytes:
    """JSON that a person may read too, ended by a newline."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
