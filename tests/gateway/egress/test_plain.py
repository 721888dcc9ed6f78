"""Delivery to receivers that are not gateways, and answers that a gateway would not give."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from aiohttp import web
from grpc import StatusCode
from grpc.aio import AioRpcError, Metadata

from gateway.core.errors import Refused, Unavailable, problem_kinds
from gateway.core.ports import Destination
from gateway.egress.registry import Surroundings, open_destination
from gateway.egress.replies import PROBLEM_KEY, judge_error
from gateway.ingress.tls import ServerTls, https_context
from tests.gateway.egress.conftest import outgoing, target_of
from tests.pki import Pki


class Webhook:
    """A receiver whose answer each test writes itself."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answer: Callable[[], web.Response] = lambda: web.Response(status=204)

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((dict(request.headers), await request.read()))
        return self.answer()


@pytest.fixture
async def webhook(server_tls: ServerTls) -> AsyncIterator[tuple[Webhook, str]]:
    hook = Webhook()
    application = web.Application()
    application.router.add_post("/hook", hook.take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=https_context(server_tls))
    await site.start()
    yield hook, f"https://127.0.0.1:{runner.addresses[0][1]}/hook"
    await runner.cleanup()


@pytest.fixture
def hook(webhook: tuple[Webhook, str]) -> Webhook:
    return webhook[0]


@pytest.fixture
async def plain(
    webhook: tuple[Webhook, str], surroundings: Surroundings, pki: Pki
) -> AsyncIterator[Destination]:
    target = target_of("https", webhook[1], pki, receipt_required=False)
    destination = open_destination(target, surroundings)
    yield destination
    await destination.close()


@pytest.fixture
async def strict(
    webhook: tuple[Webhook, str], surroundings: Surroundings, pki: Pki
) -> AsyncIterator[Destination]:
    destination = open_destination(target_of("https", webhook[1], pki), surroundings)
    yield destination
    await destination.close()


async def failed(destination: Destination) -> Refused | Unavailable:
    with pytest.raises((Refused, Unavailable)) as caught:
        await destination.deliver(outgoing())
    error = caught.value
    assert isinstance(error, Refused | Unavailable)
    return error


async def test_status_is_the_acknowledgement_of_a_plain_receiver(
    plain: Destination, hook: Webhook
) -> None:
    assert await plain.deliver(outgoing()) is None

    [(headers, body)] = hook.requests
    assert body == b"good"
    assert headers["Content-Type"] == "application/vnd.luxor.exchange+json"
    assert headers["Luxor-Interchange-Id"] == "m-1"
    assert headers["Luxor-Format"] == "luxor.json.1"
    assert headers["Luxor-Signature"].count(".") == 2


@pytest.mark.parametrize("body", ["", "thanks", "[]", '{"receipt": 7}', '{"receipt": "a.b.c"}'])
async def test_success_without_a_proved_receipt_is_no_delivery(
    strict: Destination, hook: Webhook, body: str
) -> None:
    hook.answer = lambda: web.Response(status=202, text=body)

    error = await failed(strict)

    assert isinstance(error, Unavailable)
    assert error.reason.startswith("the receipt is no proof")


@pytest.mark.parametrize("status", [400, 404, 409, 413, 415, 422])
async def test_client_errors_refuse_the_message(
    plain: Destination, hook: Webhook, status: int
) -> None:
    hook.answer = lambda: web.Response(status=status)

    error = await failed(plain)

    assert isinstance(error, Refused)
    assert error.code == f"http.{status}"


@pytest.mark.parametrize("status", [302, 401, 403, 408, 425, 429, 500, 502, 503])
async def test_other_statuses_mean_later(plain: Destination, hook: Webhook, status: int) -> None:
    hook.answer = lambda: web.Response(status=status, headers={"Location": "https://127.0.0.1:1/"})

    error = await failed(plain)

    assert isinstance(error, Unavailable)
    assert error.reached is (status == 500)
    assert len(hook.requests) == 1


async def test_problem_of_another_world_is_told_as_far_as_it_is_understood(
    plain: Destination, hook: Webhook
) -> None:
    hook.answer = lambda: web.json_response(
        {"type": "about:blank", "title": "No", "detail": "x" * 9999, "status": 422}, status=422
    )

    error = await failed(plain)

    assert isinstance(error, Refused)
    assert (error.code, error.detail) == ("http.422", "x" * 500)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("7", 7, 7),
        ("99999999999", 3600, 3600),
        ("in a quarter of an hour", 600, 900),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0, 0),
    ],
)
async def test_time_to_come_again_is_understood_and_bounded(
    plain: Destination, hook: Webhook, text: str, least: float, most: float
) -> None:
    if text.startswith("in "):
        text = format_datetime(datetime.now(UTC) + timedelta(seconds=900))
    hook.answer = lambda: web.Response(status=503, headers={"Retry-After": text})

    error = await failed(plain)

    assert isinstance(error, Unavailable)
    assert error.retry_after is not None
    assert least <= error.retry_after <= most


@pytest.mark.parametrize(
    "text", ["soon", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", f"1 Jan 2026 +{10**20}"]
)
async def test_time_to_come_again_that_makes_no_sense_is_not_there(
    plain: Destination, hook: Webhook, text: str
) -> None:
    hook.answer = lambda: web.Response(status=503, headers={"Retry-After": text})

    error = await failed(plain)

    assert isinstance(error, Unavailable)
    assert error.retry_after is None


async def test_endless_answer_is_cut(strict: Destination, hook: Webhook) -> None:
    hook.answer = lambda: web.Response(status=202, body=b" " * 5_000_000)

    error = await failed(strict)

    assert isinstance(error, Unavailable)
    assert error.reason == "the answer is too large"


async def test_large_grpc_message_goes_alone_and_only_it_is_refused_for_its_size(
    grpc: Destination,
) -> None:
    small = grpc.deliver(outgoing("small", b"x"))
    large = grpc.deliver(outgoing("large", b"x" * 1_500_000))
    assert await small
    assert await large

    with pytest.raises(Refused) as caught:
        await grpc.deliver(outgoing("oversize", b"x" * 3_000_000))

    assert caught.value.code == "body.oversize"
    assert await grpc.deliver(outgoing("next"))


async def test_folder_file_appears_under_its_name_alone(
    folder: Destination, target_folder: Path
) -> None:
    await folder.deliver(outgoing("m-1"))

    assert [entry.name for entry in os.scandir(target_folder)] == ["m-1.json"]


async def test_message_id_that_is_no_file_name_is_refused(folder: Destination) -> None:
    with pytest.raises(Refused):
        await folder.deliver(outgoing("../m-1"))


@pytest.mark.parametrize("body", [b'{"x":' + b"[" * 100_000, b"\xff", b'{"faults": 1}'])
async def test_rubbish_as_a_problem_leaves_the_status_to_decide(
    plain: Destination, hook: Webhook, body: bytes
) -> None:
    hook.answer = lambda: web.Response(status=422, body=body)

    error = await failed(plain)

    assert isinstance(error, Refused)
    assert error.code == "http.422"


def test_rubbish_in_the_metadata_of_a_call_leaves_its_status_to_decide() -> None:
    error = AioRpcError(
        StatusCode.INVALID_ARGUMENT, Metadata(), Metadata((PROBLEM_KEY, b"\xff\xff"))
    )

    judged = judge_error(error, problem_kinds())

    assert isinstance(judged, Refused)
    assert judged.code == "http.400"
