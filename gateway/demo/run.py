"""One demonstration from beginning to end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from gateway.demo.ledger import Ledger
from gateway.demo.plan import DemoPlan, plan
from gateway.demo.processes import DemoError, Processes
from gateway.demo.scenario import Scenario
from gateway.demo.topology import Topology, lay_out

Show = Callable[[], None]
"""Draws the state of the ledger; called several times a second."""

DRAW_SECONDS = 0.25


class Run(msgspec.Struct, frozen=True):
    """What a run works on."""

    topology: Topology
    plan: DemoPlan
    ledger: Ledger
    at: datetime
    seed: str


def prepare(topology: Topology, *, seed: str) -> Run:
    """Lay out folders and configuration, and decide what will be sent."""
    lay_out(topology)
    at = datetime.now(UTC).replace(microsecond=0)
    return Run(topology, plan(seed, at=at), Ledger(), at, seed)


async def play(run: Run, *, show: Show, stay: bool, ready: Callable[[], None]) -> None:
    """Start the network, play the scenario, and with ``stay`` keep it up until Ctrl-C.

    ``ready`` is called when the scenario is over. What went wrong is in the ledger.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    drawing = asyncio.create_task(_draw(show))
    try:
        run.ledger.step("starting two gateways and three back ends")
        async with Processes(run.topology) as processes:
            scenario = Scenario(
                run.topology, run.plan, run.ledger, at=run.at, seed=f"{run.seed}-{run.at:%H%M%S}"
            )
            await _unless_stopped(scenario.play(), stop)
            for name in processes.died():
                run.ledger.surprise(f"{name} ended by itself; see {processes.log(name)}")
            scenario.observer.watch_logs()
            show()
            ready()
            if stay and not stop.is_set():
                await stop.wait()
    except* DemoError as errors:
        for error in errors.exceptions:
            run.ledger.surprise(str(error))
    finally:
        drawing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await drawing
        show()


async def _draw(show: Show) -> None:
    while True:
        show()
        await asyncio.sleep(DRAW_SECONDS)


async def _unless_stopped(work: object, stop: asyncio.Event) -> None:
    """Do the work, but leave it when somebody asks to stop; that is no success."""
    assert asyncio.iscoroutine(work)
    playing = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait({playing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if playing in done:
        playing.result()
        return
    playing.cancel()
    await asyncio.gather(playing, return_exceptions=True)
    raise DemoError("stopped before it was over")
