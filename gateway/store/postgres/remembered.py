"""What may be used once within its time, in a table of its own; one winner among all nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gateway.core.errors import Unavailable
from gateway.store.once import GRACE, REMOVED_EACH, Once
from gateway.store.postgres.connection import Connection, Pool, columns

_LARGEST = 256
"""Questions in one statement."""

# What comes back is new in its scope, or its time was over, or its holder came again. Who meets a
# row of another that is not committed yet waits for its outcome. Each question has its own now.
# Of what is over long ago a few rows go with it; those that others remove just now are left out.
_REMEMBER = """
WITH gone AS (
 DELETE FROM remembered WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM remembered WHERE until <= $5 AND digest <> ALL ($1)
  ORDER BY until LIMIT $6 FOR UPDATE SKIP LOCKED)))
INSERT INTO remembered AS r (digest, until, holder)
SELECT digest, until, holder
FROM unnest($1::bytea[], $2::bigint[], $3::text[]) AS q(digest, until, holder) ORDER BY digest
ON CONFLICT (digest) DO UPDATE SET until = excluded.until, holder = excluded.holder
 WHERE (excluded.holder <> '' AND r.holder = excluded.holder)
 OR r.until <= (SELECT q.now FROM unnest($1::bytea[], $4::bigint[]) AS q(digest, now)
  WHERE q.digest = excluded.digest)
RETURNING digest
"""


async def remember(connection: Connection, group: Sequence[Once]) -> frozenset[bytes]:
    """The digests of those that were new; no digest is twice in the group."""
    rows = [(one.digest, one.until, one.holder, one.now) for one in group]
    over = min(one.now for one in group) - GRACE
    found = await connection.fetch(_REMEMBER, *columns(rows, 4), over, REMOVED_EACH * len(group))
    return frozenset(row[0] for row in found)


class Remembering:
    """Questions of many callers in few statements: while one is under way, the next gather."""

    def __init__(self, pool: Pool, *, limit: int) -> None:
        """``pool`` commits durably; ``limit`` bounds the questions that wait."""
        self._pool = pool
        self._limit = limit
        self._waiting: list[tuple[Once, asyncio.Future[bool]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def remember(self, once: Once) -> bool:
        """As in the port."""
        if len(self._waiting) >= self._limit:
            raise Unavailable("too much is asked of the journal", retry_after=1.0)
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((once, answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await answer

    async def close(self) -> None:
        """Answer what waits. May be called twice."""
        if self._asking is not None:
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask(self) -> None:
        try:
            while group := self._take():
                await self._answer(group)
        finally:
            self._asking = None
            for _, answer in self._waiting:  # only of a loop that ends: nobody asks any more
                answer.cancel()
            self._waiting.clear()

    def _take(self) -> list[tuple[Once, asyncio.Future[bool]]]:
        """The next group: each digest once, and nobody who has gone away."""
        taken: dict[bytes, tuple[Once, asyncio.Future[bool]]] = {}
        rest = []
        for asked in self._waiting:
            if asked[1].done():
                continue
            if len(taken) < _LARGEST and asked[0].digest not in taken:
                taken[asked[0].digest] = asked
            else:
                rest.append(asked)
        self._waiting = rest
        return list(taken.values())

    async def _answer(self, group: Sequence[tuple[Once, asyncio.Future[bool]]]) -> None:
        try:
            async with self._pool.connection() as connection:
                new = await remember(connection, [once for once, _ in group])
        except Exception as error:  # told to each of those who asked
            for _, answer in group:
                if not answer.done():
                    answer.set_exception(error)
            return
        for once, answer in group:
            if not answer.done():
                answer.set_result(once.digest in new)
