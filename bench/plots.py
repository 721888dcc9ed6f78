"""The plots of a run as SVG files: the same bytes for the same series.

Text stays text, so that a plot can be searched and read aloud.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Final

import matplotlib as mpl
import msgspec
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, StrMethodFormatter

from bench.results import Series

STYLE: Final = Path(__file__).with_suffix(".mplstyle")
MARKS: Final = "osD^vP*"
HEADROOM: Final = 1.08
"""Of the highest value: it does not touch the frame."""


class Plot(msgspec.Struct, frozen=True, kw_only=True):
    """What a plot shows."""

    id: str
    """Names the series and the file."""
    title: str
    x: str
    y: str
    x_scale: str = "linear"
    y_scale: str = "linear"
    zero: bool = True
    """Whether a linear vertical axis starts at nought: flat must look flat."""
    bars: bool = False
    """One bar for each label, instead of lines."""


PLOTS: Final = (
    Plot(
        id="latency-against-load",
        title="Latency against load, from when a request was due",
        x="requests a second, offered",
        y="milliseconds",
        y_scale="log",
    ),
    Plot(
        id="highest-rate",
        title="Highest rate with p99 within 100 ms, by what is sent",
        x="requests a second",
        y="",
        bars=True,
    ),
    Plot(
        id="throughput-against-items",
        title="Throughput against the size of an interchange",
        x="items of an interchange",
        y="items a second of server CPU",
        x_scale="log",
    ),
    Plot(
        id="memory-against-items",
        title="Memory against the size of a document that is translated as it is read",
        x="items of a document",
        y="MiB beyond the idle process",
        x_scale="log",
    ),
    Plot(
        id="cost-by-stage",
        title="Cost of an accepted interchange by stage",
        x="microseconds of CPU",
        y="",
        bars=True,
    ),
    Plot(
        id="acceptance-against-journal",
        title="Acceptance against the size of the journal",
        x="messages in the journal",
        y="messages accepted a second",
    ),
    Plot(id="soak-latency", title="Soak: latency", x="minutes", y="milliseconds", y_scale="log"),
    Plot(id="soak-memory", title="Soak: resident memory", x="minutes", y="MiB"),
    Plot(id="soak-backlog", title="Soak: backlog", x="minutes", y="messages"),
)


def draw(plot: Plot, series: Sequence[Series]) -> bytes:
    """One plot as SVG; there is at least one series."""
    with mpl.rc_context(fname=STYLE):
        figure = Figure(figsize=(7.2, 4.0 if not plot.bars else _tall(series)))
        axes = figure.add_subplot()
        (_bars if plot.bars else _lines)(axes, plot, series)
        axes.set_title(plot.title)
        axes.set_xlabel(plot.x)
        axes.set_ylabel(plot.y)
        if len(series) > 1 or not plot.bars:
            figure.legend(loc="outside lower center", ncols=4)
        content = BytesIO()
        figure.savefig(content, format="svg", metadata={"Date": None, "Title": plot.title})
    # Trailing blanks of path data would be noise in every comparison of files.
    return b"\n".join(line.rstrip() for line in content.getvalue().splitlines()) + b"\n"


def _tall(series: Sequence[Series]) -> float:
    return 1.5 + 0.22 * sum(len(one.labels) for one in series)


def _lines(axes: Axes, plot: Plot, series: Sequence[Series]) -> None:
    for at, one in enumerate(series):
        marker = MARKS[at % len(MARKS)] if len(one.x) <= 30 else None
        axes.plot(one.x, one.y, label=one.name, marker=marker)
    axes.set_xscale(plot.x_scale)
    axes.set_yscale(plot.y_scale)
    for axis in (axes.xaxis, axes.yaxis):
        _in_full(axis)
    if plot.y_scale == "linear" and plot.zero:
        highest = max((value for one in series for value in one.y), default=0.0)
        axes.set_ylim(0, HEADROOM * highest or 1.0)
    if plot.x_scale == "linear":
        axes.set_xlim(left=0)


def _in_full(axis: Axis) -> None:
    """Numbers are written out, thousands apart; between powers of ten where there are few."""
    axis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
    if axis.get_scale() == "log":
        axis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.5)))


def _bars(axes: Axes, plot: Plot, series: Sequence[Series]) -> None:
    labels = list(dict.fromkeys(label for one in series for label in one.labels))
    height = 0.8 / len(series)
    for at, one in enumerate(series):
        places = [labels.index(label) + at * height for label in one.labels]
        drawn = axes.barh(places, one.y, height=height, label=one.name)
        axes.bar_label(drawn, fmt="{:,.0f}", padding=3, fontsize=8)
    axes.set_yticks([at + 0.4 - height / 2 for at in range(len(labels))], labels)
    axes.invert_yaxis()
    axes.margins(x=HEADROOM - 1)
    _in_full(axes.xaxis)
    axes.grid(visible=False, axis="y")


def write_plots(folder: Path, series: Sequence[Series]) -> tuple[Plot, ...]:
    """Write a file for each plot that has series; which these are.

    Raises:
        ValueError: when a series is of no plot that there is.
    """
    unknown = {one.plot for one in series} - {plot.id for plot in PLOTS}
    if unknown:
        raise ValueError(f"no such plot: {', '.join(sorted(unknown))}")
    drawn = []
    folder.mkdir(parents=True, exist_ok=True)
    for plot in PLOTS:
        found = [one for one in series if one.plot == plot.id]
        if found:
            (folder / f"{plot.id}.svg").write_bytes(draw(plot, found))
            drawn.append(plot)
    return tuple(drawn)
