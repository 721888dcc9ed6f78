"""Hostile XML: entities, document types in any encoding, bombs, sheer shape; all of it refused.

Through the parser, in bounded time and memory; and through a running gateway, which tells hostile
documents from those that are merely of no format that it knows.
"""

from __future__ import annotations

import re
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Figure
from tests.data import cases_of
from tests.e2e.callers import post, signed
from tests.e2e.network import GatewayProcess, make_pki, running
from translators.xml import XmlError, parse

SUITE = "XML attacks"
FIGURE_SECONDS, FIGURE_KILOBYTES = 0.050, 20 * 1024
HANG = 10
"""How many times the figure is no figure any more, but a failure."""
ATTACKS = frozenset({"xml.dtd", "xml.encoding", "xml.depth", "xml.size"})
FORMAT = "upu.itmatt.1"


def documents() -> list[Any]:
    """A parameter for each hostile document: its bytes."""
    return [
        *cases_of("trust", "xml-attacks", cases=_files),
        *cases_of("trust", "xml-attacks", "xxe-payloads.txt", cases=_payloads),
    ]


def harmless() -> list[Any]:
    """A parameter for each document of the same sources that does no harm."""

    def cases(folder: Path) -> Iterator[Any]:
        # Style sheets and schemas too: nothing here runs the one or reads the other.
        found = (path for path in folder.rglob("*.*") if path.suffix in (".xml", ".xsd", ".xsl"))
        for path in sorted(path for path in found if not _hostile(path.read_bytes())):
            yield pytest.param(path.read_bytes(), id=path.relative_to(folder).as_posix())

    return cases_of("trust", "xml-attacks", cases=cases)


def _files(folder: Path) -> Iterator[Any]:
    """Each hostile file, as it is and in UTF-16, where no search finds its document type."""
    for path in sorted(folder.rglob("*.xml")):
        content = path.read_bytes()
        if not _hostile(content):
            continue
        name = path.relative_to(folder).as_posix()
        yield pytest.param(content, id=name)
        text = re.sub(r'encoding="[^"]*"', 'encoding="UTF-16"', content.decode("utf-8"))
        yield pytest.param(text.encode("utf-16"), id=f"{name}-utf-16")


def _payloads(path: Path) -> Iterator[Any]:
    """Each document of a list of payloads; titles of the list begin with ``*`` or ``#``."""
    number = 0
    for section in re.split(r"(?m)^[*#].*$", path.read_text("utf-8")):
        for text in re.split(r"(?=<\?xml )", section):
            if _hostile(text.encode()):
                number += 1
                yield pytest.param(text.strip().encode(), id=f"payload-{number}")


def _hostile(content: bytes) -> bool:
    """A document type, as it stands or in UTF-7; what CDATA quotes is text."""
    bare = re.sub(rb"(?s)<!\[CDATA\[.*?\]\]>", b"", content)
    return b"<!DOCTYPE" in bare or b"ADwAIQ-DOCTYPE" in bare


def _made() -> Iterator[Any]:
    """What no list has."""
    names = [b"a%d" % number for number in range(50_000)]
    crowd = b" ".join(name + b'=""' for name in names)
    entities = b"".join(
        b'<!ENTITY l%d "%s">' % (at, b"&l%d;" % (at - 1) * 10) for at in range(1, 12)
    )
    bomb = b'<!DOCTYPE l [<!ENTITY l0 "lol">' + entities + b"]>"
    made = {
        "fifty thousand attributes": b"<a %b/>" % crowd,
        "as many further down": b"<a><b><c %b/></b></a>" % crowd,
        "as many in UTF-16": b"\xff\xfe" + f"<a {crowd.decode()}/>".encode("utf-16-le"),
        "a hundred thousand levels": b"<a>" * 100_000,
        "levels that are closed": b"<a>" * 200 + b"</a>" * 200,
        "a bomb in an attribute": bomb + b'<r a="&l11;"/>',
        "a bomb in text": bomb + b"<r>&l11;</r>",
        "a text without end": b"<a>" + b"x" * 3_000_000,
        "a name without end": b"<" + b"a" * 3_000_000,
        "an entity of itself": b'<!DOCTYPE a [<!ENTITY a "&a;">]><a b="&a;"/>',
        "a document type without a subset": b"<!DOCTYPE a><a/>",
        "an encoding of EBCDIC": '<?xml version="1.0" encoding="cp037"?><a/>'.encode("cp037"),
        "an encoding of UTF-7": b'<?xml version="1.0" encoding="UTF-7"?><a>+ADw-</a>',
    }
    for name, content in made.items():
        yield pytest.param(content, id=name)


