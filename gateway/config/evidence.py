"""Evidence of revocation, kept fresh: answers of responders in memory, fetched lists in files.

What serves is what was proved. An answer is asked for when the first message needs it (once for
all who wait), asked for again before it is old, and serves until it expires, so that an outage of
the responder is felt only when it lasts. Lists are fetched into a folder, where the directory
finds them; a list that is broken, foreign or older than the one that is there never replaces it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import msgspec

from gateway.core.ports import Clock
from gateway.egress.evidence import FetchFailed, Listed
from gateway.telemetry import EventLog
from gateway.telemetry.metrics import Metrics
from trust.authenticator import Authenticator
from trust.chain import Link
from trust.lists import Unusable
from trust.members import Authority
from trust.ocsp import NONCE_BYTES, Answer, Unanswered, read_answer, write_question
from trust.revocation import Question, check_newer

MAX_ANSWERS = 10_000
RETRY = timedelta(seconds=5)
"""After a failure the same thing is not asked for again before."""
TICK_SECONDS = 1.0
AT_ONCE = 8
"""Questions that are asked again at the same time."""


class Fetch(Protocol):
    """The way to responders and lists; both raise ``FetchFailed``."""

    async def ask(self, url: str, question: bytes) -> bytes:
        """What a responder answers."""

    async def fetch(self, url: str, *, tag: str = "") -> Listed | None:
        """The list at an address; ``None`` while it is what ``tag`` names."""


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that serves, and when it is asked for again."""

    question: Question
    answer: Answer
    asked: datetime
    due: datetime


