"""Requests that are no protobuf: refused like other bad requests.

gRPC reads requests before a servicer sees them; what it can not read it would answer with UNKNOWN
and the text of an exception. So our service is given the bytes, and reads them itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message import DecodeError
from grpc import aio

from gateway.core.errors import Refused, Unavailable
from gateway.ingress.admission import Admission
from gateway.ingress.grpc.caller import Context, abort
from gateway.ingress.problems import Problems

if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]

Parse = Callable[[bytes], Any]


class Reading(aio.ServerInterceptor):
    """Reads the requests of one service. In a stream, ``Refused`` comes out of its iterator."""

    def __init__(self, *, service: str, problems: Problems, admission: Admission) -> None:
        self._prefix = f"/{service}/"
        self._problems = problems
        self._admission = admission

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """The same method, on bytes."""
        handler = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith(self._prefix):
            return handler
        if handler_call_details.method == f"{self._prefix}Submit":
            try:
                self._admission.check()
            except Unavailable as unavailable:
                return self._unread(unavailable)
        parse, write = handler.request_deserializer, handler.response_serializer
        assert parse is not None  # generated code names one for each method
        if (streaming := handler.stream_stream) is not None:
            return grpc.stream_stream_rpc_method_handler(_stream(streaming, parse), None, write)
        unary = handler.unary_unary
        assert unary is not None  # exchange.v1 has no third sort of method
        return grpc.unary_unary_rpc_method_handler(self._unary(unary, parse), None, write)

    def _unread(self, unavailable: Unavailable) -> Handler:
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
