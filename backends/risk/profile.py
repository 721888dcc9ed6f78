"""The risk profile: rules, weights and thresholds of one version, read from a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, toml

from backends.risk.conditions import Condition, compile_condition
from backends.risk.text import words
from backends.service.configuration import ConfigurationError
from translators.model import SHAPES
from trust.mistakes import Mistake
from trust.tables import Report, read_table, reporter, tables

Outcome = Literal["clear", "refer", "hold", "do-not-load"]
Level = Literal["low", "medium", "high", "critical"]
Kind = Literal["ItemDeclaration", "Order", "GoodsDeclaration"]
OUTCOMES: tuple[Outcome, ...] = ("clear", "refer", "hold", "do-not-load")
"""From least to most severe."""
LEVELS: tuple[Level, ...] = ("low", "medium", "high", "critical")
KINDS: tuple[Kind, ...] = ("ItemDeclaration", "Order", "GoodsDeclaration")
"""Kinds of messages that are assessed."""

Weight = Annotated[int, Meta(ge=0, le=1000)]
ShortCode = Annotated[str, Meta(min_length=1, max_length=35)]


class Sharing(msgspec.Struct, frozen=True, kw_only=True):
    """``[rule.indicator]``: what is told to others when a rule with ``share`` speaks."""

    kind: Literal["entity", "commodity"] = "entity"
    about: Literal["sender", "addressee"] = "sender"
    """Which trade party an entity indicator names."""
    handling: Literal["own-use", "no-onward", "release-with-consent"] = "no-onward"
    statement: Annotated[str, Meta(min_length=1, max_length=2000)] | None = None
    valid_days: Annotated[int, Meta(ge=1, le=3650)] = 180


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule, ready to be asked."""

    id: str
    area: str
    level: Level
    outcome: Outcome
    text: str
    weight: int
    kinds: frozenset[str]
    condition: Condition
    sharing: Sharing | None = None


class IndicatorPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """``[indicators]``: what a matching indicator of a level does and weighs."""

    outcomes: dict[Level, Outcome] = {}
    weights: dict[Level, Weight] = {}
    other: Outcome = "refer"
    """For levels that are not listed, also those of others' own spelling."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A whole profile. Scores at or above a threshold raise the outcome to it."""

    version: str
    rules: tuple[Rule, ...] = ()
    indicators: IndicatorPolicy = IndicatorPolicy()
    refer_at: Decimal | None = None
    hold_at: Decimal | None = None
    ignored_words: frozenset[str] = frozenset()


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    version: ShortCode
    title: str = ""
    source: str = ""
    example: bool = False


class _Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    refer: Annotated[int, Meta(ge=1)] | None = None
    hold: Annotated[int, Meta(ge=1)] | None = None


class _Matching(msgspec.Struct, frozen=True, kw_only=True):
    ignored_name_words: tuple[str, ...] = ()


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,40}\Z")]
    area: ShortCode
    level: Level
    outcome: Outcome
    text: Annotated[str, Meta(min_length=1, max_length=512)]
    weight: Weight = 0
    kinds: Annotated[tuple[Kind, ...], Meta(min_length=1)] = ("ItemDeclaration",)
    share: bool = False


def read_profile(path: Path) -> Profile:
    """Raises :class:`ConfigurationError` with every mistake and its place in the file."""
    source = str(path)
    try:
        document = toml.decode(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(source, [Mistake("", error.strerror or str(error))]) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(source, [Mistake("", f"not TOML: {error}")]) from error
    mistakes: list[Mistake] = []
    profile = _profile(document, reporter(mistakes))
    if mistakes or profile is None:
        raise ConfigurationError(source, mistakes)
    return profile


def _profile(document: Mapping[str, Any], report: Report) -> Profile | None:
    sections = ("profile", "indicators", "thresholds", "matching", "rule")
    for name in document.keys() - set(sections):
        report(name, f"unknown section; known are {', '.join(sections)}")
    head = read_table(document.get("profile", {}), _Head, "profile", report)
    policy = read_table(document.get("indicators", {}), IndicatorPolicy, "indicators", report)
    thresholds = read_table(document.get("thresholds", {}), _Thresholds, "thresholds", report)
    matching = read_table(document.get("matching", {}), _Matching, "matching", report)
    rules = [
        _rule(raw, f"rule[{at}]", report)
        for at, raw in enumerate(tables(document, "rule", "", report))
    ]
    seen: set[str] = set()
    for at, rule in enumerate(rules):
        if rule is not None and rule.id in seen:
            report(f"rule[{at}].id", f"{rule.id!r} is there already")
        elif rule is not None:
            seen.add(rule.id)
    if head is None or policy is None or thresholds is None or matching is None:
        return None
    return Profile(
        version=head.version,
        rules=tuple(rule for rule in rules if rule is not None),
        indicators=policy,
        refer_at=None if thresholds.refer is None else Decimal(thresholds.refer),
        hold_at=None if thresholds.hold is None else Decimal(thresholds.hold),
        ignored_words=frozenset(w for text in matching.ignored_name_words for w in words(text)),
    )


def _rule(raw: Mapping[str, Any], path: str, report: Report) -> Rule | None:
    row = read_table(raw, _Row, path, report, beside=("when", "indicator"))
    sharing = None
    if row is not None and row.share:
        sharing = read_table(raw.get("indicator", {}), Sharing, f"{path}.indicator", report)
    elif "indicator" in raw:
        report(f"{path}.indicator", "stands only beside share = true")
    kinds = row.kinds if row is not None else ()
    condition = compile_condition(
        raw.get("when"), tuple(SHAPES[kind] for kind in kinds), f"{path}.when", report
    )
    if row is None or condition is None:
        return None
    return Rule(
        id=row.id,
        area=row.area,
        level=row.level,
        outcome=row.outcome,
        text=row.text,
        weight=row.weight,
        kinds=frozenset(row.kinds),
        condition=condition,
        sharing=sharing,
    )
