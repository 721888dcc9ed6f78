"""eu.ics2.referral.2 against the published schemas of ICS2.

IE3N99 has a schema. Of the others parts are published: their twins between customs (which differ
by a message header alone, and a reference of the risk analysis), and types.
"""

from __future__ import annotations

import io
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from lxml import etree

from tests.conformance import ics2
from tests.conformance.accounting import values
from tests.conftest import Figure
from tests.samples import ADDRESSEE, SENDER, item, s10
from translators.canonical import (
    Address,
    AttachedFile,
    ContentPiece,
    CustomsResponse,
    Document,
    Header,
    Information,
    Interchange,
    ItemDeclaration,
    Message,
    Money,
    Office,
    Pointer,
    Question,
    Referral,
    ReferralAnswer,
    ResponseError,
    Screening,
)
from translators.faults import Note, NoteKind
from translators.layout import packaged
from translators.translator import decode, encode

pytestmark = pytest.mark.conformance("ICS2 referrals")

T = TypeVar("T", bound=msgspec.Struct)

LAYOUT = packaged("eu.ics2.referral.2")
ISSUED = datetime(2026, 11, 21, 10, tzinfo=UTC)
FORMS = (
    "IE3Q01",
    "IE3N03",
    "IE3Q02",
    "IE3Q03",
    "IE3R02",
    "IE3R03",
    "IE3R01",
    "IE3N99",
    "IE3A43",
)
TYPED = {
    "doNotLoadDetails": "DoNotLoadDetailsType06",
    "assessmentComplete": "AssessmentCompleteType02",
    "registrationDate": "RegistrationDateType",
    "completionDate": "CompletionDateType",
    "responsibleMemberState": "ResponsibleMemberStateType",
    "documentIssueDate": "DocumentIssueDateType",
    "representative": "RepresentativeType03",
    "declarant": "DeclarantType03",
}
"""Published types of the parts of messages that have neither a schema nor a twin."""
TEXTS = ("Müller & Söhne", "東京都", "a < b > c", 'he said "no"', "plain")