class Evidence:
    """What is known from outside about the certificates that come here."""

    def __init__(
        self,
        *,
        authenticator: Callable[[], Authenticator],
        install: Callable[[Mapping[Link, Answer]], None],
        client: Fetch,
        folder: Path,
        refresh: timedelta,
        clock: Clock,
        metrics: Metrics,
        log: EventLog,
    ) -> None:
        """``install`` puts answers into force; fetched lists go into ``folder``."""
        self._authenticator = authenticator
        self._install = install
        self._client = client
        self._folder = folder
        self._lasts = refresh
        self._clock = clock
        self._metrics = metrics
        self._log = log
        self._kept: dict[Link, _Kept] = {}
        self._asking: dict[Link, asyncio.Future[bool | None]] = {}
        self._resting: dict[Link | bytes, datetime] = {}
        self._tags: dict[str, str] = {}
        self._due: dict[str, datetime] = {}
        self._failing: set[tuple[str, str]] = set()

    async def seek(self, certificate: bytes) -> bool:
        """Ask for what is missing to judge a certificate; whether anything new is known."""
        known = hashlib.sha256(certificate).digest()
        if self._rests(known):  # finding out what is missing costs more than a refusal should
            return False
        questions = self._authenticator().missing(certificate, now=self._clock())
        found = await asyncio.gather(*(self._ask_once(question) for question in questions))
        if questions and not any(found):
            self._rest(known)
        return any(found)

    async def prime(self, *, seconds: float) -> None:
        """Fetch every list once, before anybody asks; what fails is tried again by ``run``."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._fetch_lists()

    async def run(self) -> None:
        """Keep all of it fresh until cancelled."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            await self.refresh()

    async def refresh(self) -> None:
        """Fetch every list and ask every question that is due."""
        await asyncio.gather(self._fetch_lists(), self._ask_again())
        self._measure()

    # Answers

    async def _ask_once(self, question: Question) -> bool:
        """Ask, or wait for whoever is asking the same; who waits for one that went away asks."""
        while (running := self._asking.get(question.link)) is not None:
            await asyncio.wait([running])
            if (found := running.result()) is not None:
                return found
        if self._rests(question.link):
            return False
        future = asyncio.get_running_loop().create_future()
        self._asking[question.link] = future
        found = None
        try:
            found = await self._ask(question)
        finally:
            del self._asking[question.link]
            future.set_result(found)
        return found

    async def _ask(self, question: Question) -> bool:
        """Whether one of the authority's responders gave an answer that may serve."""
        authority = self._authority(question.path.authority)
        if authority is None or not authority.ocsp:
            return False
        nonce = secrets.token_bytes(NONCE_BYTES) if authority.ocsp_nonce else None
        for url in authority.ocsp:
            try:
                content = await self._client.ask(
                    url, write_question(question.certificate, question.issuer, nonce=nonce)
                )
                answer = read_answer(content, question.certificate, question.issuer, nonce=nonce)
                now = self._clock()
                self._authenticator().revocations.prove(question, answer, now=now)
            except (FetchFailed, Unanswered) as error:
                self._failed(authority.id, url, "answer", error)
                continue
            self._fetched(authority.id, url, "answer")
            self._keep(question, answer, now)
            return True
        self._rest(question.link)
        return False

    def _keep(self, question: Question, answer: Answer, now: datetime) -> None:
        known = self._kept.pop(question.link, None)
        if known is None or known.answer.status is not answer.status:
            self._log.info(
                "revocation.answered", authority=question.path.authority, status=answer.status.value
            )
        while len(self._kept) >= MAX_ANSWERS:
            self._kept.pop(next(iter(self._kept)))
        due = now + min(self._lasts, (answer.until - now) / 2)
        self._kept[question.link] = _Kept(question=question, answer=answer, asked=now, due=due)
        self._install_kept()

    async def _ask_again(self) -> None:
        now = self._clock()
        ended = [
            link
            for link, kept in self._kept.items()
            if kept.answer.until <= now or kept.question.path.not_after < now
        ]
        for link in ended:
            del self._kept[link]
        if ended:
            self._install_kept()
        due = [kept.question for kept in self._kept.values() if kept.due <= now]
        for first in range(0, len(due), AT_ONCE):
            await asyncio.gather(*map(self._ask_once, due[first : first + AT_ONCE]))

    def _install_kept(self) -> None:
        self._install({link: kept.answer for link, kept in self._kept.items()})

    # Lists

    async def _fetch_lists(self) -> None:
        now = self._clock()
        wanted = [
            (authority, url)
            for authority in self._authenticator().registry.authorities.values()
            for url in authority.crl_urls
            if self._due.get(url, now) <= now
        ]
        await asyncio.gather(*(self._fetch_list(authority, url) for authority, url in wanted))

    async def _fetch_list(self, authority: Authority, url: str) -> None:
        file = self._folder / file_name(url)
        try:
            found = await self._client.fetch(url, tag=self._tags.get(url, ""))
            if found is not None:
                await asyncio.to_thread(_replace, file, authority, found.content)
                self._tags[url] = found.tag
        except (FetchFailed, Unusable, OSError) as error:
            self._failed(authority.id, url, "list", error)
            self._due[url] = self._clock() + RETRY
            return
        self._fetched(authority.id, url, "list")
        self._due[url] = self._clock() + self._lasts

    # Both

    def _authority(self, name: str) -> Authority | None:
        return self._authenticator().registry.authorities.get(name)

    def _rest(self, thing: Link | bytes) -> None:
        while len(self._resting) >= MAX_ANSWERS:
            self._resting.pop(next(iter(self._resting)))
        self._resting[thing] = self._clock() + RETRY

    def _rests(self, thing: Link | bytes) -> bool:
        until = self._resting.get(thing)
        if until is None:
            return False
        if self._clock() < until:
            return True
        del self._resting[thing]
        return False

    def _failed(self, authority: str, url: str, kind: str, error: Exception) -> None:
        self._metrics.revocation_fetches.labels(authority, kind, "failed").inc()
        reason = type(error).__name__ if isinstance(error, OSError) else str(error)
        if (url, reason) not in self._failing:  # once, and not at each attempt
            self._failing.add((url, reason))
            self._log.warning(
                "revocation.not-fetched", authority=authority, kind=kind, url=url, reason=reason
            )

    def _fetched(self, authority: str, url: str, kind: str) -> None:
        self._metrics.revocation_fetches.labels(authority, kind, "fetched").inc()
        self._failing = {(failing, why) for failing, why in self._failing if failing != url}

    def _measure(self) -> None:
        now = self._clock()
        oldest: dict[str, datetime] = {}
        for kept in self._kept.values():
            name = kept.question.path.authority
            oldest[name] = min(oldest.get(name, now), kept.asked)
        for name, asked in oldest.items():
            self._metrics.revocation_age.labels(name).set((now - asked).total_seconds())


def file_name(url: str) -> str:
    """Under what a fetched list is kept."""
    return f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.crl"


def fetched_names(authorities: Iterable[Authority]) -> tuple[str, ...]:
    """The files of all lists that are fetched."""
    return tuple(dict.fromkeys(file_name(url) for a in authorities for url in a.crl_urls))


def _replace(file: Path, authority: Authority, content: bytes) -> None:
    """Put a list in the place of the one that is there; raises ``Unusable`` or ``OSError``."""
    known = file.read_bytes() if file.exists() else None
    if content == known:
        return
    check_newer(authority, content, known=known)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(file)
