"""Stored bytes come back exactly, or not at all."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from bench.dictionaries import SAMPLES, strangers, train
from gateway.store import codec
from gateway.store.codec import DICTIONARIES, Codec
from tests.gateway.store.samples import RECEIPT

CODEC = Codec()


@given(st.binary(max_size=2_000))
def test_any_bytes_come_back(content: bytes) -> None:
    assert CODEC.unpack(CODEC.pack(content)) == content


@given(st.one_of(st.text(max_size=200), st.from_regex(r"[\w-]{1,9}\.[\w-]{1,9}\.[\w=-]{1,9}")))
def test_any_text_comes_back_as_a_token(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert CODEC.unpack(CODEC.pack_token(text)).decode() == text


def test_repetitive_content_shrinks() -> None:
    assert len(CODEC.pack(b"<item/>" * 1_000)) < 200


@pytest.mark.parametrize("name", DICTIONARIES)
def test_the_dictionaries_are_those_of_the_made_up_messages(name: str) -> None:
    file = Path(codec.__file__).with_name(f"{name}.{DICTIONARIES[name]}.zdict")

    assert train(name) == file.read_bytes()


@pytest.mark.parametrize("name", DICTIONARIES)
def test_short_documents_shrink_much_more_with_what_they_have_in_common(name: str) -> None:
    documents = list(strangers(SAMPLES[name]("others", 40)))
    alone = zstandard.ZstdCompressor(level=3, write_checksum=True)
    stored = [CODEC.pack(document) for document in documents]

    assert {one[:1] for one in stored} == {b"\x03"}
    assert [CODEC.unpack(one) for one in stored] == documents
    assert sum(map(len, stored)) < 0.8 * sum(len(alone.compress(one)) for one in documents)


def test_what_was_packed_without_a_dictionary_comes_back() -> None:
    content = b'{"type":"Order","order_id":"17"}' * 20
    frame = zstandard.ZstdCompressor(level=3, write_checksum=True).compress(content)

    assert CODEC.unpack(b"\x01" + frame) == content


def test_a_frame_of_an_unknown_dictionary_is_an_error() -> None:
    samples: list[bytes | bytearray | memoryview] = [
        b'{"a":%d,"b":"%d"}' % (n, n * n) for n in range(2_000)
    ]
    other = zstandard.train_dictionary(4_096, samples, dict_id=40_000)
    frame = zstandard.ZstdCompressor(dict_data=other).compress(samples[7])

    with pytest.raises(ValueError, match="stored bytes name an unknown dictionary"):
        CODEC.unpack(b"\x03" + frame)


def test_content_that_does_not_shrink_costs_one_byte() -> None:
    content = bytes(range(256))
    assert CODEC.pack(content) == b"\x00" + content


def test_a_receipt_is_stored_without_its_base64() -> None:
    assert len(CODEC.pack_token(RECEIPT)) < len(RECEIPT)


def test_a_receipt_with_slack_bits_is_stored_as_it_is() -> None:
    # RFC 4648, 3.5: "QQ" and "QR" decode to the same byte; only one of them is canonical.
    assert base64.urlsafe_b64decode("QR==") == base64.urlsafe_b64decode("QQ==")
    assert CODEC.unpack(CODEC.pack_token("QR.QQ.QQ")) == b"QR.QQ.QQ"


@pytest.mark.parametrize(
    "stored", [b"", b"\x09abc", b"\x01abc", b"\x03abc", CODEC.pack(b"a" * 900)[:-2]]
)
def test_damaged_bytes_are_an_error(stored: bytes) -> None:
    with pytest.raises(ValueError, match="stored bytes"):
        CODEC.unpack(stored)
