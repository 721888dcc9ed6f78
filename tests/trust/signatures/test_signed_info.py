"""``SignedInfo`` by its pattern and by its elements: never two readings of one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.trust.signatures.xml_documents import parsed
from translators.xml import XmlError
from trust.errors import TrustError
from trust.signatures.xmldsig.canonical import canonical
from trust.signatures.xmldsig.names import (
    DIGEST_SIZES,
    DS,
    ENVELOPED,
    EXCLUSIVE,
    METHODS,
    SIGNED_PROPERTIES,
)
from trust.signatures.xmldsig.signed_info import (
    SignedInfo,
    by_element,
    by_pattern,
    read_signed_info,
)

WRONG = ("http://www.w3.org/2000/09/xmldsig#sha1", "", "x&amp;y", "é")
DIGESTS = {32: "A" * 43 + "=", 48: "A" * 64, 64: "A" * 86 + "=="}
TYPED = f' Type="{SIGNED_PROPERTIES}"'
PLAIN = f'<ds:Transform Algorithm="{EXCLUSIVE}"/>'
ONE_TAKEN_OUT = f'<ds:Transform Algorithm="{ENVELOPED}"/>'
LISTED = (
    f'<ds:Transform Algorithm="{EXCLUSIVE}"><x:InclusiveNamespaces xmlns:x="{EXCLUSIVE}"'
    ' PrefixList="ds"/></ds:Transform>'
)


def reference(
    uri: str = "#a",
    *,
    typed: str = "",
    steps: str = PLAIN,
    method: str = next(iter(DIGEST_SIZES)),
    digest: str = DIGESTS[32],
    gap: str = "",
) -> str:
    return (
        f'<ds:Reference{typed} URI="{uri}">{gap}<ds:Transforms>{gap}{steps}{gap}</ds:Transforms>'
        f'{gap}<ds:DigestMethod Algorithm="{method}"/><ds:DigestValue>{digest}</ds:DigestValue>'
        f"{gap}</ds:Reference>"
    )


def info(*references: str, method: str = next(iter(METHODS)), gap: str = "") -> str:
    return (
        f'<ds:SignedInfo xmlns:ds="{DS}">{gap}<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>'
        f'{gap}<ds:SignatureMethod Algorithm="{method}"/>{gap}{gap.join(references)}{gap}'
        "</ds:SignedInfo>"
    )


def both(written: str) -> tuple[SignedInfo | None, SignedInfo | TrustError]:
    """By the pattern, and by the elements or why not."""
    node = parsed(written.encode())
    try:
        elements: SignedInfo | TrustError = by_element(node)
    except TrustError as error:
        elements = error
    return by_pattern(canonical(node)), elements


def with_other_prefix(written: str, prefix: str) -> str:
    if prefix == "ds":
        return written
    if prefix:
        return (
            written.replace("<ds:", f"<{prefix}:")
            .replace("</ds:", f"</{prefix}:")
            .replace("xmlns:ds=", f"xmlns:{prefix}=")
        )
    return written.replace("ds:", "").replace("xmlns:ds=", "xmlns=")


@pytest.mark.parametrize("prefix", ["ds", "dsig", ""])
@pytest.mark.parametrize("gap", ["", "\n  "])
@pytest.mark.parametrize(
    "references",
    [
        (reference(),),
        (reference(""),),
        (reference(steps=ONE_TAKEN_OUT + PLAIN),),
        (reference(), reference("#b", typed=TYPED)),
        (reference("#b", typed=TYPED), reference()),
    ],
    ids=["by id", "the document", "enveloped", "with properties", "properties first"],
)
def test_what_signers_write_is_read_by_the_pattern(
    references: tuple[str, ...], gap: str, prefix: str
) -> None:
    pattern, elements = both(with_other_prefix(info(*references, gap=gap), prefix))

    assert pattern is not None
    assert elements == pattern


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("digest", DIGEST_SIZES)
def test_each_algorithm_is_read_by_the_pattern(method: str, digest: str) -> None:
    written = info(reference(method=digest, digest=DIGESTS[DIGEST_SIZES[digest]]), method=method)

    pattern, elements = both(written)

    assert pattern is not None
    assert elements == pattern
    assert pattern.method == METHODS[method]


def test_prefixes_that_are_carried_along_are_read_by_element() -> None:
    pattern, elements = both(info(reference(steps=LISTED)))

    assert pattern is None
    assert isinstance(elements, SignedInfo)
    assert elements.content.prefixes == ("ds",)


def test_prefixes_of_the_statement_are_in_its_form() -> None:
    listed = (
        f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"><x:InclusiveNamespaces'
        f' xmlns:x="{EXCLUSIVE}" PrefixList="q"/></ds:CanonicalizationMethod>'
    )
    written = info(reference()).replace(
        f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>', listed
    )
    node = parsed(f'<a xmlns:q="urn:q">{written}</a>'.encode())[0]

    assert b'xmlns:q="urn:q"' in read_signed_info(node).statement


pieces = st.sampled_from(
    [
        reference(),
        reference(""),
        reference(steps=ONE_TAKEN_OUT + PLAIN),
        reference(steps=PLAIN + ONE_TAKEN_OUT),
        reference(steps=PLAIN * 2),
        reference(steps=ONE_TAKEN_OUT),
        reference(steps=LISTED),
        reference(steps=""),
        reference("#b", typed=TYPED),
        reference("#b", typed=' Type="urn:x"'),
        reference(typed=' Id="r1"'),
        reference(typed=' Id="r&amp;1"'),
        reference(typed=' x="1"'),
        reference(digest=""),
        reference(digest="\n" + DIGESTS[32] + " "),
        reference(digest=DIGESTS[32][:-2] + "B="),
        reference(digest=DIGESTS[48]),
        reference(digest=DIGESTS[32] + "\t" * 200),
        reference(digest=DIGESTS[32] + "&#13;"),
        reference("other.xml"),
        reference("#a b"),
        reference("#xpointer(/)"),
        reference("#&#233;"),
        *(reference(method=wrong) for wrong in WRONG),
        "text",
        "<x/>",
    ]
)
written = st.builds(
    lambda references, method, gap, prefix: with_other_prefix(
        info(*references, method=method, gap=gap), prefix
    ),
    st.lists(pieces, max_size=3),
    st.sampled_from([*METHODS, *WRONG]),
    st.sampled_from(["", " ", "\n\t", "&#13;"]),
    st.sampled_from(["ds", "dsig", ""]),
)


@settings(max_examples=300)
@given(
    written=written,
    changes=st.lists(
        st.tuples(st.integers(0, 2_000), st.characters(max_codepoint=126)), max_size=2
    ),
)
def test_the_pattern_reads_nothing_that_the_elements_do_not_say(
    written: str, changes: list[tuple[int, str]]
) -> None:
    for at, character in changes:
        if at < len(written):
            written = written[:at] + character + written[at + 1 :]
    try:
        pattern, elements = both(written)
    except (XmlError, etree.XMLSyntaxError, TrustError):
        return
    if pattern is not None:
        assert elements == pattern


@given(statement=st.binary(max_size=200))
def test_the_pattern_takes_no_other_octets(statement: bytes) -> None:
    try:
        assert by_pattern(statement) is None
    except UnicodeDecodeError:
        return  # no canonical form
