"""Which formats a content type names."""

from __future__ import annotations

import pytest

from gateway.ingress.http.media import formats_of_type
from tests.translators.layout.json_layouts import small
from translators.registry import Registry


@pytest.mark.parametrize("media_type", ["application/xml", "Text/XML; charset=utf-8"])
def test_no_format_takes_all_xml_for_its_own(media_type: str) -> None:
    greedy = small(header='media-types = ["application/xml", "text/xml"]')

    assert () == formats_of_type(media_type, Registry([greedy]))
