"""The methods of our service on bytes: what is no protobuf is refused like other bad requests.

gRPC would read requests before a method sees them, and what it can not read it would answer with
UNKNOWN and the text of an exception. So our service is given the bytes, and reads them itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Container, Mapping
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message import DecodeError

from gateway.core.errors import Refused, Unavailable
from gateway.ingress.admission import Admission
from gateway.ingress.grpc.caller import Context, abort
from gateway.ingress.problems import Problems
from translators.wire.exchange.v1.exchange_pb2_grpc import (
    ExchangeServicer,
    add_ExchangeServicer_to_server,
)

if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]

Parse = Callable[[bytes], Any]


class Reading(grpc.GenericRpcHandler):
    """The methods of one service, by their names.

    In a stream, ``Refused`` comes out of the iterator of requests. A method of ``unread`` gets no
    requests: it takes their bytes from the context.
    """

    def __init__(
        self,
        *,
        service: str,
        servicer: ExchangeServicer,
        unread: Container[str],
        problems: Problems,
        admission: Admission,
    ) -> None:
        self._problems = problems
        self._admission = admission
        generated = _Generated()
        add_ExchangeServicer_to_server(servicer, generated)  # type: ignore[arg-type]  # as a server
        self._handlers = {
            f"/{service}/{name}": self._on_bytes(handler, unread=name in unread)
            for name, handler in generated.handlers.items()
        }
        self._submit = f"/{service}/Submit"

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        """The method that is called; none for what is not of this service."""
        method = handler_call_details.method
        if method == self._submit:
            try:
                self._admission.check()
            except Unavailable as unavailable:
                return self._turned_away(unavailable)
        return self._handlers.get(method)

    def _on_bytes(self, handler: Handler, *, unread: bool) -> Handler:
        parse, write = handler.request_deserializer, handler.response_serializer
        assert parse is not None  # generated code names one for each method
        if (streaming := handler.stream_stream) is not None:
            method = streaming if unread else _stream(streaming, parse)
            return grpc.stream_stream_rpc_method_handler(method, None, write)
        unary = handler.unary_unary
        assert unary is not None  # exchange.v1 has no third sort of method
        return grpc.unary_unary_rpc_method_handler(self._unary(unary, parse), None, write)

    def _turned_away(self, unavailable: Unavailable) -> Handler:
        """Ends a call before its request is read: as a stream, of which nothing is asked for."""

        async def call(_: AsyncIterator[bytes], context: Context) -> None:
            await abort(context, self._problems.tell(unavailable))

        return grpc.stream_stream_rpc_method_handler(call)

    def _unary(self, method: Callable[..., Any], parse: Parse) -> Callable[..., Any]:
        async def call(content: bytes, context: Context) -> Any:
            try:
                request = read(content, parse)
            except Refused as refused:
                await abort(context, self._problems.tell(refused))
            return await method(request, context)

        return call


class _Generated:
    """Takes what generated code would register with a server."""

    def __init__(self) -> None:
        self.handlers: Mapping[str, Handler] = {}

    def add_generic_rpc_handlers(self, _: object) -> None:
        """The same once more, without the names."""

    def add_registered_method_handlers(
        self, _: str, method_handlers: Mapping[str, Handler]
    ) -> None:
        self.handlers = method_handlers


def _stream(method: Callable[..., Any], parse: Parse) -> Callable[..., Any]:
    async def requests(contents: AsyncIterator[bytes]) -> AsyncIterator[Any]:
        async for content in contents:
            yield read(content, parse)

    async def call(contents: AsyncIterator[bytes], context: Context) -> None:
        await method(requests(contents), context)

    return call


def read(content: bytes, parse: Parse) -> Any:
    """The message in ``content``; raises ``Refused("request.invalid")``."""
    try:
        return parse(content)
    except DecodeError as error:
        raise Refused("request.invalid", "this is no message of exchange.v1") from error
