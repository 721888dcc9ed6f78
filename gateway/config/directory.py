"""The registry of parties in force: kept in the journal's store, taken over from a file, watched.

All workers of a gateway look at the same store, so a change reaches each of them within one poll.
A registry or revocation list with a mistake never replaces a good one.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from gateway.config.evidence import fetched_names
from gateway.config.mistakes import ConfigError, Mistake
from gateway.core.errors import Unavailable
from gateway.core.ports import Journal
from gateway.telemetry import EventLog
from trust.authenticator import Authenticator
from trust.chain import Link
from trust.mistakes import RegistryError
from trust.ocsp import Answer
from trust.party import Registry
from trust.revocation import Revocations

Judge = Callable[[Registry], tuple[Mistake, ...]]
"""What a registry breaks in the rest of the configuration."""


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    """What the store holds: the registry and the digest of the file it was taken over from."""

    source: str
    registry: msgspec.Raw


class _State(msgspec.Struct, frozen=True):
    """What a file system tells of a file that changes with its content; nought without a file."""

    changed_ns: int = 0
    written_ns: int = 0
    inode: int = 0
    size: int = 0


_States = dict[str, _State]
_SETTLED_NS = 2_000_000_000
"""A file that was touched within this time before it was read is read again: its times have steps
(up to two seconds on FAT), in which it may change twice."""


class _Read(msgspec.Struct, frozen=True, kw_only=True):
    """A registry file as it was read. ``source`` is a digest over it and the files that it names.

    ``states`` are theirs; ``None`` when one had changed so shortly before that its next change
    might show the same state.
    """

    registry: Registry
    source: str
    files: Mapping[str, Path]
    states: _States | None


class Directory:
    """Gives the authenticator in force, and keeps it so."""

    def __init__(
        self,
        *,
        journal: Journal,
        file: Path | None,
        crls: Path,
        fetched: Path,
        judge: Judge,
        changed: Callable[[Registry], None],
        log: EventLog,
    ) -> None:
        """``crls`` is the folder of the lists that the registry names, ``fetched`` of those that
        came from elsewhere; ``changed`` is told of each registry in force after the first."""
        self._journal = journal
        self._file = file
        self._crls = crls
        self._fetched = fetched
        self._judge = judge
        self._changed = changed
        self._log = log
        self._version = 0
        self._source = ""
        self._rejected = ""
        self._read: _Read | None = None
        self._lists: _States | None = None
        self._authenticator: Authenticator | None = None

    @property
    def authenticator(self) -> Authenticator:
        """The one in force; only after :meth:`open`."""
        if self._authenticator is None:
            raise RuntimeError("the directory was not opened")
        return self._authenticator

    @property
    def parties(self) -> Registry:
        """The registry in force; only after :meth:`open`."""
        return self.authenticator.registry

    async def open(self) -> None:
        """Load what is stored and take over the file; raises ``ConfigError``."""
        await self._load()
        await self._take_over()
        if self._authenticator is None:
            raise ConfigError("registry", [Mistake("registry.file", "no registry was ever loaded")])
        await self.read_lists()

    async def foresee(self) -> tuple[Registry, str]:
        """The registry as its file has it now, or that in force without one; for :meth:`adopt`.

        Raises ``ConfigError`` when the file can not be used; nothing changes.
        """
        if self._file is None:
            return self.parties, self._source
        try:
            read = await asyncio.to_thread(_read_registry, self._file)
        except (OSError, RegistryError) as error:
            raise ConfigError(str(self._file), [Mistake("", str(error))]) from error
        return read.registry, read.source

    async def adopt(self, registry: Registry, source: str) -> None:
        """Put a registry that was foreseen and judged into force; it is in force on return.

        Raises ``Unavailable`` when the store can not be written, or when another worker has put
        another registry there meanwhile.
        """
        if source != self._source and not await self._put(registry, source):
            raise Unavailable("another process has changed the registry meanwhile")

    async def _put(self, registry: Registry, source: str) -> bool:
        """Store and install it; false when another registry was put into the store meanwhile."""
        document = _Document(source=source, registry=msgspec.Raw(registry.to_json()))
        try:
            version = await self._journal.store_registry(
                msgspec.json.encode(document), expected=self._version
            )
        except Unavailable:
            await self._load()  # another worker was quicker, mostly with the same file
            return self._source == source
        self._install(registry, version, source)
        return True

    def put_answers(self, answers: Mapping[Link, Answer]) -> None:
        """Put these answers into force in place of all others; each was proved."""
        gate = self.authenticator
        self._authenticator = gate.with_revocations(gate.revocations.with_answers(answers))

    async def watch(self, *, seconds: float) -> None:
        """Follow changes until cancelled; mistakes are logged and what was in force stays."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await self._load()
                await self._take_over()
                await self.read_lists()
            except (ConfigError, Unavailable, OSError) as error:
                self._log.error("registry.not-reloaded", reason=type(error).__name__)

    async def _load(self) -> None:
        stored = await self._journal.registry()
        if stored is None or stored[0] == self._version:
            return
        version, raw = stored
        document = msgspec.json.decode(raw, type=_Document)
        self._install(Registry.from_json(bytes(document.registry)), version, document.source)

    async def _take_over(self) -> None:
        """Put the file's registry into the store when the file is not what the store came from."""
        if self._file is None:
            return
        try:
            read = self._read = await asyncio.to_thread(_read_again, self._file, self._read)
        except (OSError, RegistryError) as error:
            if self._authenticator is None:
                raise ConfigError(str(self._file), [Mistake("", str(error))]) from error
            if self._rejected != str(error):
                self._rejected = str(error)
                self._log.error("registry.rejected", mistakes=str(error).splitlines()[:20])
            return
        registry, source = read.registry, read.source
        if source in (self._source, self._rejected):
            return
        mistakes = self._judge(registry)
        if mistakes and self._authenticator is None:
            raise ConfigError(str(self._file), mistakes)
        if mistakes:
            self._rejected = source
            self._log.error("registry.rejected", mistakes=[m.text for m in mistakes[:20]])
            return
        await self._put(registry, source)

    def _install(self, registry: Registry, version: int, source: str) -> None:
        before = self._authenticator
        revocations = Revocations() if before is None else before.revocations
        self._authenticator = Authenticator(registry, revocations)
        self._version, self._source = version, source
        self._lists = None  # authorities may have changed: read their lists again
        if before is not None:
            self._changed(registry)
        self._log.info("registry.loaded", version=version, parties=len(registry.parties))
        for mistake in registry.void():
            self._log.warning("registry.void", path=mistake.path, reason=mistake.detail)

    async def read_lists(self) -> None:
        """Read the revocation lists again when one of their files has changed."""
        registry = self.parties
        files = {
            **{name: self._crls / name for name in registry.crls()},
            **{name: self._fetched / name for name in fetched_names(registry.authorities.values())},
        }
        state = await asyncio.to_thread(_states, files)
        if state == self._lists:
            return
        lists = await asyncio.to_thread(_contents, files)
        revocations = await asyncio.to_thread(
            Revocations.from_files, registry.authorities.values(), lists
        )
        if registry is not self.parties:
            return  # another one came into force meanwhile; its lists are read next
        answers = self.authenticator.revocations.answers
        self._authenticator = self.authenticator.with_revocations(revocations.with_answers(answers))
        self._lists = state
        problems = [f"{problem}" for problem in revocations.problems]
        self._log.info("revocations.loaded", lists=len(lists), problems=problems)


