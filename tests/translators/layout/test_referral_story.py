"""The loop of referrals, hop by hop: customs asks in ICS2, the posts talk among themselves.

customs → declarant (destination post) → origin post → declarant → customs. Each arrow is a
document; what stands between them is what the receiving side does with the canonical message.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from tests.samples import item
from translators.canonical import (
    AttachedFile,
    ContentPiece,
    Document,
    Header,
    Information,
    Interchange,
    ItemDeclaration,
    Message,
    Office,
    Referral,
    ReferralAnswer,
    ReferralHop,
    Screening,
)
from translators.faults import Note, NoteKind, TranslationError
from translators.layout import packaged
from translators.translator import decode, encode

ICS2 = packaged("eu.ics2.referral.2")
UPU = packaged("upu.referral.1")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
BETWEEN_POSTS = Header(
    sender="LUA", recipient="FRA", control_reference="REF-17", prepared_at=NOON
)  # fmt: skip
ITEM = "EE471108151FR"
SCAN = b"\x89PNG\r\n\x1a\n"


def document(name: str, more: str) -> bytes:
    """A message of customs with what all of them have."""
    return (
        f'<{name} xmlns="urn:wco:datamodel:eu:ics2:2"><documentIssueDate><DateTime>'
        "2026-11-21T10:00:00Z</DateTime></documentIssueDate><MRN>26LUICS2F43000017A</MRN>"
        "<responsibleMemberState><country>LU</country></responsibleMemberState><declarant>"
        f"<identificationNumber>LU00000000012</identificationNumber></declarant>{more}</{name}>"
    ).encode()


def request(reference: str, kind: str, more: str = "") -> str:
    """One request about the item."""
    house = f"<documentNumber>{ITEM}</documentNumber><type>N750</type>"
    methods, text = (more, "") if kind == "RFS" else ("", more)
    return (
        f"<referralRequestDetails><referralRequestReference>{reference}</referralRequestReference>"
        f"<requestType>{kind}</requestType>{methods}"
        f"<transportDocumentHouse>{house}</transportDocumentHouse>{text}</referralRequestDetails>"
    )


def asked(content: bytes) -> Referral:
    """The one referral that customs' document holds."""
    (message,) = decode(ICS2, content).messages
    assert isinstance(message, Referral)
    return message


def passed(message: Message, *, lost: tuple[str, ...] = ()) -> Any:
    """From post to post, over the wire; nothing is lost but what is named."""
    notes: list[Note] = []
    content = encode(UPU, Interchange(header=BETWEEN_POSTS, messages=(message,)), notes.append)
    assert list(lost) == [note.path for note in notes if note.kind is NoteKind.DROPPED]
    (found,) = decode(UPU, content).messages
    return found


def to_origin(referral: Referral) -> Referral:
    """The declarant passes the request on, with a clock of its own."""
    received = referral.issued_at + timedelta(minutes=1)
    own = ReferralHop(party="LUA", role="declarant", received_at=received)
    theirs = ReferralHop(
        party="FRA", role="origin-post", on_behalf_of="LUA", reply_before=NOON + timedelta(hours=3)
    )
    return msgspec.structs.replace(
        referral, hop="to-origin", on_behalf_of="LUA", hops=(own, theirs)
    )


def answered(referral: Referral, **answer: Any) -> Referral:
    """The origin post answers by repeating the request with its answer."""
    said = ReferralAnswer(item_id=ITEM, answered_at=NOON + timedelta(hours=2), **answer)
    return msgspec.structs.replace(referral, hop="from-origin", answers=(said,))


def back(referral: Referral) -> tuple[bytes, list[str]]:
    """The declarant's answer to customs, and what that has no place for."""
    notes: list[Note] = []
    content = encode(ICS2, Interchange(messages=(referral,)), notes.append)
    return content, sorted(note.path for note in notes if note.kind is NoteKind.DROPPED)


HOPS = [
    "/hop", "/hops/0/party", "/hops/0/received_at", "/hops/0/role", "/hops/1/on_behalf_of",
    "/hops/1/party", "/hops/1/reply_before", "/hops/1/role", "/item_ids/0", "/on_behalf_of",
]  # fmt: skip
"""What customs is not told of an answer: the hops are the posts' own matter."""


def test_a_request_for_information_is_answered_by_r02() -> None:
    question = (
        "<additionalInformation><code>DESCR</code><text>Parts of what?</text>"
        "</additionalInformation><pointer><messageElementPath>/IE3F43/x</messageElementPath>"
        "</pointer>"
    )
    content = document("IE3Q02", request("LU-RFI-000000017", "RFI", question))
    at_origin = passed(to_origin(asked(content)))
    assert (ITEM,) == at_origin.item_ids
    assert "Parts of what?" == at_origin.questions[0].text
    assert "/IE3F43/x" == at_origin.pointers[0].path

    answer = answered(
        at_origin,
        information=(Information(code="DESCR", text="Of a clock"),),
        attachments=(AttachedFile(media_type="image/png", name="p.png", content=SCAN),),
    )
    r02, lost = back(passed(answer))

    assert b"<IE3R02 " in r02
    assert [
        "/answers/0/answered_at", *HOPS, "/pointers/0/path", "/questions/0/code",
        "/questions/0/text",
    ] == lost  # fmt: skip
    final = asked(r02)
    assert ("LU-RFI-000000017", "26LUICS2F43000017A", "LU00000000012") == (
        final.reference,
        final.mrn,
        final.declarant,
    )
    (said,) = final.answers
    assert (ITEM, "DESCR", "Of a clock") == (
        said.item_id,
        said.information[0].code,
        said.information[0].text,
    )
    assert SCAN == said.attachments[0].content