class Maker:
    """Messages of each form, drawn by a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def make(self, form: str) -> tuple[Message, ...]:
        """One document's messages: several where the form has several."""
        if form in ("IE3R01", "IE3N99"):
            return (self._response(form),)
        if form == "IE3A43":
            said = {"mrn": "26LUICS2F43000017A", "referral_reference": self._maybe("LU-RFA-1")}
            return tuple(self._amended(said) for _ in range(self._random.randint(1, 3)))
        common = self._common(form)
        number = 1 if form in ("IE3Q01", "IE3N03") else self._random.randint(1, 4)
        return tuple(Referral(**common, **self._own(form)) for _ in range(number))

    def _maybe(self, value: Any, otherwise: Any = None) -> Any:
        return value if self._random.random() < 0.5 else otherwise

    def _text(self) -> str:
        return self._random.choice(TEXTS)

    def _eori(self) -> str:
        return f"LU{self._random.randrange(10**11):011}"

    def _document(self, type_: str) -> Document:
        return Document(type=type_, number=f"D-{self._random.randrange(10**6)}")

    def _some(self, most: int, make: Any) -> tuple[Any, ...]:
        return tuple(make() for _ in range(self._random.randint(0, most)))

    def _item(self) -> str:
        return s10(self._random.randrange(10**8))

    def _receptacle(self) -> str:
        return f"FRCDGALULUXAAUN{self._random.randrange(10**14):014}"

    def _common(self, form: str) -> dict[str, Any]:
        answers = form in ("IE3R02", "IE3R03")
        said: dict[str, Any] = {
            "issued_at": ISSUED + timedelta(minutes=self._random.randrange(10**4)),
            "authority": Office(code=self._random.choice(("LU", "FR"))),
            "mrn": f"26LU{self._random.randrange(10**14):014}",
            "representative": self._maybe(self._eori()),
            "declarant": self._eori() if answers else self._maybe(self._eori()),
        }
        if form in ("IE3Q02", "IE3Q03"):
            said["carrier"] = self._maybe(self._eori())
        if form in ("IE3Q03", "IE3R02", "IE3R03"):
            said["master_document"] = self._maybe(self._document("N741"))
        return said

    def _own(self, form: str) -> dict[str, Any]:
        reference = f"LU{self._random.randrange(10**15):015}"
        if form == "IE3Q02":
            return {
                "reference": reference,
                "kind": self._random.choice(("RFI", "RFA")),
                "item_ids": self._maybe((self._item(),), ()),
                "master_document": self._maybe(self._document("N741")),
                "documents": self._some(2, lambda: self._document("N380")),
                "questions": self._some(3, self._question),
                "pointers": self._maybe((Pointer(path="/IE3F43/goodsItem[1]"),), ()),
            }
        if form == "IE3Q03":
            return {
                "reference": reference,
                "kind": "RFS",
                "item_ids": (self._item(),),
                "screening_methods": self._some(9, lambda: self._random.choice(("XRY", "EDS"))),
            }
        if form in ("IE3R02", "IE3R03"):
            kind = "RFI" if form == "IE3R02" else "RFS"
            return {"reference": reference, "kind": kind, "answers": (self._answer(form),)}
        return {
            "kind": "DNL" if form == "IE3Q01" else "AC",
            "completed_at": None if form == "IE3Q01" else ISSUED + timedelta(days=1),
            "receptacle_ids": self._some(3, self._receptacle),
            "item_ids": self._some(3, self._item),
            "transport_documents": self._some(2, lambda: self._document("N741")),
            "reference": "",
        }

    def _question(self) -> Question:
        return Question(code=self._maybe("Q1"), text=self._text(), type=self._maybe("TXT"))

    def _answer(self, form: str) -> ReferralAnswer:
        screened = form == "IE3R03"
        return ReferralAnswer(
            item_id=self._item(),
            item_document_type="N750",
            answered_at=ISSUED,
            information=self._some(
                3, lambda: Information(code=self._maybe("A1"), text=self._text())
            ),
            attachments=self._some(3, self._file),
            screenings=self._screenings() if screened else (),
            screened_at_address=self._maybe(self._address()) if screened else None,
        )

    def _file(self) -> AttachedFile:
        return AttachedFile(
            media_type="image/png",
            name=self._text(),
            content=self._maybe(self._random.randbytes(30)),
            reference=self._maybe("https://files.example.org/1"),
            description=self._maybe(self._text()),
        )

    def _address(self) -> Address:
        lines = self._some(2, self._text)
        return Address(lines=lines, city="Lyon", country="FR", postcode=self._maybe("69001"))

    def _screenings(self) -> tuple[Screening, ...]:
        person = self._maybe(
            {"screener": "Muster Beispiel", "screener_id": self._eori(), "screener_type": "1"}, {}
        )
        outcome = self._random.choice(("1", "2"))
        return tuple(
            Screening(method=method, outcome=outcome, screened_at=ISSUED, **person)
            for method in self._random.sample(("XRY", "EDS", "PHS", "ETD"), k=3)
        )

    def _response(self, form: str) -> CustomsResponse:
        common: dict[str, Any] = {
            "decided_at": ISSUED,
            "lrn": "LRN-1",
            "destination_country": self._maybe("LU"),
            "representative": self._maybe(self._eori()),
            "declarant": self._maybe(self._eori()),
        }
        document = self._maybe({"item_id": self._item()}, {"transport_document": self._maybe(
            self._document("N741"))})  # fmt: skip
        if form == "IE3R01":
            return CustomsResponse(
                decision="data-received", mrn="26LUICS2F43000017A", **common, **document
            )
        return CustomsResponse(
            decision="error",
            office=self._maybe(Office(code="LU000100")),
            errors=(self._error(), *self._some(3, self._error)),
            **common,
            **document,
        )

    def _amended(self, said: dict[str, Any]) -> ItemDeclaration:
        return item(
            item_id=self._item(),
            item_document_type="N750",
            sender=_replaced(SENDER, person_type="legal-person"),
            addressee=_replaced(ADDRESSEE, person_type="natural-person"),
            mail_class="unspecified-by-sender",
            nature=self._random.choice(("sale", "gift")),
            documents=self._some(2, lambda: self._document("invoice")),
            pieces=tuple(
                ContentPiece(
                    number=number,
                    pieces=self._random.randint(1, 99),
                    description=self._text(),
                    hs=self._maybe("84834010", "848340"),
                    net_weight=self._maybe(Decimal("0.125")),
                    amount=self._maybe(Money(amount=Decimal("12.50"), currency="EUR")),
                )
                for number in range(1, self._random.randint(2, 4))
            ),
            **said,
        )

    def _error(self) -> ResponseError:
        return ResponseError(
            code="CL723",
            description=self._maybe(self._text()),
            technical=self._maybe(self._text()),
            pointers=self._maybe((Pointer(path="/IE3F43/LRN"),), ()),
        )


def settled(message: Message) -> Message:
    """A message as its document says it: one time for all, the MRN where there is no reference."""
    if not isinstance(message, Referral):
        return message
    changed: dict[str, Any] = {"reference": message.reference or message.mrn}
    if message.answers:
        (answer,) = message.answers
        at = message.issued_at
        screenings = tuple(_replaced(one, screened_at=at) for one in answer.screenings)
        changed["answers"] = (_replaced(answer, answered_at=at, screenings=screenings),)
    return _replaced(message, **changed)


