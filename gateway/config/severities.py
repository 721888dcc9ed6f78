"""What ``[severity]`` and the severities of parties may name: codes that there are."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from importlib import resources
from typing import Any

from gateway.config.mistakes import Mistake
from gateway.pipeline.judge import FIXED


def judge_severities(codes: Iterable[str], path: str) -> Iterator[Mistake]:
    """Codes of no fault, and of faults whose severity is no matter of configuration."""
    known = _fault_codes()
    for code in codes:
        if code in FIXED:
            yield Mistake(f"{path}.{code}", "always refuses: it is about what a sender may do")
        elif not any(fnmatchcase(code, family) for family in known) or code in _families(known):
            yield Mistake(f"{path}.{code}", "there is no such fault; luxor codes names all")


def _families(known: Iterable[str]) -> set[str]:
    """``regime.*`` and its like: as a key of a table it would name no fault."""
    return {code for code in known if code.endswith("*")}


def _fault_codes() -> frozenset[str]:
    """The codes of formats and of the gateway's own rules."""
    found: set[str] = set()
    for package, file in (("translators", "codes/faults.toml"), ("gateway.core", "faults.toml")):
        text = resources.files(package).joinpath(*file.split("/")).read_text("utf-8")
        rows: dict[str, Any] = tomllib.loads(text)["code"]
        found |= rows.keys()
    return frozenset(found)