def test_an_attachment_may_travel_by_reference_and_digest() -> None:
    digest = sha256(SCAN).hexdigest()
    reference = "https://files.example.org/p.png"
    referral = asked(document("IE3Q02", request("LU-RFI-000000017", "RFI")))
    attached = AttachedFile(
        media_type="image/png", name="p.png", digest=digest, size=len(SCAN), reference=reference
    )
    between_posts = passed(answered(referral, attachments=(attached,)))
    assert (digest, reference) == (
        between_posts.answers[0].attachments[0].digest,
        between_posts.answers[0].attachments[0].reference,
    )
    r02, lost = back(between_posts)
    assert reference == asked(r02).answers[0].attachments[0].reference
    assert {"/answers/0/attachments/0/digest", "/answers/0/attachments/0/size"} <= set(lost)


def test_a_request_for_screening_is_answered_by_r03() -> None:
    methods = "".join(
        f"<recommendedHRCMScreeningMethod><method>{method}</method>"
        "</recommendedHRCMScreeningMethod>"
        for method in ("XRY", "EDS")
    )
    referral = asked(document("IE3Q03", request("LU-RFS-000000018", "RFS", methods)))
    at_origin = passed(to_origin(referral))
    assert ("XRY", "EDS") == at_origin.screening_methods
    screened = tuple(
        Screening(
            method=method,
            outcome="1",
            screened_at=NOON,
            screener="Muster Beispiel",
            screener_id="FR00000000017",
            screener_type="1",
        )
        for method in at_origin.screening_methods
    )
    r03, lost = back(passed(answered(at_origin, screenings=screened)))

    assert b"<IE3R03 " in r03
    assert {"/answers/0/screenings/0/screened_at", *HOPS} <= set(lost)
    final = asked(r03)
    assert ("LU-RFS-000000018", "RFS") == (final.reference, final.kind)
    assert [("XRY", "1", "FR00000000017"), ("EDS", "1", "FR00000000017")] == [
        (one.method, one.outcome, one.screener_id) for one in final.answers[0].screenings
    ]


def test_do_not_load_names_receptacles_to_the_origin_post() -> None:
    receptacle = "FRCDGALULUXAAUN60001001100050"
    named = (
        "<doNotLoadDetails><receptacle><receptacleIdentificationNumber>"
        f"{receptacle}</receptacleIdentificationNumber></receptacle><transportDocument>"
        f"<documentNumber>{ITEM}</documentNumber><type>N750</type></transportDocument>"
        "<transportDocument><documentNumber>020-12345675</documentNumber><type>N741</type>"
        "</transportDocument></doNotLoadDetails>"
    )
    at_origin = passed(to_origin(asked(document("IE3Q01", named))))
    assert ("DNL", "26LUICS2F43000017A", (receptacle,), (ITEM,)) == (
        at_origin.kind,
        at_origin.reference,
        at_origin.receptacle_ids,
        at_origin.item_ids,
    )
    assert "020-12345675" == at_origin.transport_documents[0].number


def test_a_request_to_amend_is_answered_by_a43() -> None:
    referral = asked(document("IE3Q02", request("LU-RFA-000000020", "RFA")))
    better = item(
        pieces=(ContentPiece(number=1, pieces=2, description="Gear wheels of steel", hs="848340"),),
        function="amendment",
    )
    at_declarant = passed(answered(to_origin(referral), amendment=better))

    amended = msgspec.structs.replace(
        at_declarant.answers[0].amendment,
        mrn=at_declarant.mrn,
        referral_reference=at_declarant.reference,
    )
    a43 = encode(ICS2, Interchange(header=Header(prepared_at=NOON), messages=(amended,)))
    (final,) = decode(ICS2, a43).messages

    assert b"<IE3A43 " in a43
    assert isinstance(final, ItemDeclaration)
    assert (ITEM, "26LUICS2F43000017A", "LU-RFA-000000020", "Gear wheels of steel") == (
        final.item_id,
        final.mrn,
        final.referral_reference,
        final.pieces[0].description,
    )
    assert Decimal("0.750") == final.gross_weight


def test_the_end_of_the_assessment_reaches_the_origin_post() -> None:
    more = "<completionDate><DateTime>2026-11-21T15:00:00Z</DateTime></completionDate>"
    at_origin = passed(to_origin(asked(document("IE3N03", more))))
    assert ("AC", datetime(2026, 11, 21, 15, tzinfo=UTC)) == (
        at_origin.kind,
        at_origin.completed_at,
    )


def referral(kind: str, **named: Any) -> Interchange:
    """A request of customs to its declarant."""
    asked = Referral(
        reference="LU-RFS-000000018",
        kind=kind,
        issued_at=datetime(2026, 11, 21, 9, tzinfo=UTC),
        authority=Office(code="LU"),
        **named,
    )
    return Interchange(messages=(asked,))


@pytest.mark.parametrize("kind", ["RFI", "RFS"])
def test_a_request_about_an_item_and_another_document_is_two_requests(kind: str) -> None:
    other = Document(number="AWB-1", type="N740")
    about = referral(kind, item_ids=("RX000000017XX",), house_document=other)
    wanted = "only one of /item_ids/0, /house_document can stand here"
    with pytest.raises(TranslationError, match=f"element.repeated /house_document {wanted}"):
        encode(ICS2, about)


def test_a_screening_is_wanted_of_something() -> None:
    wanted = "one of /item_ids/0, /house_document is required here"
    with pytest.raises(TranslationError, match=f"value.missing /item_ids/0 {wanted}"):
        encode(ICS2, referral("RFS"))
    # Information may be wanted about the filing as a whole.
    assert b"transportDocumentHouse" not in encode(ICS2, referral("RFI"))
