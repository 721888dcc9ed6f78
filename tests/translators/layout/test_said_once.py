"""What a document says once for all of its messages counts where it stands before them, however
the document is read: of one that is read in pieces only that is known."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import pytest

from translators import xml
from translators.canonical import Interchange, Office, Referral
from translators.faults import NoteKind
from translators.layout import packaged
from translators.translator import Entry, encode

ICS2 = packaged("eu.ics2.referral.2")
REQUEST = Referral(
    reference="LU-RFS-000000018",
    kind="RFI",
    issued_at=datetime(2026, 11, 21, 9, tzinfo=UTC),
    authority=Office(code="LU"),
    declarant="EU1",
)
CONTENT = encode(ICS2, Interchange(messages=(REQUEST, REQUEST))).decode()
(DECLARANT,) = re.findall("<declarant>.*?</declarant>", CONTENT)
LINE = "<referralRequestDetails>"


@pytest.fixture(params=["whole", "in pieces"])
def _parsed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "whole":
        assert len(CONTENT) > 400
        monkeypatch.setattr(xml, "TREE_LIMIT", 400)


def moved(place: str) -> str:
    """The document with its declarant elsewhere."""
    before, first, second = CONTENT.replace(DECLARANT, "").split(LINE)
    if place == "among":
        return LINE.join((before, first + DECLARANT, second))
    return LINE.join((before, first, second)).replace("</IE3Q02>", f"{DECLARANT}</IE3Q02>")


def entries(content: str, *, explain: bool) -> list[Entry]:
    found = ICS2.read(io.BytesIO(content.encode()), explain=explain)
    return [one for one in found if isinstance(one, Entry)]


def declarants(found: list[Entry]) -> list[str | None]:
    return [one.message.declarant for one in found if isinstance(one.message, Referral)]


@pytest.mark.usefixtures("_parsed")
@pytest.mark.parametrize("explain", [False, True])
def test_what_stands_before_the_messages_is_said_for_each(explain: bool) -> None:
    apart = CONTENT.replace(LINE, f"<!-- one --><other>x</other>{LINE}")
    assert ["EU1", "EU1"] == declarants(entries(apart, explain=explain))


@pytest.mark.usefixtures("_parsed")
@pytest.mark.parametrize("explain", [False, True])
@pytest.mark.parametrize("place", ["among", "behind"])
def test_what_stands_among_the_messages_or_behind_them_is_told(place: str, explain: bool) -> None:
    found = entries(moved(place), explain=explain)
    assert [None, None] == declarants(found)
    lost = [note for one in found for note in one.notes if note.kind is NoteKind.DROPPED]
    assert ["/IE3Q02/declarant/identificationNumber[1]"] == [note.source_path for note in lost]
