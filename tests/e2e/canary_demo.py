"""``luxor demo``, with a canary in every personal value that is sent and every word logged.

Before the network ends, the pages of its processes, traces and refusals are kept in ``pages/``.
"""

from __future__ import annotations

import re
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from gateway.__main__ import main
from gateway.cli import demo as _command
from gateway.demo import plan as _planning
from gateway.demo import run as _running
from gateway.demo.run import Run, play
from gateway.demo.topology import GATEWAYS, Topology, lay_out
from tests.e2e.canary import Brand

PAGES = "pages"

# What these modules import from others is replaced, which types do not allow for.
command: Any = _command
planning: Any = _planning
running: Any = _running


def brand_plan() -> None:
    """Have the plan send what it would have sent, with canaries."""
    brand = Brand()
    spoil, orders, indicators = planning.spoil, planning.orders, planning.indicators

    def branded_indicators(seed: Any, count: int, items: Any, **rest: Any) -> Any:
        nonlocal brand
        hints = indicators(seed, count, items, **rest)
        brand = Brand(
            name for hint in hints.messages for subject in hint.subjects for name in subject.names
        )
        return type(hints)(messages=brand(hints.messages), matches=hints.matches)

    planning.indicators = branded_indicators
    planning.spoil = lambda items, **rest: spoil(brand(tuple(items)), **rest)
    planning.orders = lambda seed, count, items, **rest: orders(
        seed, count, brand(tuple(items)), **rest
    )


def talk(topology: Topology) -> None:
    """As :func:`lay_out`, with processes that log everything."""
    lay_out(topology)
    for name in GATEWAYS:
        config = topology.config(name)
        text = config.read_text("utf-8")
        config.write_text(text.replace("[gateway]\n", '[gateway]\nlog_level = "debug"\n'), "utf-8")


async def played(run: Run, *, ready: Callable[[], None], **rest: Any) -> None:
    """As :func:`play`; at its end the pages are fetched."""

    def fetch() -> None:
        _fetch(run)
        ready()

    await play(run, ready=fetch, **rest)


def _fetch(run: Run) -> None:
    pages = run.topology.root / PAGES
    pages.mkdir()
    for gateway in GATEWAYS:
        for page in ("metrics", "health/ready", "health/live", "nothing"):
            url = f"{run.topology.operations(gateway)}/{page}"
            (pages / f"{gateway}-{page.replace('/', '-')}").write_bytes(_answer(url))
    context = ssl.create_default_context(cafile=str(run.topology.certs / "luxor/root.pem"))
    place = run.topology.certs / "luxor/parties/post-a"
    context.load_cert_chain(place / "tls.pem", place / "tls.key")
    url = run.topology.url("gateway-lx")
    sent = re.findall(r"[A-Z]{2}\d{9}[A-Z]{2}", run.plan.by_https.content.decode())
    for number, item in enumerate(sorted(set(sent))[:10]):
        (pages / f"trace-{number}").write_bytes(_answer(f"{url}/v1/trace/{item}", context))
    for name, path, body in (
        ("quality", "/v1/quality", None),
        ("formats", "/v1/formats", None),
        ("nothing", "/v1/nothing", None),
        ("bad", "/v1/interchanges", run.plan.by_https.content[:3000]),
        ("other", "/v1/interchanges", run.plan.by_https.content.replace(b"item-id", b"id")),
    ):
        headers = {"Luxor-Interchange-Id": f"page-{name}", "Luxor-Format": planning.ITMATT}
        (pages / name).write_bytes(_answer(url + path, context, body, headers))


def _answer(
    url: str,
    context: ssl.SSLContext | None = None,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> bytes:
    request = urllib.request.Request(url, data=body, headers=headers or {})  # noqa: S310 - our own loopback
    try:
        with urllib.request.urlopen(request, context=context, timeout=30) as answer:  # noqa: S310 - our own loopback
            told: bytes = bytes(answer.headers) + answer.read()
            return told
    except urllib.error.HTTPError as refusal:
        return bytes(refusal.headers) + refusal.read()


if __name__ == "__main__":
    brand_plan()
    running.lay_out = talk
    command.play = played
    sys.argv[0] = "luxor"
    main()
