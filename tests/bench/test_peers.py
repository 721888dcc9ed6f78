"""Peers: figures are put together fairly both ways, and what cannot be measured is told."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import msgspec
import psutil
import pytest

from bench.load.observed import Observed, nothing
from bench.load.pump import Request
from bench.page import PAGE, with_part
from bench.peers import measuring, processes, report
from bench.peers.documents import document
from bench.peers.environment import NotInstalled
from bench.peers.load import arrive, request, saturate
from bench.peers.measuring import Figures, Length, Row, best, measured
from bench.peers.subject import Comparison, Open, Serving, Subject
from bench.peers.subjects import library

FEW = Length(warm=0.1, run=0.1, rounds=1)


def figures(*, rate: float = 100.0, cpu: float = 500.0, generator: float = 0.1) -> Figures:
    return Figures(
        rate=rate, cpu=cpu, steady=rate / 2, p50=1.0, p99=2.0, memory=64.0, generator=generator
    )


def row(name: str, found: Figures | None, *, missing: str = "") -> Row:
    return Row(
        id=name, title=name.title(), does="something", settings="so", figures=found, missing=missing
    )


def comparison(*ours: str) -> Comparison:
    return Comparison(title="One job", peer="peer", ours=ours, fairness="It is fair.")


def told(*rows: Row) -> report.Report:
    return report.Report(
        commit="abc",
        at="2026-11-22T09:00:00Z",
        machine={"processor": "2 × one", "load before": "0.10"},
        document=1575,
        connections=8,
        seconds=4.0,
        rounds=3,
        rows=rows,
    )


# -- what is said ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("peer", "own", "said"),
    [
        (900.0, 300.0, "Peer takes 3 times the CPU of Own for a request"),
        (300.0, 900.0, "Own takes 3 times the CPU of Peer for a request"),
        (300.0, 300.0, "Peer takes 1 times the CPU of Own for a request"),
    ],
)
def test_who_takes_more_is_said_whoever_it_is(peer: float, own: float, said: str) -> None:
    rows = {"peer": row("peer", figures(cpu=peer)), "own": row("own", figures(cpu=own))}
    assert report.verdicts(comparison("own"), rows) == [said]


def test_who_was_not_measured_is_said_with_the_reason() -> None:
    away = row("peer", None, missing="NotInstalled: npm ci ended with 1")
    here, gone = row("own", figures()), row("other", None, missing="NotStarted: ended with 3")
    rows = {"peer": away, "own": here, "other": gone}
    assert report.verdicts(comparison("own"), rows) == [
        "Peer was not measured: NotInstalled: npm ci ended with 1"
    ]
    rows["peer"] = row("peer", figures())
    assert report.verdicts(comparison("own", "other"), rows)[1] == (
        "Other was not measured: NotStarted: ended with 3"
    )
    page = report.markdown(told(away, here, gone), [comparison("own", "other")])
    assert "| Peer | not measured |  |  |  |  |" in page
    assert "Peer was not measured: NotInstalled: npm ci ended with 1." in page


def test_a_page_has_a_table_for_each_comparison_and_says_what_is_not_alike() -> None:
    page = report.markdown(
        told(row("peer", figures(cpu=2_500.0)), row("own", figures(rate=1_234.0))),
        [comparison("own")],
    )
    assert "### One job" in page
    assert "| Peer | 100 | 2,500 | 1 | 2 | 64 |" in page
    assert "| Own | 1,234 | 500 | 1 | 2 | 64 |" in page
    assert "It is fair." in page
    assert "2 × one, load before 0.10. One document of 1,575 bytes" in page
    assert "- **Own** (): something. Set up: so." in page
    assert "load generator" not in page


def test_a_generator_at_its_limit_is_said() -> None:
    limited = row("own", figures(generator=0.97))
    assert report.cells(limited)[1] == "100 *"
    page = report.markdown(told(row("peer", figures()), limited), [comparison("own")])
    assert "generator was at its limit" in page


@pytest.mark.parametrize(("load", "said"), [("0.90", False), ("1.10", True)])
def test_a_machine_that_had_other_work_is_said(load: str, *, said: bool) -> None:
    found = told(row("peer", figures()), row("own", figures()))
    busy = msgspec.structs.replace(found, machine={"load before": load})
    assert ("had other work" in report.markdown(busy, [comparison("own")])) is said


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = told(row("peer", figures()), row("own", None, missing="why"))
    report.write(tmp_path / "results/peers.json", written)
    assert report.read(tmp_path / "results/peers.json") == written
    assert report.read(tmp_path / "nothing.json") is None


def test_the_page_has_the_part_that_is_written() -> None:
    page = with_part(PAGE.read_text("utf-8"), "peers", "what was found\n")
    assert "what was found\n<!-- bench:end -->" in page


# -- rounds ------------------------------------------------------------------------------------


def test_of_several_rounds_the_best_of_each_figure_counts_and_the_most_memory() -> None:
    slow = Figures(rate=90, cpu=400, steady=45, p50=1, p99=9, memory=70, generator=0.2)
    quick = Figures(rate=100, cpu=450, steady=50, p50=2, p99=8, memory=60, generator=0.3)
    together = best([row("own", slow), row("own", quick)]).figures
    assert together == Figures(rate=100, cpu=400, steady=50, p50=1, p99=8, memory=70, generator=0.3)


def test_a_round_that_failed_stands_for_all() -> None:
    failed = row("own", None, missing="NotStarted: ended with 1")
    assert best([row("own", figures()), failed]) == failed


def test_a_program_that_is_not_there_is_a_row_that_says_so() -> None:
    def version() -> str:
        raise NotInstalled("npm ci ended with 1")

    subject = msgspec.structs.replace(library.SUBJECT, version=version)
    found = measured(subject, FEW)
    assert (found.figures, found.missing) == (None, "NotInstalled: npm ci ended with 1")


def test_a_program_that_does_not_start_is_a_row_with_the_end_of_its_log(tmp_path: Path) -> None:
    port = processes.free_port()
    failing = ["sh", "-c", "echo no such module >&2; exit 3"]
    with (
        pytest.raises(processes.NotStarted, match="ended with 3: no such module"),
        processes.serving(failing, port=port, folder=tmp_path),
    ):
        pass


# -- a program, measured -----------------------------------------------------------------------


STUB = """
import asyncio, sys
port, status = sys.argv[1:]
ANSWER = f"HTTP/1.1 {status} So\\r\\nContent-Length: 2\\r\\n\\r\\nok".encode()
class Answering(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        self.transport.write(ANSWER)
async def serve():
    await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", int(port))
    await asyncio.Event().wait()
asyncio.run(serve())
"""
"""Answers each request, which comes in one piece, with that status."""


@contextmanager
def answering(folder: Path, *, status: int = 200, lacks: str = "") -> Iterator[Serving]:
    port = processes.free_port()
    command = [sys.executable, "-c", STUB, f"{port}", f"{status}"]

    def requests(first: int, count: int) -> Sequence[Request]:
        return [
            request(b"x", path="/", name=f"{n}", fields={}) for n in range(first, first + count)
        ]

    with processes.serving(command, port=port, folder=folder) as pid:
        yield Serving(pid=pid, place=Open(port), requests=requests, done=lambda _: lacks)


def subject(serve: Callable[[Path], AbstractContextManager[Serving]]) -> Subject:
    return Subject(
        id="stub",
        title="Stub",
        does="answers",
        settings="none",
        version=lambda: "1",
        serve=serve,
        quickest=1_000.0,
    )


def test_a_program_is_measured_and_stopped() -> None:
    pids: list[int] = []

    @contextmanager
    def seen(folder: Path) -> Iterator[Serving]:
        with answering(folder) as serving:
            pids.append(serving.pid)
            yield serving

    found = measured(subject(seen), FEW)
    assert (found.version, found.missing) == ("1", "")
    assert found.figures is not None
    assert found.figures.rate > 0
    assert found.figures.memory > 1
    assert found.figures.steady == found.figures.rate / 2
    assert len(pids) == 1
    assert not psutil.pid_exists(pids[0])


def test_figures_are_of_the_right_run_and_no_request_is_asked_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []
    runs = [seen(30, elapsed=3.0), seen(200, elapsed=2.0, cpu=0.5), seen(100, elapsed=2.0)]
    rates: list[float] = []

    def saturated(place: object, requests: object, *, connections: int, seconds: float) -> Observed:
        del place, requests, connections, seconds
        return runs.pop(0)

    def arrived(place: object, requests: object, *, connections: int, rate: float) -> Observed:
        del place, requests, connections
        rates.append(rate)
        return runs.pop(0)

    def requests(first: int, count: int) -> Sequence[Request]:
        asked.append((first, count))
        return []

    spent = iter([1.0, 1.5])
    monkeypatch.setattr(measuring, "saturate", saturated)
    monkeypatch.setattr(measuring, "arrive", arrived)
    monkeypatch.setattr(processes, "spent", lambda _: next(spent))
    monkeypatch.setattr(processes, "resident", lambda _: 40.0)
    counted: list[int] = []

    def done(count: int) -> str:
        counted.append(count)
        return ""

    serving = Serving(pid=1, place=Open(1), requests=requests, done=done)

    @contextmanager
    def served(folder: Path) -> Iterator[Serving]:
        assert folder.exists()
        yield serving

    found = measured(subject(served), Length(warm=2.0, run=4.0, rounds=1)).figures
    assert found == Figures(
        rate=100.0, cpu=2_500.0, steady=50.0, p50=50.0, p99=99.0, memory=40.0, generator=0.25
    )
    assert rates == [50.0]
    assert counted == [30, 230, 330]
    assert asked == [(0, 2_000), (30, 68), (230, 200)]


def seen(answered: int, *, elapsed: float, cpu: float = 0.0) -> Observed:
    """So many answers, after 1 ms, 2 ms, … as they were."""
    found = nothing()
    found.latency.extend((number + 1) / 1_000 for number in range(answered))
    found.sent, found.elapsed, found.cpu = answered, elapsed, cpu
    return found


def test_what_a_server_has_started_ends_with_it(tmp_path: Path) -> None:
    port = processes.free_port()
    started = f"sleep 60 & exec {sys.executable} -c '{STUB}' {port} 200"
    with processes.serving(["sh", "-c", started], port=port, folder=tmp_path) as pid:
        whole = processes.tree(pid)
        assert len(whole) == 2
        assert processes.spent(pid) >= 0
        assert processes.resident(pid) > processes.resident(whole[1].pid)
    until = time.monotonic() + 10.0
    while any(lives(one) for one in whole):  # killed, and soon gone
        assert time.monotonic() < until
        time.sleep(0.01)


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_program_that_answers_otherwise_has_no_figures() -> None:
    found = measured(subject(partial(answering, status=422)), FEW)
    assert found.figures is None
    assert "'status 422'" in found.missing


def test_a_program_that_has_not_done_what_it_answered_has_no_figures() -> None:
    found = measured(subject(partial(answering, lacks="0 kept, of 9")), FEW)
    assert (found.figures, found.missing) == (None, "Misbehaved: 0 kept, of 9")


def test_a_run_ends_when_its_time_is_over_and_all_that_was_asked_is_answered(
    tmp_path: Path,
) -> None:
    with answering(tmp_path) as serving:
        many = list(serving.requests(0, 1)) * 200_000
        full = saturate(serving.place, many, connections=4, seconds=0.1)
        calm = arrive(serving.place, many[:40], connections=4, rate=400.0)
    assert full.errors == 0
    assert full.answered == full.sent < len(many)
    assert calm.errors == 0
    assert calm.answered == calm.sent > 0
    assert max(calm.due) <= 0.1 + 1e-9


def test_our_translators_answer_our_json_or_what_is_wrong(tmp_path: Path) -> None:
    broken = document(2).replace(b"<gross-weight>1.25", b"<gross-weight>x")
    refused = request(broken, path="/", name="broken", fields={}, expected=b"422")
    with library.serve(tmp_path) as serving:
        asked = [*serving.requests(1, 4), refused]
        seen = saturate(serving.place, asked, connections=1, seconds=10.0)
        assert (seen.answered, seen.errors) == (5, 0)
        assert processes.spent(serving.pid) > 0
