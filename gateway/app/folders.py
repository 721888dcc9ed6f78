"""The watched folders of a process: each is started and stopped by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from gateway.config import Config, ConfigError, Mistake
from gateway.config.document import FolderSection
from gateway.ingress.folder import FolderIngress

Make = Callable[[FolderSection], FolderIngress]


class Folders:
    """Every folder that is watched. One whose section changes is stopped and started anew."""

    def __init__(self, make: Make) -> None:
        self._make = make
        self._running: dict[FolderSection, FolderIngress] = {}

    def __len__(self) -> int:
        """How many folders are watched."""
        return len(self._running)

    def prepare(self, config: Config) -> None:
        """Make the folders that are not watched yet; raises ``ConfigError`` where it can not be."""
        mistakes = []
        for index, section in enumerate(config.ingress.folder):
            if section in self._running:
                continue
            try:
                self._make(section).prepare()
            except OSError as error:
                path = f"ingress.folder[{index}].path"
                mistakes.append(Mistake(path, error.strerror or str(error)))
        if mistakes:
            raise ConfigError(config.file, mistakes)

    async def change(self, config: Config) -> None:
        """Watch the folders of this configuration and no others.

        Those that go finish the files that are being judged. Raises ``OSError`` for a new one
        that can not be made; :meth:`prepare` says so before.
        """
        wanted = dict.fromkeys(config.ingress.folder)
        going = {
            section: self._running.pop(section)
            for section in [*self._running]
            if section not in wanted
        }
        await _stop(going)
        for section in wanted:
            if section not in self._running:
                folder = self._make(section)
                await folder.start()
                self._running[section] = folder

    async def stop(self) -> None:
        """Finish what is being judged and watch nothing more. May be called twice."""
        running, self._running = self._running, {}
        await _stop(running)


async def _stop(folders: Mapping[FolderSection, FolderIngress]) -> None:
    await asyncio.gather(*(folder.stop() for folder in folders.values()))
