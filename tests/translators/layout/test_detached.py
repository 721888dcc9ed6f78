"""A layout says where the signature of enveloped documents stands, and what it covers."""

from __future__ import annotations

import pytest

from translators.layout import Detached, LayoutError, compile_layout
from translators.registry import Registry

HEAD = """
layout = "test.enveloped.1"
title = "A document in an envelope"
carries = "GoodsDeclaration"
root = "Declaration"
"""
REST = """
[namespaces]
default = "urn:d"
e = "urn:e"
ds = "http://www.w3.org/2000/09/xmldsig#"

[document]
"." = "messages ! : declaration"

[declaration]
"@Id" = "lrn ! : text 22"

[unsaid.declaration]
function  = "original"
type_code = "none"
"""
SIGNATURE = 'detached-signature = "e:Envelope/e:Header/ds:Signature"\n'
CONTENT = 'detached-content = "e:Envelope/e:Body/Declaration"\n'


def mistake(lines: str) -> str:
    """The one mistake of a layout with these lines in its head."""
    with pytest.raises(LayoutError) as caught:
        compile_layout(HEAD + lines + REST, name="test.toml")
    (found,) = caught.value.mistakes
    return str(found)


def test_both_places_are_names_from_the_envelope_on() -> None:
    layout = compile_layout(HEAD + SIGNATURE + CONTENT + REST, name="test.toml")

    assert layout.detached == Detached(
        signature=(
            "{urn:e}Envelope",
            "{urn:e}Header",
            "{http://www.w3.org/2000/09/xmldsig#}Signature",
        ),
        content=("{urn:e}Envelope", "{urn:e}Body", "{urn:d}Declaration"),
    )
    assert compile_layout(HEAD + REST, name="test.toml").detached is None


def test_a_format_is_found_by_its_envelope_too() -> None:
    layout = compile_layout(HEAD + SIGNATURE + CONTENT + REST, name="test.toml")
    formats = Registry((layout,))

    assert formats.by_root(b'<e:Envelope xmlns:e="urn:e">') == (layout,)
    assert formats.by_root(b'<Declaration xmlns="urn:d">') == (layout,)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (SIGNATURE, "test.toml:1: [] detached-content: detached-signature and detached-content go"),
        (CONTENT, "test.toml:1: [] detached-signature: detached-signature and detached-content go"),
        (
            SIGNATURE.replace("ds:Signature", "e:Signature") + CONTENT,
            "test.toml:6: [] detached-signature: leads to the Signature of XML Signature",
        ),
        (
            SIGNATURE + CONTENT.replace("e:Envelope", "e:Other"),
            "test.toml:7: [] detached-content: begins with the same envelope",
        ),
        (
            SIGNATURE + CONTENT.replace("Declaration", "Other"),
            "test.toml:7: [] detached-content: leads to a document element of the layout",
        ),
        (
            SIGNATURE.replace("e:Header", "e:Body/Declaration") + CONTENT,
            "test.toml:6: [] detached-signature: stands beside the content, not in it",
        ),
        (
            SIGNATURE.replace("e:Header", "x:Header") + CONTENT,
            "test.toml:6: [] detached-signature: undeclared namespace prefix 'x'",
        ),
        (
            'detached-signature = 7\n',
            "test.toml:6: [] detached-signature: has the wrong type",
        ),
    ],
)  # fmt: skip
def test_what_can_not_be_is_a_mistake_with_its_place(lines: str, said: str) -> None:
    assert mistake(lines).startswith(said)


def test_json_has_no_signature_beside_it() -> None:
    json = HEAD.replace('root = "Declaration"', 'syntax = "json"') + SIGNATURE + CONTENT
    with pytest.raises(LayoutError, match=r"detached-signature: is for the syntax xml"):
        compile_layout(json + REST.replace('"@Id"', "id"), name="test.toml")
