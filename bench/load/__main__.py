"""``python -m bench.load``: load at a fixed rate for a gateway of one's own."""

from __future__ import annotations

import secrets
import sys
from urllib.parse import urlsplit

import click
import msgspec

from bench.load.arrivals import Arrivals
from bench.load.generating import Failed, Generators, Load, after
from bench.load.mixes import MIXES, SEEDED
from bench.load.observed import Observed
from bench.load.report import lines, report, said
from bench.load.search import Bounds, Step, highest
from bench.load.target import Target, is_loopback

NUMBERS = 10**8
"""Serial numbers of item identifiers (UPU S10)."""
NOT_HELD, FAILED = 1, 2
_FILE = click.Path(exists=True, dir_okay=False)
_PORTS = {"https": 8443, "grpc": 8444, "grpc-stream": 8444}


@click.command(
    epilog="""\b
Examples, beside a gateway that `luxor serve` runs with certs/ from `luxor certs dev`:
  python -m bench.load --mix order --rate 200 --seconds 10 \\
      --cert certs/luxor/parties/platform-shop/tls.pem \\
      --key certs/luxor/parties/platform-shop/tls.key \\
      --sign-key certs/luxor/parties/platform-shop/signing.key --ca certs/luxor/root.pem
  python -m bench.load --mix item --find --seconds 5 --json \\
      --cert certs/luxor/parties/post-a/tls.pem --key certs/luxor/parties/post-a/tls.key ...
  python -m bench.load --mix grpc-stream --url grpc://localhost:8444 --connections 2 ...
  python -m bench.load --mixes

\b
One party is all the load: raise its bounds first, or its answers are 429 and count as errors:
  [limits.party]
  requests_per_second = 100000
  burst = 100000
  concurrent = 10000
  connections = 1000

\b
Exit status: 0 the rate was held, or the highest one was found; 1 it was not held, or no rate was;
2 wrong usage, or the load could not be made.""",
    context_settings={"max_content_width": 100},
)
@click.option("--url", metavar="URL", help="https://HOST:PORT or grpc://HOST:PORT.")
@click.option("--mix", type=click.Choice(list(MIXES)), default="order", show_default=True)
@click.option("--mixes", "listed", is_flag=True, help="What the mixes are, and who sends them.")
@click.option("--cert", type=_FILE, help="The party's TLS certificate (PEM).")
@click.option("--key", type=_FILE, help="Its key.")
@click.option("--ca", type=_FILE, help="The authority of the gateway's certificate.")
@click.option("--sign-key", type=_FILE, help="The party's signing key, for mixes that sign.")
@click.option("--gateway", default="gateway-lx", show_default=True, help="Its party id.")
@click.option(
    "--rate", type=click.FloatRange(0.01), help="Requests a second; with --find to begin."
)
@click.option("--seconds", type=click.FloatRange(0.5, 3600), default=10.0, show_default=True)
@click.option("--find", is_flag=True, help="Find the highest rate that is held; --seconds each.")
@click.option(
    "--p99",
    type=click.FloatRange(1),
    default=100.0,
    show_default=True,
    help="Milliseconds that 99 of 100 requests may take.",
)
@click.option(
    "--connections",
    type=click.IntRange(1, 1000),
    help="Of HTTPS, calls at once of gRPC (64 unless given), or streams (1).",
)
@click.option("--processes", type=click.IntRange(1, 16), default=1, show_default=True)
@click.option(
    "--arrivals",
    type=click.Choice(["poisson", "even"]),
    default="poisson",
    show_default=True,
    help="Independent senders with their bursts, or one each interval.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--allow-host",
    metavar="HOST",
    multiple=True,
    help="Send load to this host too: it must be yours, and its operator must know.",
)
def main(
    *,
    url: str | None,
    mix: str,
    listed: bool,
    cert: str | None,
    key: str | None,
    ca: str | None,
    sign_key: str | None,
    gateway: str,
    rate: float | None,
    seconds: float,
    find: bool,
    p99: float,
    connections: int | None,
    processes: int,
    arrivals: Arrivals,
    as_json: bool,
    allow_host: tuple[str, ...],
) -> None:
    """Send load to a gateway at a fixed rate, and tell how long answers took.

    Requests are due by a schedule, whatever the gateway does, and latency counts from that time:
    a stall stands in the latency of all that was due during it. The generator measures itself, and
    says so when it was the limit and not the gateway.

    Everything sent is made up, valid, and really taken by the gateway: it is journaled and
    delivered. Do not point it at a gateway whose destinations are in earnest.
    """
    if listed:
        for name, one in MIXES.items():
            click.echo(f"{name:14} {one.transport:12} {one.party:14} {one.what}")
        return
    if not find and rate is None:
        raise click.UsageError("--rate, or --find")
    files = {"--cert": cert, "--key": key, "--ca": ca}
    if MIXES[mix].signs:
        files["--sign-key"] = sign_key
    target = _target(
        url,
        transport=MIXES[mix].transport,
        files=files,
        gateway=gateway,
        allowed=allow_host,
    )
    first = secrets.randbelow(NUMBERS // 2) + SEEDED
    load = Load(
        target=target,
        mix=mix,
        run=f"load-{secrets.token_hex(4)}",
        first=first,
        seeded=first - SEEDED,
        rate=rate or 0.0,
        seconds=seconds,
        arrivals=arrivals,
        connections=connections or (1 if MIXES[mix].transport == "grpc-stream" else 64),
    )
    try:
        with Generators(processes) as generators:
            runs = Runs(generators, load, processes=processes)
            if find:
                sys.exit(_find(runs, start=rate or 50.0, p99=p99 / 1e3, as_json=as_json))
            sys.exit(_once(runs, rate=load.rate, p99=p99 / 1e3, as_json=as_json))
    except Failed as error:
        click.echo(f"Error: {target.host}:{target.port}: {error}", err=True)
        sys.exit(FAILED)


class Runs:
    """Runs of one mix, each with numbers of its own."""

    def __init__(self, generators: Generators, load: Load, *, processes: int) -> None:
        self._generators, self._load, self._processes = generators, load, processes
        self._seeded = False

    @property
    def mix(self) -> str:
        """Its name."""
        return self._load.mix

    def at(self, rate: float) -> Observed:
        """One run at this rate; raises `Failed`."""
        if MIXES[self.mix].seeds and not self._seeded:
            self._generators.seed(self._load)
            self._seeded = True
        load = msgspec.structs.replace(self._load, rate=rate)
        self._load = msgspec.structs.replace(
            self._load, first=after(load, processes=self._processes) % NUMBERS
        )
        return self._generators.run(load)


def _once(runs: Runs, *, rate: float, p99: float, as_json: bool) -> int:
    told = report(runs.at(rate), mix=runs.mix, rate=rate, p99=p99)
    click.echo(_json(told) if as_json else "\n".join(lines(told)))
    return 0 if told.verdict.held else NOT_HELD


def _find(runs: Runs, *, start: float, p99: float, as_json: bool) -> int:
    def told(step: Step) -> None:
        held = "held" if step.verdict.held else "NOT held"
        click.echo(f"{step.rate:9,.1f} a second: {held}, {step.verdict.why}", err=as_json)

    found = highest(runs.at, start=start, bounds=Bounds(p99=p99), told=told)
    click.echo(_json(found) if as_json else said(found, p99=p99))
    return 0 if found.rate else NOT_HELD


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _target(
    url: str | None,
    *,
    transport: str,
    files: dict[str, str | None],
    gateway: str,
    allowed: tuple[str, ...],
) -> Target:
    """Where to; raises ``click.UsageError`` for what does not fit."""
    scheme = "https" if transport == "https" else "grpc"
    parts = urlsplit(url or f"{scheme}://localhost:{_PORTS[transport]}")
    if parts.scheme != scheme or not parts.hostname or parts.path.strip("/"):
        raise click.UsageError(f"--url: this mix goes to {scheme}://HOST:PORT")
    try:
        port = parts.port or _PORTS[transport]
    except ValueError as error:
        raise click.UsageError(f"--url: {error}") from error
    if not is_loopback(parts.hostname) and parts.hostname not in allowed:
        raise click.UsageError(
            f"{parts.hostname} is not this machine: load that its operator did not ask for is an"
            f" attack; if it is yours, say --allow-host {parts.hostname}"
        )
    missing = [name for name, value in files.items() if value is None]
    if missing:
        raise click.UsageError(f"missing: {', '.join(missing)}")
    given = {name: value or "" for name, value in files.items()}
    target = Target(
        host=parts.hostname,
        port=port,
        certificate=given["--cert"],
        key=given["--key"],
        authority=given["--ca"],
        signing_key=given.get("--sign-key", ""),
        gateway=gateway,
    )
    try:
        target.check()
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return target


if __name__ == "__main__":
    main()
