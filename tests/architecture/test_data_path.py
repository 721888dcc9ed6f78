"""Rule 12: what somebody sent is never run, unpickled, transformed by it, or imported by its name.

Names are followed through imports (``from pickle import loads as l``) and attributes
(``etree.XSLT``), whatever they are bound to. What may stand is listed with its place and reason,
and an entry that is no longer needed fails.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("gateway", "translators", "trust", "backends")

MODULES = frozenset(
    {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml",
     "ruamel", "jsonpickle", "runpy", "code", "codeop", "imp"}
)  # fmt: skip
"""None of them is imported, in any form."""
NAMES = frozenset({"eval", "exec", "compile", "__import__"})
"""Built in; nobody calls them, under this name or as ``builtins.…``."""
ATTRIBUTES = frozenset(
    {"XSLT", "XSLTAccessControl", "Extension", "FunctionNamespace", "import_module",
     "spec_from_file_location", "exec_module", "find_loader", "load_module", "EntryPoint",
     "entry_points", "call_tracing", "literal_eval"}
)  # fmt: skip
"""Of any module: XSLT, extension functions of XPath, importing by name, running code."""

_COMPILED = "made of the model or of a compiled layout, which the operator writes"
_CHECKS = "made of the model and of our own table of checks; values are constants beside it"
ALLOWED = {
    ("gateway/cli/main.py", "import_module"): "commands of the command line, a literal table",
    ("gateway/regimes/compiled.py", "compile"): _CHECKS,
    ("gateway/regimes/compiled.py", "exec"): _CHECKS,
    ("translators/checks.py", "exec"): _COMPILED,
    ("translators/exchange/tally.py", "exec"): _COMPILED,
    ("translators/layout/fast.py", "compile"): _COMPILED,
    ("translators/layout/fast.py", "exec"): _COMPILED,
    ("translators/layout/fastwrite.py", "compile"): _COMPILED,
    ("translators/layout/fastwrite.py", "exec"): _COMPILED,
}


def sources() -> Iterator[tuple[str, str]]:
    """Every module of ours that is not generated, by its path."""
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            if "wire" not in file.relative_to(ROOT).parts:
                yield str(file.relative_to(ROOT)), file.read_text("utf-8")


def dangerous(source: str) -> set[str]:
    """The names in a module that run or load what they are given."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found |= {one.name for one in names if one.name.partition(".")[0] in MODULES}
            case ast.ImportFrom(module=str(module), names=names, level=0):
                if module.partition(".")[0] in MODULES:
                    found.add(module)
                found |= {one.name for one in names if one.name in ATTRIBUTES | NAMES}
            case ast.Name(id=name) if name in NAMES | {"import_module"}:
                found.add(name)
            case ast.Attribute(attr=name, value=value):
                owner = value.id if isinstance(value, ast.Name) else ""
                if name in ATTRIBUTES or (name in NAMES and owner == "builtins"):
                    found.add(name)
    return found


def test_nothing_on_the_data_path_runs_what_it_was_given() -> None:
    read = list(sources())
    found = {(path, name) for path, source in read for name in dangerous(source)}

    assert len(read) > 200
    assert set() == found - ALLOWED.keys()
    assert set() == ALLOWED.keys() - found, "what is no longer needed is no longer allowed"


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import pickle as p",
        "from pickle import loads as read",
        "import yaml.loader",
        "from yaml import safe_load",
        "eval('1')",
        "run = exec",
        "import builtins; builtins.eval('1')",
        "from builtins import eval as value_of",
        "__import__('os')",
        "import importlib; importlib.import_module('os')",
        "from importlib import import_module as load",
        "from lxml import etree; etree.XSLT(None)",
        "from lxml.etree import XSLT as Transform",
        "from lxml import etree; etree.FunctionNamespace('x')",
        "def f():\n    import marshal",
        "compile('1', '', 'eval')",
    ],
)
def test_the_gate_sees(source: str) -> None:
    assert dangerous(source)


@pytest.mark.parametrize("source", ["import re; re.compile('a')", "evaluate(1)", "x.execute()"])
def test_the_gate_lets_pass(source: str) -> None:
    assert set() == dangerous(source)