def _replaced(value: T, **changes: Any) -> T:
    return msgspec.structs.replace(value, **changes)


def valid(document: bytes, folder: Path) -> None:
    """Assert that a document, or each part of it whose type is published, is valid."""
    root = etree.fromstring(document)
    name = ics2.local(root)
    if name in ics2.TWINS:
        ics2.published(ics2.TWINS[name]).assertValid(ics2.as_twin(document))
    elif name == "IE3A43":
        consignment = ics2.of_type("consignmentMasterLevel", "ConsignmentMasterLevelType57", folder)
        for part in root.iter(f"{{{ics2.NAMESPACE}}}consignmentMasterLevel"):
            consignment.assertValid(etree.fromstring(etree.tostring(part)))
    elif name == "IE3N99":
        ics2.published(name).assertValid(root)
    else:
        for part in root:
            type_name = TYPED.get(ics2.local(part))
            if type_name is not None:
                ics2.of_type(ics2.local(part), type_name, folder).assertValid(
                    etree.fromstring(etree.tostring(part))
                )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where driver schemas lie."""
    return tmp_path_factory.mktemp("ics2")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(50))
def test_a_message_is_valid_and_comes_back(form: str, seed: int, folder: Path) -> None:
    messages = tuple(settled(one) for one in Maker(seed).make(form))
    notes: list[Note] = []
    header = Header(prepared_at=ISSUED) if form == "IE3A43" else Header()
    document = encode(LAYOUT, Interchange(header=header, messages=messages), notes.append)

    assert etree.QName(etree.fromstring(document)).localname == form
    valid(document, folder)
    assert messages == decode(LAYOUT, document).messages
    assert [] == [note for note in notes if note.kind is NoteKind.DROPPED]


@pytest.mark.parametrize("full", [True, False], ids=["full", "required"])
def test_the_samples_are_valid_with_one_house_document(full: bool, folder: Path) -> None:
    for sample in LAYOUT.samples(full=full):
        messages = tuple(_one_house(message) for message in sample.messages)
        valid(encode(LAYOUT, _replaced(sample, messages=messages)), folder)


def _one_house(message: Message) -> Message:
    """A full sample has both forms of a house document, a short one none; there is one."""
    if isinstance(message, CustomsResponse):
        return _replaced(message, transport_document=None)
    if isinstance(message, ItemDeclaration):
        return message
    assert isinstance(message, Referral)
    return _replaced(message, house_document=None, item_ids=message.item_ids or ("EE471108151FR",))


@pytest.mark.parametrize(
    ("form", "without"),
    [
        ("IE3Q02", {"riskAnalysisRequestReference"}),
        ("IE3Q03", {"riskAnalysisRequestReference"}),
        ("IE3R02", {"hrcmScreeningResults"}),
        ("IE3R03", set()),
        ("IE3N99", set()),
    ],
)
def test_the_published_elements_are_carried(form: str, without: set[str], figure: Figure) -> None:
    published = {
        path
        for path in ics2.value_paths(ics2.TWINS.get(form, form))
        if not path.startswith("MessageHeader")
    }
    document = next(
        document
        for document in (encode(LAYOUT, sample) for sample in LAYOUT.samples())
        if etree.QName(etree.fromstring(document)).localname == form
    )
    carried = ics2.filled(etree.fromstring(document))
    missing = {path for path in published if path not in carried}

    assert {path for path in missing if not any(one in path for one in without)} == set()
    assert carried <= published
    figure(f"elements of {ics2.TWINS.get(form, form)}", len(published & carried), len(published))


def test_what_ics2_says_and_we_do_not_is_named() -> None:
    full = next(
        encode(LAYOUT, sample)
        for sample in LAYOUT.samples()
        if isinstance(sample.messages[0], Referral) and sample.messages[0].kind == "RFS"
        and sample.messages[0].answers
    )  # fmt: skip
    said = full.replace(b"</address>", b"<door>17</door></address>")
    (entry, *_) = [one for one in LAYOUT.read(_source(said)) if hasattr(one, "notes")]
    assert ["/IE3R03/hrcmScreeningResults[1]/facilityPlace/address/door[1]"] == [
        note.source_path for note in entry.notes if note.kind is NoteKind.DROPPED
    ]
    assert len(values(said)) - 2 == len(values(encode(LAYOUT, decode(LAYOUT, said))))


def _source(content: bytes) -> Any:
    return io.BytesIO(content)
