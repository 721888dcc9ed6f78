"""What the source must look like, beyond what the linters know."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("gateway", "translators", "trust", "backends")
LONGEST_MODULE = 500
BANNED = {"common", "utils", "util", "helpers", "helper", "misc", "base", "manager"}
CLOCKS = re.compile(r"\b(?:datetime\.now|datetime\.utcnow|date\.today|time\.time)\(")
IGNORED = re.compile(r"#\s*(?:noqa:\s*[A-Z0-9, ]+|type:\s*ignore\[[^\]]+\])(?P<reason>.*)$")
LINK = re.compile(
    r"`((?:docs|examples|deploy|proto|requirements|certs|gateway|translators)/[^`\s*]+)`"
)


def tracked(*patterns: str) -> list[Path]:
    """The files that git knows; in an exported tree, all that lie there."""
    done = subprocess.run(
        ["git", "ls-files", "--", *patterns], cwd=ROOT, capture_output=True, check=False
    )
    names = done.stdout.decode().splitlines()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def modules() -> list[Path]:
    """Our own modules, without generated ones."""
    return [
        file
        for package in PACKAGES
        for file in sorted((ROOT / package).rglob("*.py"))
        if "wire" not in file.relative_to(ROOT).parts
    ]


def test_no_module_is_too_long_or_has_a_name_that_says_nothing() -> None:
    assert len(modules()) > 200
    for file in (*modules(), *sorted((ROOT / "tests").rglob("*.py"))):
        lines = len(file.read_text("utf-8").splitlines())
        assert lines <= LONGEST_MODULE, f"{file.relative_to(ROOT)} has {lines} lines"
        assert file.stem not in BANNED, file.relative_to(ROOT)


@pytest.mark.parametrize(
    "package", ["translators", "trust", "gateway/core", "gateway/regimes", "gateway/routing"]
)
def test_pure_packages_read_no_clock(package: str) -> None:
    for file in (ROOT / package).rglob("*.py"):
        assert not CLOCKS.search(file.read_text("utf-8")), file.relative_to(ROOT)


def test_every_ignore_has_its_reason() -> None:
    bare = []
    for file in modules():
        lines = file.read_text("utf-8").splitlines()
        for number, line in enumerate(lines):
            found = IGNORED.search(line)
            above = any("# " in before for before in lines[max(number - 2, 0) : number])
            if found is not None and not found["reason"].strip(" -#") and not above:
                bare.append(f"{file.relative_to(ROOT)}:{number + 1}")
    assert [] == bare, "say it behind the ignore, or in a comment just above"


def test_no_private_key_is_in_the_repository() -> None:
    for file in tracked():
        content = file.read_bytes()
        assert not re.search(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{20}", content), (
            file.relative_to(ROOT)
        )


def test_every_file_that_the_documents_name_is_there() -> None:
    missing = []
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        for name in LINK.findall(page.read_text("utf-8")):
            if name.startswith(("certs/", "docs/ARCHITECTURE")) or "<" in name:
                continue
            if not (ROOT / name.rstrip("/,.")).exists():
                missing.append(f"{page.name}: {name}")
    assert [] == missing
