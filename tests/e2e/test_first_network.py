"""The page about a network of one's own, typed as it stands."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.main import luxor
from tests.e2e.network import GatewayProcess

PAGE = Path(__file__).parents[2] / "docs" / "first-network.md"
SERVE = "luxor serve --config gateway/gateway.toml"
ADDRESS = "https://localhost:8443"


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return [text for name, text in fenced if name == language]


def commands(page: str) -> list[str]:
    """What stands in blocks to be typed, a line each."""
    return "".join(blocks(page, "")).replace("\\\n", " ").splitlines()


def typed(line: str) -> None:
    """One line of a shell: a command, perhaps with its output into a file."""
    words = shlex.split(line)
    target = None
    if ">" in words:
        words, (target,) = words[: words.index(">")], words[words.index(">") + 1 :]
    match words:
        case ["mkdir", *folders]:
            for folder in folders:
                Path(folder).mkdir()
        case ["cp", source, copy]:
            shutil.copy(source, copy)
        case ["luxor", *arguments]:
            result = CliRunner().invoke(luxor, arguments)
            assert 0 == result.exit_code, f"{line}\n{result.output}"
            if target is not None:
                Path(target).write_bytes(result.stdout_bytes)
        case _:
            pytest.fail(f"the page has a line that is not understood: {line}")


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GatewayProcess]:
    """The gateway of the page, made and started as it says, on free ports."""
    monkeypatch.chdir(tmp_path)
    page = PAGE.read_text("utf-8")
    lines = commands(page)
    for line in lines[: lines.index(f"{SERVE} --check")]:
        typed(line)
    (config,) = blocks(page, "toml")
    gateway = GatewayProcess(tmp_path / "gateway", tmp_path / "pki", config)
    typed(f"{SERVE} --check")
    try:
        gateway.start("ingress.https.port=0", "ingress.operations.port=0")
        yield gateway
    finally:
        gateway.stop()


def test_the_page_leads_to_a_message_with_a_receipt_that_is_proved(
    started: GatewayProcess,
) -> None:
    lines = commands(PAGE.read_text("utf-8"))
    rest = lines[lines.index(SERVE) + 1 :]

    for line in rest:
        typed(line.replace(ADDRESS, f"https://localhost:{started.ports.https}"))

    assert [line.split()[1] for line in rest if line.startswith("luxor")][-2:] == [
        "submit",
        "receipt",
    ]
    assert Path("post/receipt.json").exists()
    assert 0o600 == Path("gateway/signing.key").stat().st_mode & 0o777
