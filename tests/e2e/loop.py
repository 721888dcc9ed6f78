"""Two gateways and the parties of a referral: customs and the post of destination at one, the post
of origin at the other. Each post gets referrals as files in the layout of the posts."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from tests.e2e.callers import Answer, post
from tests.e2e.network import GatewayProcess
from translators.canonical import Header, Interchange, Message
from translators.registry import standard
from translators.translator import FormatId, decode, encode

ICS2 = FormatId("eu.ics2.referral.2")
UPU = FormatId("upu.referral.1")
JSON = FormatId("luxor.json.1")
FORMATS = standard()
WAIT_S = 30.0
"""A hang."""

_HEAD = """
[gateway]
id = "gateway-{side}"
number = {number}

[tls]
certificate = "{{certs}}/{network}/parties/gateway-{side}/tls.pem"
key = "{{certs}}/{network}/parties/gateway-{side}/tls.key"

[signing]
key = "{{certs}}/{network}/parties/gateway-{side}/signing.key"

[registry]
file = "{{certs}}/{network}/registry-loop.toml"
crls = "{{certs}}/{network}"
poll = 0.2

[ingress.https]
port = {https}

[ingress.grpc]
port = {grpc}

[ingress.operations]
port = 0
"""
_AGREEMENTS = """
[[agreement]]
name = "posts"
purpose = "referrals before loading"
role = "post"
kinds = ["Referral", "CustomsResponse"]
fields = ["**"]

[[agreement]]
name = "own"
purpose = "tests"
role = "backend"
kinds = ["*"]
fields = ["**"]

[[agreement]]
name = "partner"
purpose = "referrals before loading"
role = "administration"
kinds = ["Referral"]
fields = ["**"]

[[route]]
name = "back"
kinds = ["Referral"]
to = ["@origin"]
lane = 0

[[route]]
name = "declared"
kinds = ["ItemDeclaration", "Despatch"]
to = ["archive"]
"""
_DESTINATION_SIDE = """
[clearance]
wait = 3600

[answers]
look = 0.1

[[destination]]
id = "archive"
party = "customs-risk"
transport = "folder"
address = "archive"
format = "luxor.json.1"

[[destination]]
id = "customs"
party = "customs-risk"
transport = "folder"
address = "customs"
format = "eu.ics2.referral.2"
answers = true

[[destination]]
id = "post"
party = "post-a"
transport = "folder"
address = "post"
format = "upu.referral.1"
answers = true

[[destination]]
id = "partner"
party = "gateway-pn"
transport = "https"
address = "https://localhost:{pn_https}/v1/interchanges"
ca = "{{certs}}/partner/root.pem"
format = "luxor.json.1"

[[route]]
name = "requests"
kinds = ["Referral"]
from_roles = ["backend"]
to = ["@declarant"]
lane = 0

[[route]]
name = "on"
kinds = ["Referral"]
from_roles = ["post"]
hops = ["to-origin"]
to = ["partner"]
lane = 0

[[route]]
name = "decisions"
kinds = ["CustomsResponse"]
to = ["@origin", "@declarant"]
"""
_ORIGIN_SIDE = """
[[destination]]
id = "archive"
party = "customs-pn-risk"
transport = "folder"
address = "archive"
format = "luxor.json.1"

[[destination]]
id = "post"
party = "post-b"
transport = "folder"
address = "post"
format = "upu.referral.1"
answers = true

[[destination]]
id = "luxor"
party = "gateway-lx"
transport = "grpc"
address = "localhost:{lx_grpc}"
ca = "{{certs}}/luxor/root.pem"
format = "luxor.proto.1"
answers = true

[[route]]
name = "requests"
kinds = ["Referral"]
from_roles = ["administration"]
to = ["@declarant"]
lane = 0
"""


class Loop:
    """The two gateways, and what their parties do and find."""

    def __init__(self, destination: GatewayProcess, origin: GatewayProcess) -> None:
        self.destination = destination
        self.origin = origin
        self._sent = 0
        self._seen: set[Path] = set()

    async def send(
        self, gateway: GatewayProcess, party: str, *messages: Message, format_id: FormatId = JSON
    ) -> Answer:
        """Submit messages as that party, each answer to be accepted."""
        self._sent += 1
        header = Header(
            sender="XAA",
            recipient="XBA",
            control_reference=f"C-{self._sent}",
            prepared_at=datetime.now(UTC).replace(microsecond=0),
        )
        content = encode(FORMATS.get(format_id), Interchange(header=header, messages=messages))
        return await self.send_content(gateway, party, content, format_id=format_id)

    async def send_content(
        self, gateway: GatewayProcess, party: str, content: bytes, *, format_id: FormatId
    ) -> Answer:
        """Submit a document as that party."""
        self._sent += 1
        answer = await post(
            gateway,
            party,
            content,
            identifier=f"i-{self._sent}",
            headers={"Luxor-Format": format_id},
        )
        assert 202 == answer.status, answer.body
        return answer

    async def arrived(self, gateway: GatewayProcess, folder: str) -> bytes:
        """The one file that a folder got since it was last looked into."""
        async with asyncio.timeout(WAIT_S):
            while not (  # noqa: ASYNC110 - a file tells nobody
                new := set((gateway.folder / folder).glob("[!.]*")) - self._seen
            ):
                await asyncio.sleep(0.02)
        self._seen |= new
        (file,) = new
        return file.read_bytes()


def read(content: bytes, format_id: FormatId) -> Any:
    """The one message of a document, without what gateways said of its way."""
    (message,) = decode(FORMATS.get(format_id), content).messages
    return msgspec.structs.replace(message, provenance=None)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [listener.getsockname()[1] for listener in taken]


@contextlib.contextmanager
def running_loop(folder: Path, certs: Path) -> Iterator[Loop]:
    """Both gateways, stopped at the end whatever happens."""
    ports = dict(zip(("lx_https", "lx_grpc", "pn_https", "pn_grpc"), free_ports(4), strict=True))
    sides = (
        ("lx", "luxor", 1, ("archive", "customs", "post"), _DESTINATION_SIDE),
        ("pn", "partner", 2, ("archive", "post"), _ORIGIN_SIDE),
    )
    gateways: list[GatewayProcess] = []
    try:
        for side, network, number, folders, own in sides:
            place = folder / side
            for name in folders:
                (place / name).mkdir(parents=True)
            registry = (certs / network / "registry.toml").read_text("utf-8")
            # Customs speaks ICS2 here.
            allowed = registry.replace('["luxor.*"]', '["luxor.*", "eu.ics2.*"]')
            (certs / network / "registry-loop.toml").write_text(allowed, "utf-8")
            head = _HEAD.format(
                side=side,
                network=network,
                number=number,
                https=ports[f"{side}_https"],
                grpc=ports[f"{side}_grpc"],
            )
            config = head + own.format(**ports).replace("{{", "{").replace("}}", "}") + _AGREEMENTS
            gateways.append(GatewayProcess(place, certs, config))
            gateways[-1].network = network
        for gateway in gateways:
            gateway.start()
        yield Loop(gateways[0], gateways[1])
    finally:
        for gateway in gateways:
            gateway.stop()
