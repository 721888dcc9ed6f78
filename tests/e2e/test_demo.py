"""The demonstration is the end-to-end test: two administrations as real processes.

What it sends has a canary in every personal value, and its processes log all that they can:
whatever they write is searched (tests/e2e/canary.py).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.demo.topology import BACKENDS, GATEWAYS
from tests.e2e.canary import leaks_below, leaks_in

HANG_SECONDS = 400
SECRET = "canary-of-the-environment-4711"


@pytest.fixture(scope="module")
def demonstrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demonstration that ended, with its result beside it."""
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.e2e.canary_demo", "demo", "--once", "--json"),
            *("--dir", str(folder / "demo"), "--certs", str(folder / "certs")),
        ],
        capture_output=True,
        timeout=HANG_SECONDS,
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "TMPDIR": str(temporary(folder)), "LUXOR_CANARY": SECRET},
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    (folder / "result.json").write_bytes(done.stdout)
    return folder


def luxor(*arguments: str) -> str:
    """The output of a command."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        capture_output=True,
        timeout=HANG_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_everything_arrives_once_and_nothing_is_unexplained(demonstrated: Path) -> None:
    result = json.loads((demonstrated / "result.json").read_text("utf-8"))

    assert (0, 0, 0) == (result["lost"], result["doubled"], result["unexplained"])
    counts = result["counts"]
    assert {"ItemDeclaration": 100, "Referral": 1} == counts["post-a"]["sent"]
    assert {"sent": {"Referral": 2}, "got": {"Referral": 1}} == counts["customs-risk"]
    assert 2 == counts["post-a"]["got"]["Referral"]
    assert 50 == counts["platform-shop"]["sent"]["Order"], "40 orders, 10 of them twice"
    assert {"RiskIndicator": 10} == counts["customs-pn"]["sent"]
    for backend in ("risk", "revenue", "clearance"):
        assert 100 == counts[backend]["got"]["ItemDeclaration"]
    assert 100 == counts["post-a"]["got"]["items decided"]
    assert 2 == counts["post-a"]["got"]["items held for an indicator"]
    assert 2 == counts["customs-pn"]["got"]["results of own indicators"]


def test_a_trace_tells_the_story_across_sources(demonstrated: Path) -> None:
    held = next(
        file
        for file in sorted((demonstrated / "demo/post-a/responses").glob("*.xml"))
        if "<decision>held</decision>" in file.read_text("utf-8")
    )
    text = held.read_text("utf-8")
    item = text.partition("<item-id>")[2].partition("</item-id>")[0]
    config = demonstrated / "demo/gateway-lx/gateway-lx.toml"

    story = json.loads(luxor("trace", item, "--config", str(config), "--json"))

    kinds = json.dumps(story)
    for kind in ("ItemDeclaration", "RiskAssessment", "RevenueAssessment", "CustomsResponse"):
        assert kind in kinds
    for party in ("post-a", "customs-risk", "customs-revenue", "customs-clearance"):
        assert party in kinds


def test_the_demonstrations_itmatt_round_trips_modulo_drops(demonstrated: Path) -> None:
    source = next((demonstrated / "demo/post-a/done").glob("*.xml"), None)
    source = source or next((demonstrated / "demo/post-a/refused").glob("*.xml"))
    good = demonstrated / "good.xml"
    there, back = demonstrated / "there.json", demonstrated / "back.xml"
    again = demonstrated / "again.json"
    report = demonstrated / "report.json"

    # The file has items that are wrong on purpose: the good ones are translated, status 1.
    first = subprocess.run(
        [
            *(sys.executable, "-m", "gateway", "translate", str(source)),
            *("--from", "upu.itmatt.1", "--to", "upu.itmatt.1"),
        ],
        capture_output=True,
        timeout=HANG_SECONDS,
        check=False,
    )
    assert first.returncode == 1
    good.write_bytes(first.stdout)
    there.write_text(
        luxor("translate", str(good), "--from", "upu.itmatt.1", "--to", "luxor.json.1"), "utf-8"
    )
    back.write_text(
        luxor(
            *("translate", str(there), "--from", "luxor.json.1", "--to", "upu.itmatt.1"),
            *("--report", str(report)),
        ),
        "utf-8",
    )
    again.write_text(
        luxor("translate", str(back), "--from", "upu.itmatt.1", "--to", "luxor.json.1"), "utf-8"
    )

    assert good.read_bytes() == back.read_bytes()
    assert json.loads(there.read_text("utf-8")) == json.loads(again.read_text("utf-8"))
    dropped = [n for n in json.loads(report.read_text())["written"] if n["kind"] == "dropped"]
    assert [] == dropped
    assert len(json.loads(there.read_text("utf-8"))["messages"]) > 40


def may_hold(file: Path) -> bool:
    """Where what was sent belongs: the post's own documents, journals, ledgers."""
    return ".db" in file.suffixes or (file.suffix == ".xml" and file.parts[0] == "post-a")


def test_personal_data_is_written_nowhere_but_where_it_belongs(demonstrated: Path) -> None:
    found, searched = leaks_below(demonstrated / "demo", may_hold=may_hold)
    left, _ = leaks_below(demonstrated / "temporary", may_hold=lambda _: False)
    told = leaks_in((demonstrated / "result.json").read_bytes())
    kept, _ = leaks_below(demonstrated / "demo", may_hold=lambda file: not may_hold(file))

    assert ([], [], []) == (found, left, told)
    names = {file.name for file in (demonstrated / "demo").rglob("*")}
    logs = {f"{name}.log" for name in (*GATEWAYS, *BACKENDS)}
    assert logs | {"gateway-lx-metrics", "trace-0", "bad", "other", "quality"} <= names
    assert searched > 40
    assert len(kept) >= 5, "the search finds them where they belong"
    log = (demonstrated / "demo/gateway-lx/gateway-lx.log").read_text("utf-8")
    assert '"level": "debug"' in log


def test_no_secret_is_written_anywhere(demonstrated: Path) -> None:
    keys = [*demonstrated.rglob("certs/**/*.key")]
    secrets = [SECRET.encode(), *(line for key in keys for line in secret_lines(key))]
    forms = [form for secret in secrets for form in (secret, secret.hex().encode())]

    written = [
        str(file.relative_to(demonstrated))
        for file in demonstrated.rglob("*")
        if file.is_file() and "certs" not in file.relative_to(demonstrated).parts
        if any(form in file.read_bytes() for form in forms)
    ]

    assert len(keys) > 10
    assert len(secrets) > 20
    assert [] == written


def secret_lines(key: Path) -> list[bytes]:
    """The lines of a private key that are as long as lines can be."""
    lines = key.read_bytes().splitlines()
    assert b"PRIVATE KEY" in lines[0]
    return [line for line in lines[1:-1] if len(line) >= 32]


def temporary(folder: Path) -> Path:
    """Where the processes put what they do not keep."""
    made = folder / "temporary"
    made.mkdir()
    return made
