"""Bodies in memory and in files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from gateway.core.envelope import Bytes
from gateway.core.errors import Refused, Unavailable
from gateway.ingress.spool import Intake, Spooled, SpoolSettings


@pytest.fixture
def settings(tmp_path: Path) -> SpoolSettings:
    return SpoolSettings(memory_bytes=100, max_bytes=1000, directory=str(tmp_path))


async def test_small_body_stays_in_memory(settings: SpoolSettings) -> None:
    intake = Intake(settings)
    await intake.feed(b"x" * 60)
    await intake.feed(b"y" * 40)

    content = await intake.finish()

    assert isinstance(content, Bytes)
    assert b"".join(content.slices(7)) == b"x" * 60 + b"y" * 40


async def test_large_body_is_the_same_from_its_file(settings: SpoolSettings) -> None:
    body = bytes(range(250)) * 4
    intake = Intake(settings)
    for at in range(0, 1000, 90):
        await intake.feed(body[at : at + 90])

    content = await intake.finish()

    assert isinstance(content, Spooled)
    assert (content.size, content.digest) == (1000, hashlib.sha256(body).hexdigest())
    assert [len(piece) for piece in content.slices(400)] == [400, 400, 200]
    intake.close()


async def test_two_readers_do_not_disturb_each_other(settings: SpoolSettings) -> None:
    body = bytes(range(250)) * 4
    intake = Intake(settings)
    await intake.feed(body)
    content = await intake.finish()

    with content.open() as one, content.open() as other:
        assert one.read(300) == body[:300]
        assert other.read() == body
        assert one.read() == body[300:]
    intake.close()


async def test_nothing_can_be_read_once_the_intake_is_closed(settings: SpoolSettings) -> None:
    intake = Intake(settings)
    await intake.feed(b"x" * 500)
    content = await intake.finish()
    intake.close()
    intake.close()

    with pytest.raises(ValueError, match="closed"):
        content.open()


async def test_body_above_the_bound_is_refused_as_soon_as_it_is_known(
    settings: SpoolSettings,
) -> None:
    intake = Intake(settings)
    await intake.feed(b"x" * 1000)

    with pytest.raises(Refused, match=r"body\.oversize: at most 1000 bytes"):
        await intake.feed(b"x")
    intake.close()


async def test_no_body_is_refused(settings: SpoolSettings) -> None:
    with pytest.raises(Refused, match=r"body\.empty"):
        await Intake(settings).finish()


async def test_a_folder_that_is_not_there_is_a_passing_trouble(tmp_path: Path) -> None:
    settings = SpoolSettings(memory_bytes=100, max_bytes=1000, directory=str(tmp_path / "none"))
    intake = Intake(settings)

    with pytest.raises(Unavailable, match="spooled") as refused:
        await intake.feed(b"x" * 200)

    assert refused.value.retry_after
