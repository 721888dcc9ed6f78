"""``python -m tests.faults --rounds N``: the last line is the judgement; exit 1 when it is bad."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.network import make_pki
from tests.faults.ledger import NOTHING, Verdict
from tests.faults.rounds import Outcome, run
from tests.faults.sites import StoreName

STORES: tuple[StoreName, ...] = ("sqlite", "postgres")


def main() -> int:
    """Run the rounds on each store and judge them together."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="on each store")
    parser.add_argument("--store", choices=STORES, action="append", help="only this one")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--folder", type=Path, help="keep books, journals and logs in this new one")
    arguments = parser.parse_args()
    total, rounds, sound = NOTHING, 0, True
    with _folder(arguments.folder) as folder:
        folder.chmod(0o755)  # the database runs as somebody else
        certs = make_pki(folder / "pki")
        for store in arguments.store or STORES:
            (folder / store).mkdir()
            outcome = asyncio.run(
                run(
                    folder / store,
                    certs,
                    store=store,
                    rounds=arguments.rounds,
                    seed=arguments.seed,
                    told=_say,
                )
            )
            _tell(store, outcome)
            total, rounds = total + outcome.verdict, rounds + outcome.rounds
            sound = sound and not outcome.damage
    _say(_line("faults", rounds, total))
    return 0 if total.kept and sound else 1


@contextlib.contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir()
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="luxor-faults-") as name:
        yield Path(name)


def _tell(store: str, outcome: Outcome) -> None:
    killed = " ".join(f"{name}={count}" for name, count in sorted(outcome.faults.items()))
    _say(
        f"{store}: killed {killed}; {outcome.resent} sent again without an answer, "
        f"{outcome.repeated} repeats got their first receipt; {outcome.seconds:.0f} s, "
        f"drained {outcome.drain_seconds:.1f} s after the last fault"
    )
    verdict = outcome.verdict
    _say(f"{store}: overlapping={verdict.overlapping} strange={verdict.strange}")
    if outcome.damage:
        _say(f"{store}: DAMAGE {outcome.damage}")
    _say(_line(store, outcome.rounds, verdict))


def _line(name: str, rounds: int, verdict: Verdict) -> str:
    return (
        f"{name}: rounds={rounds} messages={verdict.messages} lost={verdict.lost} "
        f"doubled={verdict.doubled} disordered={verdict.disordered} "
        f"redelivered={verdict.redelivered}"
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
