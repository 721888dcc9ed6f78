"""Every key of the configuration is explained, bounds with the default that they have."""

import re
import typing
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from gateway.config.document import Config
from gateway.config.retention import RetentionDays
from gateway.ingress.folder.settings import FolderSettings
from gateway.ingress.grpc.settings import GrpcSettings
from gateway.ingress.http.settings import HttpSettings
from gateway.ingress.spool import SpoolSettings
from gateway.pipeline.settings import BreakerSettings, DispatchSettings, Limits
from gateway.regimes import QualitySettings

PAGE = (Path(__file__).parents[3] / "docs/configuration.md").read_text("utf-8")
NOT_OF_THE_FILE = {("Config", "folder"), ("Config", "file")}


def tables(of: object) -> Iterator[type[msgspec.Struct]]:
    """Every table of the configuration, from the whole file down, but values of the model."""
    for part in typing.get_args(of):
        yield from tables(part)
    canonical = getattr(of, "__module__", "").startswith("translators.canonical")
    if isinstance(of, type) and issubclass(of, msgspec.Struct) and not canonical:
        yield of
        for field in msgspec.structs.fields(of):
            yield from tables(field.type)


def test_every_key_stands_in_the_page() -> None:
    keys = {
        (table.__name__, field.encode_name)
        for table in tables(Config)
        for field in msgspec.structs.fields(table)
    }

    assert len(keys) > 90
    assert [] == sorted(
        (table, key)
        for table, key in keys - NOT_OF_THE_FILE
        if not re.search(rf"(?<![\w-]){re.escape(key)}(?![\w-])", PAGE)
    )


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("https", HttpSettings),
        ("grpc", GrpcSettings),
        ("folder", FolderSettings),
        ("spool", SpoolSettings),
        ("[limits]", Limits),
        ("[dispatch]", DispatchSettings),
        ("[dispatch.breaker]", BreakerSettings),
        ("[quality]", QualitySettings),
        ("[retention.days]", RetentionDays),
    ],
)
def test_bounds_are_documented_with_the_default_that_they_have(
    name: str, table: type[msgspec.Struct]
) -> None:
    _, _, rest = PAGE.partition(f"| `{name}` | meaning | default |\n|---|---|---|\n")
    rows = re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", rest.partition("\n\n")[0], re.MULTILINE)

    assert dict(rows) == {
        field.name: told(field.default)
        for field in msgspec.structs.fields(table)
        if not isinstance(field.default, msgspec.Struct)
    }


def told(value: object) -> str:
    """A default as the page writes it."""
    if value is None:
        return "the system's"
    if value == ():
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(told(part) for part in value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,g}"
