"""A gateway for tests of back ends: real TLS, real signatures, real receipts, made-up troubles."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import msgspec

from translators.canonical import Header, Interchange, Message, Provenance
from translators.registry import standard
from translators.translator import FormatId, decode, encode
from translators.wire.exchange.v1 import exchange_pb2 as wire
from translators.wire.exchange.v1 import exchange_pb2_grpc
from trust import receipt
from trust.development import development_network
from trust.keys import KeySigner, PublicKey, public_key, signing_key
from trust.profile import default_profile, read_profile
from trust.signatures.jws import sign_detached, verify_detached

GATEWAY = "gateway-lx"
WAIT = 20.0
PROTO = FormatId("luxor.proto.1")
JSON = FormatId("luxor.json.1")


def make_certificates(folder: Path) -> Path:
    """The development PKI; the folder of the network in which the back ends are."""
    files = development_network(read_profile(default_profile()), now=datetime.now(UTC))
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder / "luxor"


class Gateway:
    """Delivers to a back end and takes its answers, as a gateway does.

    ``answers`` has every accepted answer once, in order; ``streams`` counts what came by stream.
    ``trouble`` is asked for each submission: it may raise ``LookupError`` with a code (a problem
    in the reply), or end the stream by ``ConnectionError``.
    """

    def __init__(self, certs: Path) -> None:
        self._certs = certs
        self._folder = certs / "parties" / GATEWAY
        self._signer = KeySigner.from_pem((self._folder / "signing.key").read_bytes())
        self._formats = standard()
        self._server: grpc.aio.Server | None = None
        self._accepted: dict[tuple[str, str], tuple[str, str]] = {}
        self.answers: list[Message] = []
        self.ids: list[str] = []
        self.received = 0
        self.streams = 0
        self.trouble: Callable[[int, str], None] = lambda _count, _id: None
        self.refuse: Callable[[Message], bool] = lambda _message: False
        self.changed = asyncio.Condition()
        self.port = 0

    async def start(self) -> None:
        """Listen on the port that was used before, or on a free one."""
        self._server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
        exchange_pb2_grpc.add_ExchangeServicer_to_server(_Ingress(self), self._server)
        credentials = grpc.ssl_server_credentials(
            [((self._folder / "tls.key").read_bytes(), (self._folder / "tls.pem").read_bytes())],
            root_certificates=(self._certs / "chain.pem").read_bytes(),
            require_client_auth=True,
        )
        self.port = self._server.add_secure_port(f"127.0.0.1:{self.port}", credentials)
        await self._server.start()

    async def stop(self) -> None:
        """Go away at once."""
        if self._server is not None:
            await self._server.stop(0)
            self._server = None

    def keys(self, party: str) -> dict[str, PublicKey]:
        """A party's public signing keys."""
        pem = (self._certs / "parties" / party / "signing.pub").read_bytes()
        key = public_key(signing_key(pem))
        return {key.kid: key}

    async def take(self, submission: wire.Submission) -> wire.SubmitReply:
        """Judge one answer; a repeat gets its first receipt."""
        self.received += 1
        party = _party_of(submission.interchange_id)
        try:
            self.trouble(self.received, submission.interchange_id)
        except LookupError as error:
            problem = wire.Problem(code=str(error.args[0]))
            return wire.SubmitReply(
                interchange_id=submission.interchange_id,
                status=wire.STATUS_REFUSED,
                problem=problem,
            )
        verify_detached(
            submission.signature,
            submission.content,
            keys=self.keys(party),
            interchange_id=submission.interchange_id,
            format=submission.format,
            audience=GATEWAY,
            now=datetime.now(UTC),
        )
        digest = hashlib.sha256(submission.content).hexdigest()
        known = self._accepted.get((party, submission.interchange_id))
        if known is not None:
            assert known[0] == digest, "an interchange id came with other bytes"
            return self._reply(submission, known[1], wire.STATUS_ACCEPTED)
        found = decode(self._formats.get(FormatId(submission.format)), submission.content)
        (message,) = found.messages
        if self.refuse(message):
            token = self._receipt(submission, party, digest, "refused")
            return self._reply(submission, token, wire.STATUS_REFUSED)
        token = self._receipt(submission, party, digest, "accepted")
        self._accepted[party, submission.interchange_id] = (digest, token)
        async with self.changed:
            self.answers.append(message)
            self.ids.append(submission.interchange_id)
            self.changed.notify_all()
        return self._reply(submission, token, wire.STATUS_ACCEPTED)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for answers."""
        async with asyncio.timeout(WAIT), self.changed:
            await self.changed.wait_for(condition)

    async def until_answers(self, count: int) -> list[Any]:
        """Wait for that many answers and give all there are."""
        await self.until(lambda: len(self.answers) >= count)
        return list(self.answers)

    @asynccontextmanager
    async def calling(
        self, address: str, *, party: str = GATEWAY
    ) -> AsyncIterator[exchange_pb2_grpc.ExchangeAsyncStub]:
        """A stub of the back end, called by a party of the network."""
        folder = self._certs / "parties" / party
        credentials = grpc.ssl_channel_credentials(
            root_certificates=(self._certs / "root.pem").read_bytes(),
            private_key=(folder / "tls.key").read_bytes(),
            certificate_chain=(folder / "tls.pem").read_bytes(),
        )
        async with grpc.aio.secure_channel(address, credentials) as channel:
            yield exchange_pb2_grpc.ExchangeStub(channel)

    def submission(
        self,
        message: Any,
        message_id: str,
        *,
        party: str = "post-a",
        version: int | None = 1,
        format_id: FormatId = PROTO,
        audience: str = "customs-risk",
        at: datetime | None = None,
    ) -> wire.Submission:
        """A message as a gateway delivers it: with provenance, signed, under its message id."""
        provenance = Provenance(
            message_id=message_id,
            party=party,
            interchange_id=f"of-{message_id}",
            accepted_at=at or datetime(2026, 11, 21, 9, tzinfo=UTC),
            version=version,
        )
        known = msgspec.structs.replace(message, provenance=provenance)
        interchange = Interchange(header=Header(), messages=(known,))
        content = encode(self._formats.get(format_id), interchange)
        return self.signed(content, message_id, format_id=format_id, audience=audience)

    def signed(
        self, content: bytes, message_id: str, *, format_id: str, audience: str
    ) -> wire.Submission:
        """Any bytes with a good signature."""
        signature = sign_detached(
            content,
            signer=self._signer,
            interchange_id=message_id,
            format=format_id,
            audience=audience,
            now=datetime.now(UTC),
        )
        return wire.Submission(
            interchange_id=message_id, format=format_id, content=content, signature=signature
        )

    def _receipt(self, submission: wire.Submission, party: str, digest: str, status: Any) -> str:
        return receipt.sign(
            receipt.ReceiptClaims(
                gateway=GATEWAY,
                party=party,  # type: ignore[arg-type] # a plain text is as good in a test
                record=len(self._accepted) + 1,
                interchange_id=submission.interchange_id,
                attempt=1,
                format=submission.format,
                digest=digest,
                size=len(submission.content),
                received_at=datetime.now(UTC),
                status=status,
                accepted=int(status == "accepted"),
                refused=int(status == "refused"),
                outcomes="0" * 64,
            ),
            self._signer,
        )

    def _reply(self, submission: wire.Submission, token: str, status: Any) -> wire.SubmitReply:
        return wire.SubmitReply(
            interchange_id=submission.interchange_id, status=status, receipt=token
        )


def _party_of(interchange_id: str) -> str:
    """Who answers under such ids; its signature is verified after."""
    return f"customs-{interchange_id.partition('.')[0].removesuffix('-indicator')}"


class _Ingress(exchange_pb2_grpc.ExchangeServicer):
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def SubmitStream(  # type: ignore[override] # noqa: N802 - writes instead of yielding
        self, request_iterator: AsyncIterator[wire.Submission], context: Any
    ) -> None:
        try:
            async for submission in request_iterator:
                self._gateway.streams += 1
                await context.write(await self._gateway.take(submission))
        except ConnectionError:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "going away")

    async def Submit(  # noqa: N802 - the contract's name
        self, request: wire.Submission, context: Any
    ) -> wire.SubmitReply:
        reply = await self._gateway.take(request)
        if reply.HasField("problem"):
            metadata = (("luxor-problem-bin", reply.problem.SerializeToString()),)
            await context.abort(grpc.StatusCode.UNAVAILABLE, reply.problem.code, metadata)
        return reply

    async def Subscribe(  # type: ignore[override] # noqa: N802 - ends before it yields
        self, request_iterator: AsyncIterator[wire.SubscribeRequest], context: Any
    ) -> None:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "not in this test")

    async def Track(  # noqa: N802 - the contract's name
        self, request: wire.TrackRequest, context: Any
    ) -> wire.TrackReply:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "not in this test")
        raise AssertionError

    async def Keys(  # noqa: N802 - the contract's name
        self, request: wire.KeysRequest, context: Any
    ) -> wire.KeysReply:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "not in this test")
        raise AssertionError

    async def Ping(  # noqa: N802 - the contract's name
        self, request: wire.PingRequest, context: Any
    ) -> wire.PingReply:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "not in this test")
        raise AssertionError

    async def Clearance(  # noqa: N802 - the contract's name
        self, request: wire.ClearanceRequest, context: Any
    ) -> wire.ClearanceReply:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "not in this test")
        raise AssertionError


class Backend:
    """One back end as a process of its own, with its configuration and ledger in a folder."""

    def __init__(self, name: str, folder: Path, certs: Path, port: int, section: str) -> None:
        self.name = name
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / f"{name}.toml"
        mine = certs / "parties" / f"customs-{name}"
        self.config.write_text(
            f"""
