"""Stored bytes come back exactly, or not at all."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.store.codec import Codec
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


def test_content_that_does_not_shrink_costs_one_byte() -> None:
    content = bytes(range(256))
    assert CODEC.pack(content) == b"\x00" + content


def test_a_receipt_is_stored_without_its_base64() -> None:
    assert len(CODEC.pack_token(RECEIPT)) < len(RECEIPT)


def test_a_receipt_with_slack_bits_is_stored_as_it_is() -> None:
    # RFC 4648, 3.5: "QQ" and "QR" decode to the same byte; only one of them is canonical.
    assert base64.urlsafe_b64decode("QR==") == base64.urlsafe_b64decode("QQ==")
    assert CODEC.unpack(CODEC.pack_token("QR.QQ.QQ")) == b"QR.QQ.QQ"


@pytest.mark.parametrize("stored", [b"", b"\x09abc", b"\x01abc", CODEC.pack(b"a" * 900)[:-2]])
def test_damaged_bytes_are_an_error(stored: bytes) -> None:
    with pytest.raises(ValueError, match="stored bytes"):
        CODEC.unpack(stored)
