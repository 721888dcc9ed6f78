"""Configuration: every mistake with its path, in one go."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from backends.service.configuration import ConfigurationError, read_settings


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """What a back end adds."""

    table: str


GOOD = """
[service]
party = "customs-risk"
ledger = "risk.sqlite"
registry = "registry.toml"
certificate = "tls.pem"
key = "tls.key"
signing_key = "signing.key"

[gateway]
party = "gateway-lx"
address = "127.0.0.1:8444"

[risk]
table = "t.toml"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("registry.toml", "tls.pem", "tls.key", "signing.key"):
        (tmp_path / name).write_text("")
    return tmp_path


def read(folder: Path, text: str) -> list[str]:
    path = folder / "risk.toml"
    path.write_text(text)
    try:
        read_settings(path, "risk", Own)
    except ConfigurationError as error:
        return [mistake.path for mistake in error.mistakes]
    return []


def test_a_good_file_is_read_with_its_defaults(folder: Path) -> None:
    path = folder / "risk.toml"
    path.write_text(GOOD)
    settings, own = read_settings(path, "risk", Own)
    assert own.table == "t.toml"
    assert settings.gateway.format == "luxor.proto.1"
    assert settings.path("x") == folder / "x"


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        ('party = "gateway-lx"', "", ["gateway.party"]),
        ("[risk]", "[riks]", ["riks", "risk.table"]),
        ('table = "t.toml"', "table = 1", ["risk.table"]),
        ("[gateway]", "[limits]\nwindow = 0\n[gateway]", ["limits.window"]),
        ("[gateway]", "[limits]\nwidow = 1\n[gateway]", ["limits.widow"]),
        ('"127.0.0.1:8444"', '"127.0.0.1"', ["gateway.address"]),
        ('"127.0.0.1:8444"', '"127.0.0.1:99999"', ["gateway.address"]),
        ('"tls.key"', '"gone.key"', ["service.key"]),
        ('ledger = "risk.sqlite"', 'ledger = ""', ["service.ledger"]),
    ],
)
def test_a_mistake_is_told_with_its_path(
    folder: Path, old: str, new: str, paths: list[str]
) -> None:
    assert read(folder, GOOD.replace(old, new)) == paths


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    text = GOOD.replace('party = "customs-risk"', "").replace('"gateway-lx"', "7")
    assert read(folder, text) == ["service.party", "gateway.party"]


def test_a_file_that_is_no_toml_is_told(folder: Path) -> None:
    path = folder / "risk.toml"
    path.write_text("[service")
    with pytest.raises(ConfigurationError, match="not TOML"):
        read_settings(path, "risk", Own)


def test_a_file_that_is_not_there_is_told(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_settings(folder / "none.toml", "risk", Own)
