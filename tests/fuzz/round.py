"""A round of fuzzing: each target for a time, or for a number of runs, in a process of its own.

``python -m tests.fuzz.round --seconds 60`` is what ``make fuzz`` does. What it finds lies in
``var/fuzz/TARGET/`` as ``finding-…``, with the reason beside it; inputs that reached something new
are kept there too, so that the next round begins where this one ended. Status 1 says that there
are findings, 3 that atheris is not installed.
"""

from __future__ import annotations

import argparse
import builtins
import contextlib
import io
import os
import re
import shutil
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests.fuzz.watch import MAX_INPUT_BYTES, REASON, Watch, note

HANG_SECONDS = 30
"""Time after which an input is ended that does not come back, on a machine that is busy."""
MEMORY_MB = 1_024
INSTRUMENTED = ("trust", "translators", "gateway", "http_sf")
GENERATING = (
    "translators.checks",
    "translators.exchange.tally",
    "translators.layout.fast",
    "translators.layout.fastwrite",
)
"""Modules that compile readers and writers out of layouts; that code is followed as well."""
ABSENT = "atheris is not installed: make setup (it is in requirements/dev.lock)"

_COVERED = re.compile(r"\bcov: (\d+)")


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one target. ``findings`` are the files of the inputs that broke it."""

    target: str
    runs: int
    seconds: float
    covered: int
    status: int
    findings: tuple[str, ...] = ()
    reason: str = ""

    @property
    def good(self) -> bool:
        """True when nothing was found, something was tried and the round came to its end."""
        return self.status == 0 and self.runs > 0 and not self.findings


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How long: ``runs`` of each target (its share of them), or ``seconds`` when there are none.

    A ``blind`` round does not look which branches an input takes: quicker to begin, less clever.
    """

    into: Path
    seed: int
    runs: int = 0
    seconds: int = 0
    blind: bool = False


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    options = _options(arguments)
    try:
        import atheris  # type: ignore[import-untyped]  # it has none
    except ImportError:
        print(ABSENT, file=sys.stderr)
        return 3
    following = contextlib.nullcontext if options.blind else atheris.instrument_imports
    with _quiet(), following(list(INSTRUMENTED)):
        from tests.fuzz.catalogue import TARGETS
        from tests.fuzz.planted import PLANTED
    if not options.blind:
        _follow_generated(atheris)
    known = {each.name: each for each in (*TARGETS, *PLANTED)}
    for name in options.target:
        if name not in known:
            print(f"there is no target {name}; there are {', '.join(known)}", file=sys.stderr)
            return 2
    plan = Plan(
        into=options.into,
        seed=options.seed,
        runs=options.runs,
        seconds=options.seconds,
        blind=options.blind,
    )
    results = []
    for name in options.target or [each.name for each in TARGETS]:
        result = _in_its_own_process(atheris, known[name], plan)
        results.append(result)
        if not options.json:
            print(_line(result), flush=True)
    if options.json:
        print(msgspec.json.encode(results).decode())
    return 0 if all(result.good for result in results) else 1


def _options(arguments: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.round", description=__doc__)
    parser.add_argument("target", nargs="*", help="names of targets; all without one")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--runs", type=int, default=0, help="in place of a time")
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time")
    parser.add_argument("--into", type=Path, default=Path("var/fuzz"), help="var/fuzz")
    parser.add_argument(
        "--blind", action="store_true", help="do not follow branches: a short round"
    )
    parser.add_argument("--json", action="store_true", help="results as one JSON array")
    return parser.parse_args(arguments)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """atheris names each module that it instruments."""
    with contextlib.redirect_stderr(io.StringIO()):
        yield


def _follow_generated(atheris: Any) -> None:
    """Have the code instrumented that modules make of layouts: their ``exec`` is replaced."""

    def run(source: Any, names: dict[str, Any]) -> None:
        code = compile(source, "<generated>", "exec") if isinstance(source, str) else source
        builtins.exec(atheris.patch_code(code, True), names)  # noqa: FBT003, S102 - what it replaces

    for name in GENERATING:
        vars(sys.modules[name])["exec"] = run


def _in_its_own_process(atheris: Any, target: Any, plan: Plan) -> Result:
    """Run one target in a fork of this process, which has everything imported already."""
    folder = plan.into.absolute() / target.name
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log"
    watch = Watch(folder)
    begun = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            _become(atheris, target, plan, watch, log)
        finally:  # libFuzzer ends the process; what comes here died before it began
            os._exit(70)
    _, ended = os.waitpid(child, 0)
    status = os.waitstatus_to_exitcode(ended)
    text = log.read_text("utf-8", "replace") if log.exists() else ""
    if status != 0 and watch.runs:  # not an exception, which is noted where it is raised
        note(folder, watch.current, f"the process ended with {status}\n{text[-2000:]}")
    covered = _COVERED.findall(text)
    found = (file for file in sorted(folder.glob("finding-*")) if file.suffix != REASON)
    findings = tuple(map(str, found))
    reasons = [Path(each + REASON).read_text("utf-8") for each in findings]
    return Result(
        target=target.name,
        runs=watch.runs,
        seconds=round(time.monotonic() - begun, 2),
        covered=int(covered[-1]) if covered else 0,
        status=status,
        findings=findings,
        reason="\n".join(reasons) or ("" if status == 0 else text[-2000:]),
    )


def _become(atheris: Any, target: Any, plan: Plan, watch: Watch, log: Path) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    folder = log.parent
    try:
        prepared = target.prepare()
        if not prepared.judge(prepared.seeds[0]):
            raise AssertionError("the first seed is refused: nothing deep would be reached")
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(71)
    corpus, seeds, words = folder / "corpus", folder / "seeds", folder / "words"
    shutil.rmtree(seeds, ignore_errors=True)
    for place in (corpus, seeds):
        place.mkdir(exist_ok=True)
    for number, seed in enumerate(prepared.seeds):
        (seeds / f"{number:03}").write_bytes(seed)
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in prepared.words), "ascii")
    runs = len(prepared.seeds) + max(1, round(plan.runs * target.share))
    options = [
        f"-runs={runs}" if plan.runs else f"-max_total_time={plan.seconds}",
        f"-seed={plan.seed}",
        f"-dict={words}",
        f"-artifact_prefix={folder}/",
        f"-max_len={max(MAX_INPUT_BYTES, *map(len, prepared.seeds))}",
        f"-timeout={HANG_SECONDS}",
        f"-rss_limit_mb={MEMORY_MB}",
    ]
    atheris.Setup(["fuzz", *options, str(corpus), str(seeds)], watch.over(prepared.judge))
    atheris.Fuzz()


def _escaped(word: bytes) -> str:
    """A word in libFuzzer's dictionary."""
    return "".join(f"\\x{byte:02x}" for byte in word)


def _line(result: Result) -> str:
    rate = result.runs / result.seconds if result.seconds else 0.0
    line = f"{result.target:32} {result.runs:>9} runs {rate:>8.0f}/s {result.covered:>6} branches"
    if result.good:
        return line
    return "\n".join([f"{line}  FOUND", *result.findings, result.reason])


if __name__ == "__main__":
    sys.exit(main())
