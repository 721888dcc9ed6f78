"""What may change while a gateway runs, and that everything else is named when it does."""

import msgspec
import pytest

from gateway.config.changeable import CHANGEABLE, restarts
from gateway.config.document import Config, IngressSection

BASE: dict[str, dict[str, object]] = {
    "gateway": {"id": "gateway-lx", "number": 1},
    "tls": {"certificate": "tls.pem", "key": "tls.key"},
    "signing": {"key": "signing.key"},
    "registry": {"file": "registry.toml"},
    "ingress": {"https": {"port": 1, "names": ["a.example"]}},
}
FOLDER = {"party": "post-a", "path": "p", "format": "upu.itmatt.1"}


def config(**sections: object) -> Config:
    return msgspec.convert({**BASE, **sections}, Config)


@pytest.mark.parametrize(
    ("sections", "paths"),
    [
        ({"gateway": {"id": "gateway-fr", "number": 1}}, ["gateway.id"]),
        (
            {"gateway": {"id": "gateway-lx", "number": 2, "data": "x"}},
            ["gateway.data", "gateway.number"],
        ),
        ({"tls": {"certificate": "other.pem", "key": "tls.key"}}, ["tls.certificate"]),
        (
            {"ingress": {"https": {"port": 2, "names": ["b.example"]}}},
            ["ingress.https.names", "ingress.https.port"],
        ),
        ({"ingress": {}}, ["ingress.https"]),
        ({"ingress": {**BASE["ingress"], "grpc": {}}}, ["ingress.grpc"]),
        ({"registry": {"file": "other.toml"}}, ["registry.file"]),
    ],
)
def test_what_can_not_change_while_it_runs_is_named(
    sections: dict[str, object], paths: list[str]
) -> None:
    found = restarts(config(), config(**sections))

    assert paths == [mistake.path for mistake in found]
    assert all(mistake.text.startswith("restart needed") for mistake in found)


@pytest.mark.parametrize(
    "sections",
    [
        {"limits": {"messages": 1, "party": {"burst": 1}}},
        {"dispatch": {"batch": 1}},
        {"severity": {"x.y": "ignore"}},
        {"countries": ["XX"]},
        {"codes": {"hs": "hs.csv"}},
        {"format": [{"layout": "a.toml"}]},
        {"regime": [{"file": "b.toml"}]},
        {"retention": {"enabled": False}, "answers": {}, "clearance": {}},
        {"quality": {"least_euro_per_kg": 0.5}},
        {"ingress": {**BASE["ingress"], "folder": [FOLDER]}},
    ],
)
def test_what_is_asked_for_when_it_is_needed_may_change(sections: dict[str, object]) -> None:
    assert config() != config(**sections)
    assert () == restarts(config(), config(**sections))


def test_every_key_that_may_change_is_one_of_the_file() -> None:
    keys = {field.encode_name for field in msgspec.structs.fields(Config)}
    keys |= {f"ingress.{field.encode_name}" for field in msgspec.structs.fields(IngressSection)}

    assert CHANGEABLE <= keys
