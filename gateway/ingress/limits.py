"""What one party may ask of the gateway: how often, how much at once, over how many connections.

Only parties that were identified have an account here, so nothing grows with the number of
strangers. Rates are drawn from the store, some tokens at a time, so that all processes of a gateway
together keep to them; what is open at once is counted in each process.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime
from typing import Protocol

import msgspec

from gateway.core.bucket import Bucket, Drawn, Rate, draw
from gateway.core.errors import Unavailable
from gateway.core.ports import Clock, Journal
from gateway.ingress.held import Held
from gateway.pipeline.settings import PartySettings
from gateway.telemetry import Telemetry
from trust.identity import PartyId
from trust.members import PartyLimits
from trust.party import Registry

RATE, CONCURRENT, CONNECTIONS = "rate.exceeded", "concurrency.exceeded", "connections.exceeded"
RETRY_S = 1.0
_CHUNK_S = 0.2
_DRAW_S = 1.0
"""How long the store may take; a party does not wait for its turn at a store that is stuck."""
"""Tokens are drawn from the store for about so many seconds at a time."""
_SHORTEST_S = 0.05
"""A party without tokens is not asked about in the store again for so long."""
_ROUNDING_S = 0.001
_SAID_S = 60.0
"""A party at a limit is logged once in so many seconds."""


class Draw(Protocol):
    """Takes tokens of a scope that all processes share: :meth:`Journal.draw`."""

    async def __call__(self, scope: str, *, want: int, rate: Rate, now: datetime) -> Drawn:
        """May raise ``Unavailable``."""


class _Dry(msgspec.Struct, frozen=True):
    """From when to when a bucket of that rate has nothing to give."""

    rate: Rate
    since: float
    until: float


class _Account:
    """What one party has under way in this process."""

    __slots__ = (
        "calls",
        "connections",
        "dry",
        "left",
        "lock",
        "own",
        "said",
        "streamed",
        "tokens",
    )

    def __init__(self) -> None:
        self.tokens = 0
        self.dry: _Dry | None = None
        self.own: Bucket | None = None
        self.lock = asyncio.Lock()
        self.calls = 0
        self.streamed = 0
        self.left = asyncio.Event()
        self.connections: Counter[Hashable] = Counter()
        self.said: dict[str, float] = {}

    def called(self) -> None:
        """One call less is under way."""
        self.calls -= 1

    def answered(self) -> None:
        """One submission of a stream less is under way."""
        self.streamed -= 1
        self.left.set()


class Limiter:
    """One for all ingresses of a process, so that a party has one account however it comes."""

    def __init__(
        self,
        *,
        limits: Callable[[PartyId], PartyLimits],
        settings: Callable[[], PartySettings],
        draw: Draw | None,
        telemetry: Telemetry,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``limits`` are asked for at each call, so that a change of the registry counts at once,
        and so are ``settings``.

        ``draw`` takes from buckets that processes share; without it, this process has its own.
        """
        self._limits = limits
        self._settings = settings
        self._draw = draw
        self._metrics = telemetry.metrics
        self._log = telemetry.of("limits")
        self._clock = clock
        self._sleep = sleep
        self._accounts: dict[PartyId, _Account] = {}

    @classmethod
    def alone(
        cls, *, telemetry: Telemetry, clock: Clock, settings: PartySettings | None = None
    ) -> Limiter:
        """For a listener by itself: the same limits for all parties, kept by this process."""
        nothing_of_its_own, same = PartyLimits(), settings or PartySettings()
        return cls(
            limits=lambda _: nothing_of_its_own,
            settings=lambda: same,
            draw=None,
            telemetry=telemetry,
            clock=clock,
        )

    @classmethod
    def shared(
        cls,
        journal: Journal,
        *,
        parties: Callable[[], Registry],
        settings: Callable[[], PartySettings],
        telemetry: Telemetry,
        clock: Clock,
    ) -> Limiter:
        """For the listeners of a gateway: rates by the journal, limits by the registry in force."""
        nothing_of_its_own = PartyLimits()

        def limits(party: PartyId) -> PartyLimits:
            found = parties().parties.get(party)
            return nothing_of_its_own if found is None else found.limits

        return cls(
            limits=limits, settings=settings, draw=journal.draw, telemetry=telemetry, clock=clock
        )

    def foresee(self, party: PartyId) -> None:
        """Raise as ``admit`` and ``call`` would, as far as it can be told without the store.

        Takes nothing, so that whatever else a call would use up is left to it for another time.
        """
        account = self._account(party)
        own = self._settings().of(self._limits(party))
        if account.calls >= own.concurrent:
            raise self._refused(party, account, CONCURRENT, RETRY_S)
        if not account.tokens:
            rate = Rate(own.requests_per_second, own.burst)
            self._check_dry(party, account, rate, self._clock().timestamp())

    async def admit(self, party: PartyId) -> None:
        """Take a token for one request; raises ``Unavailable`` with the time to come again."""
        account = self._account(party)
        if account.tokens:
            account.tokens -= 1
            return
        async with account.lock:  # one draws for all that wait meanwhile
            if not account.tokens:
                await self._fill(party, account)
            account.tokens -= 1

    async def turn(self, party: PartyId) -> None:
        """Wait for a token: for whatever comes in a stream, which then comes more slowly."""
        while True:
            try:
                return await self.admit(party)
            except Unavailable as unavailable:
                await self._sleep(unavailable.retry_after or RETRY_S)

    def call(self, party: PartyId) -> Held:
        """One request or open stream; raises ``Unavailable`` when the party has too many."""
        account = self._account(party)
        if account.calls >= self._settings().of(self._limits(party)).concurrent:
            raise self._refused(party, account, CONCURRENT, RETRY_S)
        account.calls += 1
        return Held(account.called)

    async def place(self, party: PartyId) -> Held:
        """One submission of a stream; waits while the party has too many of them."""
        account = self._account(party)
        while account.streamed >= self._settings().of(self._limits(party)).concurrent:
            account.left.clear()
            await account.left.wait()
        account.streamed += 1
        return Held(account.answered)

    def connect(self, party: PartyId, connection: Hashable) -> None:
        """The party uses this connection, maybe not for the first time.

        Raises ``Unavailable`` when it would be one too many. Each call needs a ``disconnect``.
        """
        account = self._account(party)
        open_, most = account.connections, self._settings().of(self._limits(party)).connections
        if connection not in open_ and len(open_) >= most:
            raise self._refused(party, account, CONNECTIONS, RETRY_S)
        open_[connection] += 1

    def disconnect(self, party: PartyId, connection: Hashable) -> None:
        """The party uses this connection once less."""
        open_ = self._account(party).connections
        open_[connection] -= 1
        if open_[connection] <= 0:
            del open_[connection]

    def _account(self, party: PartyId) -> _Account:
        account = self._accounts.get(party)
        if account is None:
            account = self._accounts[party] = _Account()
        return account

    async def _fill(self, party: PartyId, account: _Account) -> None:
        now = self._clock()
        seconds = now.timestamp()
        own = self._settings().of(self._limits(party))
        rate = Rate(own.requests_per_second, own.burst)
        self._check_dry(party, account, rate, seconds)
        want = max(1, min(rate.burst, math.ceil(rate.per_second * _CHUNK_S)))
        drawn = await self._drawn(party, account, want, rate, now)
        if not drawn.granted:
            wait = max(drawn.wait + _ROUNDING_S, _SHORTEST_S)
            account.dry = _Dry(rate, seconds, seconds + wait)
            raise self._refused(party, account, RATE, wait)
        account.tokens = drawn.granted

    def _check_dry(self, party: PartyId, account: _Account, rate: Rate, seconds: float) -> None:
        dry = account.dry
        # Another rate, or a clock that was set back, and the store is asked again.
        if dry is not None and dry.rate == rate and dry.since <= seconds < dry.until:
            raise self._refused(party, account, RATE, dry.until - seconds)

    async def _drawn(
        self, party: PartyId, account: _Account, want: int, rate: Rate, now: datetime
    ) -> Drawn:
        if self._draw is not None:
            # What needs the store says so itself; what does not goes on at this pace.
            try:
                async with asyncio.timeout(_DRAW_S):
                    return await self._draw(f"party:{party}", want=want, rate=rate, now=now)
            except Unavailable as unavailable:
                self._log.warning("limits.store-unavailable", reason=unavailable.reason)
            except TimeoutError:
                self._log.warning("limits.store-unavailable", reason="it does not answer in time")
        account.own, drawn = draw(account.own, want=want, rate=rate, now=now.timestamp())
        return drawn

    def _refused(
        self, party: PartyId, account: _Account, code: str, retry_after: float
    ) -> Unavailable:
        self._metrics.limited.labels(party=party, code=code).inc()
        now = self._clock().timestamp()
        if abs(now - account.said.get(code, -math.inf)) >= _SAID_S:
            account.said[code] = now
            self._log.warning("limit.reached", party=party, code=code)
        return Unavailable(code, retry_after=retry_after, reached=True)
