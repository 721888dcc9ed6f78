"""What stands behind the service: the journal, the registry, the evidence of revocation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

from gateway.app.clock import utc_now
from gateway.config import Config, ConfigError, Mistake
from gateway.config.directory import Directory, Judge
from gateway.config.evidence import Evidence
from gateway.config.journal import journal_of, place_of
from gateway.core.errors import Unavailable
from gateway.core.ports import Journal
from gateway.egress.evidence import EvidenceClient
from gateway.store.store import NoJournal, why
from gateway.telemetry import Telemetry
from trust.party import Registry as Parties


async def open_journal(config: Config) -> Journal:
    """The journal of a configuration; raises ``ConfigError``."""
    try:
        return await journal_of(config).open(clock=utc_now, create=True)
    except OSError as error:
        text = error.strerror or str(error)
    except NoJournal as error:
        text = str(error)
    except Unavailable as error:
        text = why(error)
    raise ConfigError(config.file, [Mistake(place_of(config), text)])


def check_journal(config: Config) -> None:
    """Ask the store of a configuration how it stands, and change nothing; blocks.

    Raises ``ConfigError`` for one that can not be reached, or that ``luxor serve`` would not open.
    """
    try:
        journal_of(config).check()
    except NoJournal as error:
        text = str(error)
    except Unavailable as error:
        text = why(error)
    else:
        return
    raise ConfigError(config.file, [Mistake(place_of(config), text)])


def fetched_lists(config: Config) -> Path:
    """Where revocation lists that were fetched are kept."""
    return config.path(config.gateway.data) / "revocation"


async def open_directory(
    config: Config,
    journal: Journal,
    *,
    judge: Judge,
    changed: Callable[[Parties], None],
    telemetry: Telemetry,
) -> Directory:
    """The registry that is in force; raises ``ConfigError``."""
    section = config.registry
    directory = Directory(
        journal=journal,
        file=None if section.file is None else config.path(section.file),
        crls=config.path(section.crls),
        fetched=fetched_lists(config),
        judge=judge,
        changed=changed,
        log=telemetry.of("registry"),
    )
    await directory.open()
    return directory


async def open_evidence(
    config: Config, directory: Directory, *, stack: AsyncExitStack, telemetry: Telemetry
) -> Evidence:
    """Lists that are fetched are there before the first message, if they can be had soon."""
    section = config.registry
    client = EvidenceClient(
        answer_seconds=section.answer_timeout, list_seconds=section.list_timeout
    )
    stack.push_async_callback(client.close)
    evidence = Evidence(
        authenticator=lambda: directory.authenticator,
        install=directory.put_answers,
        client=client,
        folder=fetched_lists(config),
        refresh=timedelta(seconds=section.refresh),
        clock=utc_now,
        metrics=telemetry.metrics,
        log=telemetry.of("revocation"),
    )
    await evidence.prime(seconds=section.answer_timeout)
    await directory.read_lists()
    return evidence
