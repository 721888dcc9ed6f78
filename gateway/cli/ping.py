"""``luxor ping``: whether the way to a party's destinations is good, without a message."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec

from gateway.app.clock import utc_now
from gateway.cli.control import load_config
from gateway.cli.options import config_option, json_option
from gateway.cli.registry_in_force import registry_of
from gateway.config import Config
from gateway.config.document import DestinationSection
from gateway.config.targets import target_of
from gateway.egress.correspondent import Correspondent
from gateway.egress.probe import probe_folder, probe_network
from gateway.egress.question import ask
from gateway.egress.steps import Probe, Step
from gateway.egress.tls import ClientTls, OwnPair
from gateway.keys.opening import KeysUnusable, Providers, open_keyring
from gateway.keys.secret import environment
from gateway.pipeline.signing import SigningDesk
from trust.identity import PartyId
from trust.keys import public_keys
from trust.party import Registry

FAILED = 1
AT_ONCE = 8
"""Destinations that are tested side by side."""


class Tested(msgspec.Struct, frozen=True, kw_only=True):
    """What was found about one destination."""

    destination: str
    party: str
    transport: str
    address: str
    ok: bool
    steps: tuple[Step, ...]


@click.command(
    epilog="""\b
Examples:
  luxor ping risk --config gateway.toml
  luxor ping customs-risk --config gateway.toml --json
  luxor ping --all --config gateway.toml"""
)
@click.argument("name", metavar="PARTY|DESTINATION", required=False)
@config_option("The gateway's configuration; it need not be running.")
@click.option("--all", "everybody", is_flag=True, help="Every destination.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 120),
    default=5.0,
    show_default=True,
    help="Seconds for each step.",
)
@json_option()
def ping(
    name: str | None,
    file: Path,
    everybody: bool,  # noqa: FBT001 - a click option
    timeout: float,
    as_json: bool,  # noqa: FBT001 - a click option
) -> None:
    """Test the way to a destination, or to all those of a party. No message is sent.

    Name, connection, TLS and our certificate; of another gateway also who we are to it, what we
    may send there, both signatures, the round trip and its clock. With the gateway's own
    certificate and key. The exit status is 1 when a step failed.
    """
    if (name is None) != everybody:
        raise click.UsageError("name a party or a destination, or say --all")
    config = load_config(file)
    sections = tuple(_named(config, name))
    if not sections:
        known = sorted({entry.id for entry in config.destination})
        raise click.UsageError(
            f"{name or 'the configuration'} has no destination; there are {', '.join(known)}"
            if known
            else "there is no destination in the configuration"
        )
    registry = registry_of(file, config)
    with _desk(config) as desk:
        tested = asyncio.run(_all(config, sections, registry, desk, seconds=timeout))
    if as_json:
        click.echo(msgspec.json.encode(tested).decode())
    else:
        _print(tested)
    if not all(one.ok for one in tested):
        sys.exit(FAILED)


def _named(config: Config, name: str | None) -> Iterator[DestinationSection]:
    """All, or the destination of that id, or those of the party."""
    by_id = [entry for entry in config.destination if entry.id == name]
    for entry in by_id or config.destination:
        if name is None or name in (entry.id, entry.party):
            yield entry


@contextmanager
def _desk(config: Config) -> Iterator[SigningDesk]:
    """The gateway's own signatures, wherever its key is."""
    folder = config.path("")
    try:
        keyring = open_keyring(
            config.signing,
            gateway=config.gateway.id,
            folder=folder,
            providers=Providers(folder=folder, environ=environment()),
            clock=utc_now,
        )
    except KeysUnusable as error:
        raise click.UsageError(str(error)) from error
    desk = SigningDesk(keyring, seconds=config.signing.timeout)
    try:
        yield desk
    finally:
        desk.close()


async def _all(
    config: Config,
    sections: Iterable[DestinationSection],
    registry: Registry,
    desk: SigningDesk,
    *,
    seconds: float,
) -> list[Tested]:
    room = asyncio.Semaphore(AT_ONCE)

    async def one(section: DestinationSection) -> Tested:
        async with room:
            return await _test(config, section, registry, desk, seconds=seconds)

    return await asyncio.gather(*(one(section) for section in sections))


async def _test(
    config: Config,
    section: DestinationSection,
    registry: Registry,
    desk: SigningDesk,
    *,
    seconds: float,
) -> Tested:
    target = target_of(config, section)
    if section.transport == "folder":
        steps = await asyncio.to_thread(probe_folder, Path(target.address))
    else:
        party = registry.parties.get(target.receiver)
        keys = {} if party is None else public_keys(party.signing_keys)
        correspondent = Correspondent(
            sender=PartyId(config.gateway.id),
            receiver=target.receiver,
            desk=desk,
            keys=lambda: keys,
            clock=utc_now,
        )
        own = OwnPair(
            certificate=config.path(config.tls.certificate), key=config.path(config.tls.key)
        )
        tls = ClientTls(own=own, authority=target.authority)

        async def asking(probe: Probe, seconds: float) -> None:
            await ask(probe, target, tls, correspondent, seconds=seconds)

        steps = await probe_network(target, tls, asking, seconds=seconds)
    return Tested(
        destination=section.id,
        party=section.party,
        transport=section.transport,
        address=section.address,
        ok=all(step.result != "failed" for step in steps),
        steps=steps,
    )


def _print(tested: Iterable[Tested]) -> None:
    """A line for each step; what a receiver said does nothing to a terminal."""
    for one in tested:
        click.echo(f"{one.destination}: {one.party} by {one.transport}, {one.address}")
        for step in one.steps:
            took = "" if step.ms is None else f"  ({step.ms:g} ms)"
            said = "".join(
                letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}"
                for letter in step.detail
            )
            click.echo(f"  {step.result:<8}{step.name:<17}{said}{took}")