def _peak() -> int:
    """The most memory that this process has had, in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.conformance(SUITE)
@pytest.mark.parametrize("content", [*documents(), *_made()])
def test_a_hostile_document_is_refused_in_bounded_time_and_memory(
    content: bytes, figure: Figure
) -> None:
    before, began = _peak(), time.thread_time()
    with pytest.raises(XmlError) as refused:
        parse(content)
    took, grown = time.thread_time() - began, _peak() - before

    assert refused.value.code in ATTACKS | {"xml.malformed"}
    if _hostile(content):
        assert refused.value.code in ATTACKS
    assert took < FIGURE_SECONDS * HANG
    assert grown < FIGURE_KILOBYTES * HANG
    figure("refused within 50 ms of CPU", took <= FIGURE_SECONDS, 1)
    figure("refused with less than 20 MB more", grown < FIGURE_KILOBYTES, 1)


@pytest.mark.parametrize("content", harmless())
def test_a_harmless_document_is_none(content: bytes) -> None:
    assert len(parse(content)) > 0


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A running gateway that takes XML from the post."""
    certs = make_pki(tmp_path_factory.mktemp("pki"))
    with running(tmp_path_factory.mktemp("attacks"), certs) as process:
        yield process


async def answered(gateway: GatewayProcess, content: bytes, *, named: bool) -> tuple[int, set[str]]:
    """Status and codes of the gateway's answer, for a named format or for plain XML."""
    identifier = "attack"
    headers = {"Content-Type": "application/xml"}
    if named:
        headers["Luxor-Format"] = FORMAT
        headers["Luxor-Signature"] = signed(
            gateway, "post-a", content, identifier=identifier, format_id=FORMAT
        )
    answer = await post(gateway, "post-a", content, identifier=identifier, headers=headers)
    return answer.status, {answer.code, *(str(fault["code"]) for fault in answer.faults)}


@pytest.mark.conformance(SUITE)
@pytest.mark.parametrize("content", documents())
async def test_a_running_gateway_refuses_it_for_what_it_is(
    content: bytes, gateway: GatewayProcess
) -> None:
    named, codes = await answered(gateway, content, named=True)
    unnamed, other = await answered(gateway, content, named=False)

    assert (named, unnamed) == (422, 415)
    assert codes & ATTACKS
    assert other & ATTACKS


@pytest.mark.conformance(SUITE)
@pytest.mark.parametrize("content", harmless())
async def test_a_running_gateway_tells_what_is_of_no_format_from_what_is_hostile(
    content: bytes, gateway: GatewayProcess
) -> None:
    named, codes = await answered(gateway, content, named=True)
    unnamed, other = await answered(gateway, content, named=False)

    assert (named, unnamed) == (422, 415)
    assert "xml.root" in codes
    assert other == {"media-type.unsupported"}


@pytest.mark.conformance(SUITE)
@pytest.mark.parametrize("content", list(_made()))
async def test_a_running_gateway_outlives_what_was_made_to_exhaust_it(
    content: bytes, gateway: GatewayProcess, figure: Figure
) -> None:
    before = _peak_of(gateway)
    status, codes = await answered(gateway, content, named=True)
    grown = _peak_of(gateway) - before

    assert status == 422
    assert codes & (ATTACKS | {"xml.malformed", "xml.root"})
    assert grown < FIGURE_KILOBYTES * HANG
    figure("refused by a gateway with less than 20 MB more", grown < FIGURE_KILOBYTES, 1)


def _peak_of(gateway: GatewayProcess) -> int:
    """The most memory that the gateway has had, in kilobytes."""
    assert gateway._process is not None
    status = Path(f"/proc/{gateway._process.pid}/status").read_text("ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1])
