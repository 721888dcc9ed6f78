"""Whether ids were used before, asked of the database for many callers at once.

While one question is under way the next ones gather: under load one statement answers them all,
and a caller who is alone waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gateway.core.errors import Unavailable
from gateway.core.records import Stored
from gateway.store.codec import Codec
from gateway.store.postgres.connection import Connection, Pool, columns
from gateway.store.postgres.rows import STORED_COLUMNS, stored

_LARGEST = 256
"""Questions in one statement."""

# The accepted one, otherwise the latest refused attempt. Without a time all partitions are asked
# for that, each by its small index of refused ones.
_RECORDS = """
SELECT q.at, coalesce(
 (SELECT s.record FROM seen AS s WHERE s.id = q.id AND s.party = q.party AND s.kind = 0),
 (SELECT i.record FROM interchange AS i
  WHERE i.state = 'refused' AND i.interchange_id = q.id AND i.party = q.party
  ORDER BY i.attempt DESC, i.record DESC LIMIT 1))
FROM unnest($1::integer[], $2::text[], $3::text[]) AS q(at, id, party)
"""
_STORED = f"SELECT {STORED_COLUMNS} FROM interchange AS i WHERE i.record = ANY ($1::bigint[])"  # noqa: S608 - constants

Id = tuple[str, str]
"""An interchange id and whose it is."""
_Asked = tuple[Id, "asyncio.Future[Stored | None]"]


async def find(connection: Connection, codec: Codec, ids: Sequence[Id]) -> list[Stored | None]:
    """For each the accepted interchange, otherwise the latest refused attempt, if there is any."""
    asked = [(at, *one) for at, one in enumerate(ids)]
    known = await connection.fetch(_RECORDS, *columns(asked, 3))
    records = {at: record for at, record in known if record is not None}
    rows = await connection.fetch(_STORED, sorted(records.values())) if records else []
    found = {row[0]: stored(row, codec) for row in rows}
    return [found.get(records.get(at, 0)) for at in range(len(ids))]


class Finding:
    """Asks for all who wait; for the event loop that it was made in."""

    def __init__(self, pool: Pool, codec: Codec, *, limit: int) -> None:
        """``limit`` bounds the questions that wait."""
        self._pool, self._codec, self._limit = pool, codec, limit
        self._waiting: list[_Asked] = []
        self._asking: asyncio.Task[None] | None = None

    async def find(self, one: Id) -> Stored | None:
        """As in the port."""
        if len(self._waiting) >= self._limit:
            raise Unavailable("too much is asked of the journal", retry_after=1.0)
        answer: asyncio.Future[Stored | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask(), name="journal-find")
        return await answer

    async def close(self) -> None:
        """Answer what waits. May be called twice."""
        if self._asking is not None:
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:_LARGEST], self._waiting[_LARGEST:]
                await self._answer(group)
        finally:
            self._asking = None
            for _, answer in self._waiting:  # only of a loop that ends: nobody asks any more
                answer.cancel()
            self._waiting.clear()

    async def _answer(self, group: Sequence[_Asked]) -> None:
        try:
            async with self._pool.connection() as connection:
                found = await find(connection, self._codec, [one for one, _ in group])
        except Exception as error:  # told to each of those who asked
            for _, answer in group:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), stored_one in zip(group, found, strict=True):
            if not answer.done():  # its caller was cancelled
                answer.set_result(stored_one)
