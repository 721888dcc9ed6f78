"""What a message is about. The first subject is its key: messages of one key keep their order.

Items of all sources meet under one subject, so that a platform's order, a post's declaration and
an authority's answer appear in one trace. An S10 identifier is unique per issuing country for
twelve months (UPU S10), therefore the country stands for the origin operator; any other
identifier is unique per party only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from gateway.core.records import Subject
from translators.canonical import (
    AeoStatus,
    Attachment,
    CustomsResponse,
    DeliveryFailed,
    Despatch,
    GoodsDeclaration,
    InspectionResult,
    ItemDeclaration,
    Message,
    Order,
    Referral,
    RevenueAssessment,
    RiskAssessment,
    RiskIndicator,
    TransportEvent,
    kind_of,
)

S10 = re.compile(r"[A-Z]{2}[0-9]{9}[A-Z]{2}")


def item(value: str, party: str) -> Subject:
    """The subject of an item identifier."""
    return Subject("item", value, value[-2:] if S10.fullmatch(value) else party)


def _declaration_of_item(message: ItemDeclaration, party: str) -> Iterator[Subject]:
    yield item(message.item_id, party)
    if message.order_reference:
        yield Subject("order", message.order_reference)
    if message.return_of:
        yield item(message.return_of, party)
    yield from _references(message, party)


def _order(message: Order, party: str) -> Iterator[Subject]:
    yield Subject("order", message.order_id)
    for parcel in message.parcels:
        yield item(parcel.tracking_number, party)
    if message.return_of:
        yield Subject("order", message.return_of)


def _declaration(message: GoodsDeclaration, party: str) -> Iterator[Subject]:
    yield Subject("lrn", message.lrn, party)
    if message.mrn:
        yield Subject("mrn", message.mrn)
    for identifier in message.item_ids:
        yield item(identifier, party)


def _about(message: Any, party: str) -> Iterator[Subject]:
    """Answers and results: the item, order or declaration that they speak of."""
    if getattr(message, "item_id", None):
        yield item(message.item_id, party)
    if getattr(message, "order_id", None):
        yield Subject("order", message.order_id)
    yield from _references(message, party)


def _references(message: Any, party: str) -> Iterator[Subject]:
    if getattr(message, "mrn", None):
        yield Subject("mrn", message.mrn)
    if getattr(message, "lrn", None):
        yield Subject("lrn", message.lrn, party)
    if getattr(message, "referral_reference", None):
        yield Subject("referral", message.referral_reference)


def _referral(message: Referral, party: str) -> Iterator[Subject]:
    yield Subject("referral", message.reference)
    for identifier in message.item_ids:
        yield item(identifier, party)
    for answer in message.answers:
        yield item(answer.item_id, party)
    for receptacle in message.receptacle_ids:
        yield Subject("receptacle", receptacle)
    for document in (message.house_document, *message.transport_documents):
        if document is not None and S10.fullmatch(document.number):
            yield item(document.number, party)
    yield from _references(message, party)


def _indicator(message: RiskIndicator, party: str) -> Iterator[Subject]:
    yield Subject("indicator", message.indicator_id, message.issuer)
    if message.caused_by_item:
        yield item(message.caused_by_item, party)


def _risk(message: RiskAssessment, party: str) -> Iterator[Subject]:
    yield from _about(message, party)
    if message.do_not_load is not None:
        for receptacle in message.do_not_load.receptacle_ids:
            yield Subject("receptacle", receptacle)
        for document in message.do_not_load.documents:
            if S10.fullmatch(document.number):
                yield item(document.number, party)
    for indicator in message.indicators:
        issuer, _, identifier = indicator.rpartition("/")
        yield Subject("indicator", identifier, issuer)


def _despatch(message: Despatch, party: str) -> Iterator[Subject]:
    yield Subject("despatch", message.despatch_id)
    for receptacle in message.receptacles:
        yield Subject("receptacle", receptacle.receptacle_id)
        for identifier in receptacle.item_ids:
            yield item(identifier, party)


def _event(message: TransportEvent, party: str) -> Iterator[Subject]:
    for identifier in message.item_ids:
        yield item(identifier, party)
    for receptacle in message.receptacle_ids:
        yield Subject("receptacle", receptacle)
    if message.despatch_id:
        yield Subject("despatch", message.despatch_id)
    yield from _references(message, party)


def _inspection(message: InspectionResult, party: str) -> Iterator[Subject]:
    yield from _about(message, party)
    if message.receptacle_id:
        yield Subject("receptacle", message.receptacle_id)


def _aeo(message: AeoStatus, _: str) -> Iterator[Subject]:
    yield Subject("aeo", message.number, message.authority.code)


def _attachment(message: Attachment, party: str) -> Iterator[Subject]:
    yield Subject("attachment", message.attachment_id, party)
    yield from _about(message, party)


def _failure(message: DeliveryFailed, _: str) -> Iterator[Subject]:
    yield Subject("message", message.regards)


_SUBJECTS: dict[str, Callable[[Any, str], Iterator[Subject]]] = {
    ItemDeclaration.__name__: _declaration_of_item,
    Order.__name__: _order,
    GoodsDeclaration.__name__: _declaration,
    CustomsResponse.__name__: _about,
    Referral.__name__: _referral,
    RiskIndicator.__name__: _indicator,
    RiskAssessment.__name__: _risk,
    RevenueAssessment.__name__: _about,
    Despatch.__name__: _despatch,
    TransportEvent.__name__: _event,
    InspectionResult.__name__: _inspection,
    AeoStatus.__name__: _aeo,
    Attachment.__name__: _attachment,
    DeliveryFailed.__name__: _failure,
}


def subjects_of(message: Message, *, party: str) -> tuple[Subject, ...]:
    """What ``message`` from ``party`` is about, without repeats; empty when it names nothing."""
    found = _SUBJECTS[kind_of(message)](message, party)
    return tuple(dict.fromkeys(found))