def _read_again(file: Path, before: _Read | None) -> _Read:
    """What was read before, if no file has changed since."""
    if before is not None and before.states is not None and _states(before.files) == before.states:
        return before
    return _read_registry(file)


def _read_registry(file: Path) -> _Read:
    """The registry of a file, with every file that it names."""
    files = {"": file}
    states = _states(files)
    began = time.time_ns()
    digest = hashlib.sha256()
    text = file.read_bytes()
    digest.update(text)

    def read(name: str) -> bytes:
        files[name] = file.parent / name
        states.update(_states({name: files[name]}))
        content = files[name].read_bytes()
        digest.update(content)
        return content

    registry = Registry.from_toml(text.decode("utf-8"), read)
    settled = all(state.changed_ns < began - _SETTLED_NS for state in states.values())
    return _Read(
        registry=registry,
        source=digest.hexdigest(),
        files=files,
        states=states if settled else None,
    )


def _states(files: Mapping[str, Path]) -> _States:
    states = {}
    for name, file in files.items():
        try:
            stat = file.stat()
        except OSError:
            states[name] = _State()
        else:
            states[name] = _State(stat.st_ctime_ns, stat.st_mtime_ns, stat.st_ino, stat.st_size)
    return states


def _contents(files: Mapping[str, Path]) -> dict[str, bytes]:
    contents = {}
    for name, file in files.items():
        try:
            contents[name] = file.read_bytes()
        except OSError:
            continue  # a list that is missing fails hard where it is needed
    return contents
