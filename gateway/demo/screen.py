"""The demonstration on a terminal: a live table, then what there is to look at."""

from __future__ import annotations

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from gateway.demo.ledger import Ledger
from gateway.demo.plan import DemoPlan
from gateway.demo.topology import Topology


def picture(ledger: Ledger) -> Group:
    """Steps and counts as they are now."""
    table = Table("party", "", "what", "messages", "of", title="Luxor demonstration")
    party = ""
    for row in ledger.counts():
        style = "" if row.expected is None else ("green" if row.complete else "yellow")
        table.add_row(
            row.party if row.party != party else "",
            row.direction,
            row.kind,
            Text(str(row.count), style=style, justify="right"),
            "" if row.expected is None else str(row.expected),
        )
        party = row.party
    step = Text(f"… {ledger.steps[-1]}" if ledger.steps else "… starting", style="bold")
    return Group(table, step)


def summary(console: Console, ledger: Ledger) -> None:
    """The verdict in words."""
    console.print(picture(ledger))
    for surprise in ledger.unexplained[:20]:
        console.print(Text(f"  unexplained: {surprise}", style="red"))
    word = Text("everything arrived", style="green") if ledger.good else Text("NOT WELL", "red")
    console.print(
        word,
        Text(
            f"lost {ledger.lost}, doubled {ledger.doubled}, unexplained {len(ledger.unexplained)}"
        ),
    )


def addresses(console: Console, topology: Topology, plan: DemoPlan) -> None:
    """Where to look, and what to type."""
    held = next(iter(plan.held.values()))
    operator = topology.config("gateway-lx")
    table = Table("what", "where", show_header=False, title="Look around")
    table.add_row("gateway, HTTPS", topology.url("gateway-lx"))
    table.add_row("its interface", f"{topology.url('gateway-lx')}/openapi.json")
    table.add_row("gateway, gRPC", topology.grpc("gateway-lx"))
    table.add_row("health", f"{topology.operations('gateway-lx')}/health/ready")
    table.add_row("metrics", f"{topology.operations('gateway-lx')}/metrics")
    table.add_row("partner's gateway", topology.url("gateway-pn"))
    table.add_row("the post's folder", str(topology.post))
    table.add_row("logs", f"{topology.root}/*/*.log")
    console.print(table)
    console.print("The story of an item that was held for an indicator:")
    console.print(f"  luxor trace {held} --config {operator}", soft_wrap=True)
    console.print("A message of your own:")
    console.print(
        "  luxor sample upu.itmatt.1 > items.xml && luxor submit items.xml --format upu.itmatt.1"
        f" --as post-a --to {topology.url('gateway-lx')}",
        soft_wrap=True,
    )
