"""What a configuration makes of messages: one value, so that it can be replaced as one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from gateway.config import Config
from gateway.config.assemble import formats_of, network_of, regimes_of
from gateway.config.document import DestinationSection
from gateway.pipeline.judge import Bench
from gateway.pipeline.settings import DispatchSettings
from translators.registry import Registry as Formats

SHOWN = 16
"""Hexadecimal digits of a digest that are told."""


class Pinned(msgspec.Struct, frozen=True):
    """All that a destination is made of: equal for one that may go on as it is.

    ``authority`` is the digest of the file that ``ca`` names.
    """

    section: DestinationSection
    dispatch: DispatchSettings
    authority: str


class Setup(msgspec.Struct, frozen=True):
    """A configuration with the formats, routes, agreements and rules that follow from it.

    ``digest`` tells one configuration from another: it is over all values, with those of the
    command line, and over the files that they name.
    """

    config: Config
    formats: Formats
    bench: Bench
    destinations: Mapping[str, Pinned]
    digest: str

    @staticmethod
    def of(config: Config) -> Setup:
        """Reads every layout, rule and code list that is named; raises ``ConfigError``."""
        digest = _digest(config)  # before they are read: what changes meanwhile is told as new
        formats = formats_of(config)
        bench = Bench(
            gateway_number=config.gateway.number,
            network=network_of(config, formats),
            regimes=regimes_of(config),
            severities=dict(config.severity),
        )
        destinations = {
            section.id: Pinned(
                section,
                section.dispatch or config.dispatch,
                "" if section.ca is None else _digest_of_file(config.path(section.ca)),
            )
            for section in config.destination
        }
        return Setup(config, formats, bench, destinations, digest)


def _digest(config: Config) -> str:
    digest = hashlib.sha256(msgspec.json.encode(config, order="deterministic"))
    for path in _files(config):
        digest.update(_digest_of_file(path).encode())
    return digest.hexdigest()[:SHOWN]


def _files(config: Config) -> Iterator[Path]:
    """The files whose content counts as if it stood in the configuration itself."""
    codes = config.codes
    named: list[str | None] = [entry.layout for entry in config.format]
    named += [entry.file for entry in config.regime]
    named += [codes.impc, codes.operators, codes.hs, codes.countries, codes.currencies]
    named += [entry.file for entry in codes.list]
    named += [entry.ca for entry in config.destination]
    for name in named:
        if name is not None:
            yield config.path(name)


def _digest_of_file(path: Path) -> str:
    """Empty for a file that can not be read: whoever needs it says so."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
