"""Conformance suites in the run: their marker, their figures, their waivers, their summary."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import harness
from tests.examples import make_repeatable

make_repeatable()

Figure = Callable[[str, int, int], None]

WAIVERS = Path(__file__).parent / "conformance" / "waivers.toml"
PROCESSES = ("tests/faults/", "tests/e2e/", "tests/backends/")
"""Where tests start programs."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of ``make conformance``."""
    group = parser.getgroup("conformance")
    group.addoption("--conformance", action="store_true", help="print a summary of the suites")
    group.addoption("--waivers", type=Path, default=WAIVERS, help="waivers by suite and test id")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Each case knows its suite; a waived one must fail (strictly: passing fails the run).

    What starts processes and waits for them comes first, so that no test process is left alone with
    it at the end.
    """
    items.sort(key=lambda item: not item.nodeid.startswith(PROCESSES))
    waivers = harness.read_waivers(config.getoption("--waivers"))
    for item in items:
        marker = item.get_closest_marker("conformance")
        if marker is None:
            continue
        (suite,) = marker.args
        item.user_properties += [(harness.SUITE, suite), (harness.CASE, item.name)]
        reason = waivers.get(suite, {}).get(item.name)
        if reason is not None:
            item.add_marker(pytest.mark.xfail(strict=True, reason=f"waived: {reason}"))


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    """``figure("carried", n, total)``: a line below the suite's; those of one label are added."""

    def told(label: str, part: int, total: int) -> None:
        request.node.user_properties.append((harness.FIGURE, (label, part, total)))

    return told


def _results(config: pytest.Config) -> list[harness.Result]:
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    return harness.results(reporter.stats if reporter else {})


def _strangers(config: pytest.Config) -> list[str]:
    """Waivers of nothing, when everything was run, so that one can tell."""
    everything = config.args_source == pytest.Config.ArgsSource.TESTPATHS
    if not config.getoption("--conformance") or config.getoption("keyword") or not everything:
        return []
    return list(harness.strangers(_results(config), harness.read_waivers(_waivers(config))))


def _waivers(config: pytest.Config) -> Path:
    path: Path = config.getoption("--waivers")
    return path


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A waiver of a case that there is not fails the run."""
    is_worker = hasattr(session.config, "workerinput")
    if session.exitstatus == pytest.ExitCode.OK and not is_worker and _strangers(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """The suites, when asked for."""
    if not config.getoption("--conformance"):
        return
    terminalreporter.section("conformance")
    for line in harness.summary(_results(config), harness.read_waivers(_waivers(config))):
        terminalreporter.write_line(line)
    for line in _strangers(config):
        terminalreporter.write_line(f"FAILED {line}", red=True)
