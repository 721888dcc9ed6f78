"""Every fault code that the formats use is documented."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import translators

PACKAGE = Path(translators.__file__).parent
CODE = re.compile(r"[a-z]+\.[a-z]+(?:-[a-z]+)*")
CATEGORIES = {"document", "structure", "value", "limit"}


def listed() -> dict[str, dict[str, str]]:
    text = files("translators").joinpath("codes", "faults.toml").read_text("utf-8")
    table: dict[str, dict[str, str]] = tomllib.loads(text)["code"]
    return table


def texts(node: ast.AST) -> Iterator[str]:
    for below in ast.walk(node):
        if isinstance(below, ast.Constant) and isinstance(below.value, str):
            yield below.value


def ending(text: ast.JoinedStr) -> tuple[str, ...]:
    """What a composed text ends with when that may be the second half of a code."""
    last = text.values[-1] if text.values else None
    if isinstance(last, ast.Constant) and re.fullmatch(r"\.[a-z-]+", str(last.value)):
        return (str(last.value),)
    return ()


def used() -> set[str]:
    """Texts that are codes of a listed family, and whatever is given as ``code=``."""
    families = {code.partition(".")[0] for code in listed()}
    found = set()
    for path in PACKAGE.rglob("*.py"):
        if "wire" in path.parts:
            continue
        tree = ast.parse(path.read_text("utf-8"))
        found |= {
            text
            for text in texts(tree)
            if CODE.fullmatch(text) and text.partition(".")[0] in families
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "code":
                found |= {text for text in texts(node.value) if CODE.fullmatch(text)}
            if isinstance(node, ast.JoinedStr):
                found |= {code for code in listed() if code.endswith(ending(node))}
    return found


def test_every_code_that_is_used_is_listed() -> None:
    assert used() - listed().keys() == set()


def test_every_code_that_is_listed_is_used() -> None:
    assert listed().keys() - used() == set()


def test_every_code_has_its_meaning_and_category() -> None:
    for code, entry in listed().items():
        assert entry.keys() == {"meaning", "category"}, code
        assert entry["meaning"].endswith("."), code
        assert entry["category"] in CATEGORIES, code
