"""What a configuration makes of messages: one value, so that it can be replaced as one."""

from __future__ import annotations

import msgspec

from gateway.config import Config
from gateway.config.assemble import formats_of, network_of, regimes_of
from gateway.pipeline.judge import Bench
from translators.registry import Registry as Formats


class Setup(msgspec.Struct, frozen=True):
    """A configuration with the formats, routes, agreements and rules that follow from it."""

    config: Config
    formats: Formats
    bench: Bench

    @staticmethod
    def of(config: Config) -> Setup:
        """Reads every layout, rule and code list that is named; raises ``ConfigError``."""
        formats = formats_of(config)
        bench = Bench(
            gateway_number=config.gateway.number,
            network=network_of(config, formats),
            regimes=regimes_of(config),
            severities=dict(config.severity),
        )
        return Setup(config, formats, bench)
