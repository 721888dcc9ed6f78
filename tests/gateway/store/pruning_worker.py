"""A process that prunes a journal as fast as it can until it is killed.

``python -m tests.gateway.store.pruning_worker JOURNAL NOW``; it writes a line after each step.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from gateway.config.retention import RetentionSection
from gateway.core.retention import Budget, Pruned
from gateway.store.sqlite import open_sqlite
from tests.gateway.store.samples import GATEWAY


def told(rule: str, step: Pruned) -> None:
    """One line for a step that was committed."""
    print(rule, step.bodies, flush=True)


async def work(path: Path, now: datetime) -> None:
    """One run in many small steps."""
    journal = await open_sqlite(path, gateway=GATEWAY, clock=lambda: datetime.now(UTC))
    budget = Budget(rows=20, rest=0.2, seconds=600.0)
    rules = RetentionSection().rules
    await journal.retention.prune(rules, now=now, budget=budget, told=told)
    await journal.close()


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])))
