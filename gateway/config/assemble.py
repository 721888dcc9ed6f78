"""From the configuration to the values that the pipeline works with."""

from __future__ import annotations

from pathlib import Path

import msgspec

from gateway.agreements import Agreement, Agreements, Minimiser
from gateway.config.document import Config
from gateway.config.layouts import read_layout, repeated
from gateway.config.lists import codes_of
from gateway.config.mistakes import ConfigError, Mistake
from gateway.pipeline.plan import Network
from gateway.regimes import Jurisdiction, Regime
from gateway.regimes import standard as standard_rules
from gateway.routing import ORIGIN, Endpoint, Endpoints, Expectations, Route, Routes
from translators import layout
from translators.canonical import DeliveryFailed
from translators.registry import Registry as Formats
from translators.registry import standard
from translators.translator import FormatId
from trust.identity import PartyId

NOTICE_KIND = DeliveryFailed.__name__
EVERYBODY = Agreement(
    name="gateway-notices",
    purpose="a sender learns what became of its own message",
    kinds=(NOTICE_KIND,),
    fields=("**",),
)
NOTICE_ROUTE = Route(name="gateway-notices", kinds=(NOTICE_KIND,), to=(ORIGIN,), lane=1)


def formats_of(config: Config) -> Formats:
    """The packaged formats and those of the configuration; raises ``ConfigError``."""
    own: dict[int, tuple[Path, layout.LayoutTranslator]] = {}
    mistakes: list[Mistake] = []
    for index, section in enumerate(config.format):
        path = config.path(section.layout)
        try:
            own[index] = path, read_layout(path)
        except OSError as error:
            mistakes.append(Mistake(f"format[{index}].layout", f"{path}: {error.strerror}"))
        except layout.LayoutError as error:
            mistakes.extend(Mistake(f"format[{index}]", str(line)) for line in error.mistakes)
    places = list(own)
    mistakes += [Mistake(f"format[{places[at]}]", str(one)) for at, one in repeated(own.values())]
    if mistakes:
        raise ConfigError(config.file, mistakes)
    return Formats([*standard(), *(found for _, found in own.values())])


def regimes_of(config: Config) -> tuple[Regime, ...]:
    """The rules that hold here; raises ``ConfigError``."""
    mistakes: list[Mistake] = []
    codes = codes_of(config, mistakes)
    regimes: list[Regime] = [
        *standard_rules(codes=codes, countries=frozenset(config.countries), quality=config.quality)
    ]
    for index, section in enumerate(config.regime):
        path = config.path(section.file)
        try:
            regimes.append(msgspec.toml.decode(path.read_bytes(), type=Jurisdiction))
        except OSError as error:
            mistakes.append(Mistake(f"regime[{index}].file", f"{path}: {error.strerror}"))
        except ValueError as error:  # what msgspec raises, and bytes that are no UTF-8
            mistakes.append(Mistake(f"regime[{index}].file", f"{path}: {error}"))
    if mistakes:
        raise ConfigError(config.file, mistakes)
    return tuple(regimes)


def network_of(config: Config, formats: Formats) -> Network:
    """Routes, agreements and endpoints as one value."""
    agreements = (*config.agreement, EVERYBODY)
    return Network(
        routes=Routes((*config.route, NOTICE_ROUTE)),
        agreements=Agreements.of(agreements),
        minimisers={entry.name: Minimiser(entry.fields) for entry in agreements},
        endpoints=Endpoints.of(
            Endpoint(
                id=entry.id,
                party=PartyId(entry.party),
                format=FormatId(entry.format),
                transport=entry.transport,
                answers=entry.answers,
                header=entry.header,
                patience=(entry.dispatch or config.dispatch).patience,
            )
            for entry in config.destination
        ),
        formats=formats,
        expectations=Expectations(config.expect),
    )