[service]
party = "customs-{name}"
ledger = "{name}.sqlite"
registry = "{certs / "registry.toml"}"
certificate = "{mine / "tls.pem"}"
key = "{mine / "tls.key"}"
signing_key = "{mine / "signing.key"}"
listen = "127.0.0.1:0"
ready_file = "ready"

[gateway]
party = "{GATEWAY}"
address = "127.0.0.1:{port}"

[limits]
poll_seconds = 0.1
retry_first_seconds = 0.05
retry_most_seconds = 0.2
answer_seconds = 2.0
stop_seconds = 2.0
{section}
"""
        )
        self.process: asyncio.subprocess.Process | None = None
        self.address = ""

    async def start(self) -> None:
        """Start and wait until it says that it is ready."""
        with (self.folder / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                f"backends.{self.name}",
                "--config",
                str(self.config),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        assert self.process.stdout is not None
        async with asyncio.timeout(WAIT):
            line = (await self.process.stdout.readline()).decode()
        words = line.split()
        assert words[:2] == ["ready", self.name], (line, self.log()[-2000:])
        self.address = words[2]

    async def kill(self) -> None:
        """``kill -9``."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """SIGTERM; the exit status. Nothing happens when it does not run."""
        if self.process is None or self.process.returncode is not None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(WAIT):
                return await self.process.wait()
        finally:
            with suppress(ProcessLookupError):
                self.process.kill()

    def log(self) -> str:
        """What it logged."""
        return (self.folder / "log").read_text()

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command line beside the running process."""
        return subprocess.run(
            [
                sys.executable,
                "-m",
                f"backends.{self.name}",
                "--config",
                str(self.config),
                *arguments,
            ],
            capture_output=True,
            text=True,
            timeout=WAIT,
            check=False,
        )

    async def until(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for its counts: a receipt is noted just after the gateway gave it."""
        async with asyncio.timeout(WAIT):
            while not condition(found := self.summary()):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        return found

    def summary(self) -> dict[str, Any]:
        """What it counts."""
        done = self.command("--summary", "--json")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found


async def deliver(
    stub: exchange_pb2_grpc.ExchangeAsyncStub,
    submissions: Iterable[wire.Submission],
    *,
    on_reply: Callable[[int], None] = lambda _count: None,
) -> dict[str, wire.SubmitReply]:
    """Submissions over one stream; the replies by interchange id. Stops where the stream ends."""
    call = stub.SubmitStream()
    replies: dict[str, wire.SubmitReply] = {}

    async def write() -> None:
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            for submission in submissions:
                await call.write(submission)
            await call.done_writing()

    writing = asyncio.create_task(write())
    try:
        async with asyncio.timeout(WAIT):
            async for reply in call:
                replies[reply.interchange_id] = reply
                on_reply(len(replies))
    except grpc.aio.AioRpcError:
        pass
    finally:
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
    return replies
