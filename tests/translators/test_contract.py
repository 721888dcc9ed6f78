"""The wire contract: it agrees with the model, only grows, and its generated code is fresh."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from tests.translators.contract import drift, files, listing, objects
from translators.canonical import KINDS, Header, Money
from translators.canonical.scalars import Currency
from translators.exchange.records import descriptor_of
from translators.model import HEADER, SHAPES, describe
from translators.wire.exchange.v1 import interchange_pb2

ROOT = Path(__file__).parents[2]
FROZEN = Path(__file__).with_name("exchange_v1.json")
SHAPES_OF_STRUCTS = list(objects([HEADER, *SHAPES.values()]))


@pytest.mark.parametrize("shape", SHAPES_OF_STRUCTS, ids=lambda shape: shape.struct.__name__)
def test_the_contract_agrees_with_the_model(shape: Any) -> None:
    assert list(drift(shape, descriptor_of(shape.struct))) == []


def test_every_message_of_the_contract_is_a_struct_of_the_model() -> None:
    structs = {shape.struct.__name__ for shape in SHAPES_OF_STRUCTS if shape.struct}
    messages = {
        name
        for file in files()
        if file.name != "exchange/v1/exchange.proto"
        for name in file.message_types_by_name
    }
    assert messages == structs | {"Message", "Interchange"}


def test_a_message_holds_any_kind() -> None:
    held = {
        field.message_type.name: field.name
        for field in interchange_pb2.Message.DESCRIPTOR.oneofs_by_name["kind"].fields
        if field.message_type is not None
    }
    assert held == {kind: re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower() for kind in KINDS}


def test_a_drift_is_told_with_its_field() -> None:
    class Changed(msgspec.Struct, kw_only=True):
        amount: int
        currency: Currency | None = None
        colour: str
        parts: tuple[Money, ...] = ()

    assert list(drift(describe(Changed), descriptor_of(Money))) == [
        "Money.amount is optional uint32 in the model and string in the contract",
        "Money.currency is optional string in the model and string in the contract",
        "Money.colour is missing in the contract",
        "Money.parts is missing in the contract",
    ]


def test_a_field_that_only_the_contract_has_is_told() -> None:
    class Shorter(msgspec.Struct):
        pass

    told = sorted(drift(describe(Shorter), descriptor_of(Money)))
    assert told == [
        "Money.amount is missing in the model",
        "Money.currency is missing in the model",
    ]


def frozen() -> dict[str, str]:
    loaded: dict[str, str] = json.loads(FROZEN.read_text(encoding="utf-8"))
    return loaded


def broken(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """What a partner who compiled the contract before would stumble over."""
    return [
        f"{name} was {was} and is {now.get(name, 'gone')}"
        for name, was in before.items()
        if now.get(name) != was
    ]


def test_nothing_of_version_1_is_removed_renumbered_or_changed() -> None:
    assert broken(frozen(), listing()) == []


def test_what_was_added_is_frozen_too() -> None:
    added = {name: what for name, what in listing().items() if name not in frozen()}
    assert added == {}, f"add to {FROZEN.name}: {json.dumps(added, indent=2)}"


def test_a_break_would_be_noticed() -> None:
    now = listing()
    gone = {name: what for name, what in now.items() if name != "Money.amount"}
    assert broken(now, gone) == ["Money.amount was 1 string and is gone"]
    assert broken(now, now | {"Money.amount": "3 string"}) != []
    assert broken(now, now | {"Money.amount": "1 bytes"}) != []
    assert broken(now, now | {"Exchange.Submit": "stream Submission -> SubmitReply"}) != []
    assert broken(now, now | {"Money.more": "3 optional string"}) == []


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "proto" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_code_is_what_the_sources_give() -> None:
    generate = generator()
    assert generate.differences(generate.TARGET) == []


def test_stale_missing_and_superfluous_files_are_told(tmp_path: Path) -> None:
    generate = generator()
    target = tmp_path / "wire"
    shutil.copytree(generate.TARGET, target, ignore=shutil.ignore_patterns("__pycache__"))
    (target / "exchange/v1/goods_pb2.py").write_text("stale = True\n", encoding="utf-8")
    (target / "exchange/v1/risk_pb2.pyi").unlink()
    (target / "exchange/v1/more_pb2.py").write_text("", encoding="utf-8")
    told = generate.differences(target)
    assert told == [
        "exchange/v1/goods_pb2.py",
        "exchange/v1/more_pb2.py",
        "exchange/v1/risk_pb2.pyi",
    ]
    generate.write(target)
    assert generate.differences(target) == []


def test_the_header_is_part_of_the_contract() -> None:
    assert descriptor_of(Header).full_name == "exchange.v1.Header"
