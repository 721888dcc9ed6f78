"""The page and its plots: the same bytes for the same run, every row with pass or short."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from lxml import etree

from bench.page import PAGE, with_part, write_page
from bench.plots import PLOTS, write_plots
from bench.results import Measured, Run, Series, goal_of

PARTS = ("goals", "plots", "soak", "peers", "machine")
BARE = "\n".join(f"# {name}\n\n<!-- bench:{name} -->\n<!-- bench:end -->\n" for name in PARTS)


def line(plot: str, name: str = "orders", *, labels: tuple[str, ...] = ()) -> Series:
    return Series(plot=plot, name=name, x=(1, 10, 100), y=(2, 30, 4.5), labels=labels)


RUN = Run(
    machine={"processor": "2 × a processor", "Python": "3.11.7"},
    modules=(
        Measured(
            module="bench.a",
            commit="abc",
            at="2026-11-23T08:00:00Z",
            seconds=90,
            cpu=45,
            size="usual",
            goals=(
                goal_of(
                    "5 signed order",
                    baseline=80,
                    figure=1600,
                    ratio=0.05,
                    at_least=0.15,
                    unit="µs",
                    what="an empty 202; an order",
                    note="verifying | 800 µs",
                ),
                goal_of(
                    "11 growth",
                    baseline=1,
                    figure=10.6,
                    ratio=10.6,
                    at_most=11,
                    unit="ms",
                    what="one; ten",
                    note="SQLite",
                ),
            ),
            series=(
                line("latency-against-load"),
                line("latency-against-load", "items"),
                line("cost-by-stage", labels=("verify", "parse", "commit")),
            ),
            error="ended with 1",
        ),
    ),
)
SOAK = msgspec.structs.replace(
    RUN.modules[0], module="bench.soak", series=(line("soak-memory"),), goals=(), error=""
)


def drawn(folder: Path, *, soak: Measured | None = SOAK) -> dict[str, bytes]:
    page = folder / "performance.md"
    page.write_text(BARE)
    write_page(page, RUN, soak)
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return drawn(tmp_path_factory.mktemp("page"))


def test_a_page_is_the_same_for_the_same_run(files: dict[str, bytes], tmp_path: Path) -> None:
    assert files == drawn(tmp_path)
    assert {
        "performance.md",
        "performance/latency-against-load.svg",
        "performance/cost-by-stage.svg",
        "performance/soak-memory.svg",
    } == files.keys()
    write_page(tmp_path / "performance.md", RUN, SOAK)  # over what is there
    assert files["performance.md"] == (tmp_path / "performance.md").read_bytes()


def test_every_row_says_pass_or_why_it_is_short(files: dict[str, bytes]) -> None:
    text = files["performance.md"].decode()
    assert "1 of 2 figures reach their bars." in text
    assert (
        "| 5 signed order | 80 → 1,600 µs | 5.0% | ≥ 15% | **short**: verifying \\| 800 µs |"
        in text
    )
    assert "| 11 growth | 1 → 10.6 ms | 10.60 × | ≤ 11 × | pass |" in text
    assert "- **11 growth**: one; ten (SQLite)" in text
    assert "No figure in this run for the goals 1, 2, 3, 4, 6, 7, 8, 9, 10." in text
    assert "| `bench.a` | abc | 2026-11-23T08:00:00Z | 90 | 45 | usual | ended with 1 |" in text


def test_plots_stand_where_they_belong(files: dict[str, bytes]) -> None:
    text = files["performance.md"].decode()
    before, _, after = text.partition("# soak")
    assert "(performance/latency-against-load.svg)" in before
    assert "soak-memory.svg" not in before
    assert "(performance/soak-memory.svg)" in after


def test_without_a_soak_its_part_stays(tmp_path: Path) -> None:
    text = drawn(tmp_path, soak=None)["performance.md"].decode()
    assert "# soak\n\n<!-- bench:soak -->\n<!-- bench:end -->\n" in text


def test_every_plot_can_be_drawn_and_its_words_are_text(tmp_path: Path) -> None:
    series = [
        line(plot.id, name="<orders>", labels=("a", "b", "c") if plot.bars else ())
        for plot in PLOTS
    ]
    assert PLOTS == write_plots(tmp_path, [*series, *(line(p.id, "other") for p in PLOTS[:1])])
    for plot in PLOTS:
        content = (tmp_path / f"{plot.id}.svg").read_bytes()
        words = {one.text for one in etree.fromstring(content).iter("{*}text")}
        assert {plot.title, plot.x, "a" if plot.bars else "<orders>"} <= words
    assert b"<script" not in content


def test_a_series_of_an_unknown_plot_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such plot: latency-aginst-load"):
        write_plots(tmp_path, [line("latency-aginst-load")])


def test_a_part_that_is_missing_or_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="0 parts bench:other"):
        with_part(BARE, "other", "")
    with pytest.raises(ValueError, match="2 parts bench:goals"):
        with_part(BARE + BARE, "goals", "")


def test_what_stands_in_a_part_is_taken_as_it_is() -> None:
    assert "\\1 \\g<1>" in with_part(BARE, "peers", "\\1 \\g<1>\n")


def test_the_page_of_this_repository_has_every_part_once() -> None:
    text = PAGE.read_text()
    assert [1] * len(PARTS) == [text.count(f"<!-- bench:{name} -->") for name in PARTS]


def test_numbers_of_the_axes_are_written_out(tmp_path: Path) -> None:
    million = Series(plot="acceptance-against-journal", name="a", x=(0, 1e6), y=(900, 870))
    narrow = Series(plot="latency-against-load", name="b", x=(200, 1200), y=(5, 60))

    write_plots(tmp_path, [million, narrow])

    def words(plot: str) -> set[str]:
        found = etree.parse(tmp_path / f"{plot}.svg").iter("{http://www.w3.org/2000/svg}text")
        return {"".join(map(str, text.itertext())).strip() for text in found}

    assert {"0", "1,000,000", "800"} <= words(million.plot)
    assert {"1,000", "6", "10", "60"} <= words(narrow.plot)
    assert not [word for word in words(narrow.plot) | words(million.plot) if "×" in word]
