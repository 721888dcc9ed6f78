"""Code lists and thresholds of the configuration reach the rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.config import Config, ConfigError
from gateway.config.assemble import regimes_of
from gateway.config.document import (
    CodesSection,
    GatewaySection,
    KeyPair,
    RegistrySection,
)
from gateway.keys.settings import SigningSettings
from gateway.regimes import QualitySettings
from tests import samples


def config(folder: Path, **changes: Any) -> Config:
    return Config(
        gateway=GatewaySection(id="gateway-x", number=1),
        tls=KeyPair(certificate="c.pem", key="k.pem"),
        signing=SigningSettings(key="s.pem"),
        registry=RegistrySection(),
        folder=str(folder),
        **changes,
    )


def codes(config: Config) -> list[str]:
    """What the rules of a configuration find in one item."""
    item = samples.item(origin_operator="FRA", handling_class="Q")
    return [fault.code for regime in regimes_of(config) for fault in regime.check(item)]


def test_without_lists_the_standards_alone_are_judged_by(tmp_path: Path) -> None:
    assert [] == codes(config(tmp_path))


def test_lists_are_read_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "hs.csv").write_text("# example\ncode;text\n611510;one\n", "utf-8")
    (tmp_path / "206.csv").write_text("GBA\n", "utf-8")
    (tmp_path / "115.csv").write_text("R\n", "utf-8")
    section = msgspec.convert(
        {
            "hs": "hs.csv",
            "operators": "206.csv",
            "list": [
                {
                    "name": "upu-115",
                    "file": "115.csv",
                    "places": ["ItemDeclaration.handling_class"],
                }
            ],
        },
        CodesSection,
    )
    assert ["hs.unknown", "list.upu-115", "operator.unknown"] == sorted(
        codes(config(tmp_path, codes=section))
    )


def test_thresholds_reach_the_findings(tmp_path: Path) -> None:
    strict = QualitySettings(least_euro_per_kg=1000)

    assert ["quality.value-weight"] == codes(config(tmp_path, quality=strict))
    assert [] == codes(config(tmp_path, quality=QualitySettings(enabled=False)))


def test_every_mistake_in_lists_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("# nothing\n", "utf-8")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\xff")
    section = msgspec.convert(
        {
            "impc": "missing.csv",
            "hs": "empty.csv",
            "currencies": "bytes.csv",
            "list": [{"name": "x", "file": "missing.csv", "places": ["Item.nothing"]}],
        },
        CodesSection,
    )
    with pytest.raises(ConfigError) as caught:
        regimes_of(config(tmp_path, codes=section))

    assert [
        "codes.impc",
        "codes.hs",
        "codes.currencies",
        "codes.list[0].places",
        "codes.list[0].file",
    ] == [mistake.path for mistake in caught.value.mistakes]
