"""Parts of a consignment by which authorities point at things: for controls, referrals, stops."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from translators.canonical.declared import Packaging, TransportMeans
from translators.canonical.goods import Document
from translators.canonical.scalars import Quantity, Text35


class SubjectGoods(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A goods item, or some of its packages, means of transport and containers."""

    number: Quantity
    packages: Annotated[tuple[Packaging, ...], Meta(max_length=99)] = ()
    means: Annotated[tuple[TransportMeans, ...], Meta(max_length=99)] = ()
    containers: Annotated[tuple[Text35, ...], Meta(max_length=9999)] = ()


class SubjectConsignment(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A house consignment: for post one item, whose S10 identifier is its document's number."""

    sequence: Quantity | None = None
    receptacle_id: Text35 | None = None
    goods: Annotated[tuple[SubjectGoods, ...], Meta(max_length=9999)] = ()
    means: Annotated[tuple[TransportMeans, ...], Meta(max_length=99)] = ()
    document: Document | None = None
    containers: Annotated[tuple[Text35, ...], Meta(max_length=9999)] = ()


class ControlSubject(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """What of a master consignment something is about; nothing set: all of it."""

    receptacle_ids: Annotated[tuple[Text35, ...], Meta(max_length=999)] = ()
    goods: Annotated[tuple[SubjectGoods, ...], Meta(max_length=9999)] = ()
    consignments: Annotated[tuple[SubjectConsignment, ...], Meta(max_length=99999)] = ()
    packages: Annotated[tuple[Packaging, ...], Meta(max_length=99)] = ()
    document: Document | None = None
    containers: Annotated[tuple[Text35, ...], Meta(max_length=9999)] = ()


class DoNotLoad(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """What must not be loaded."""

    receptacle_ids: Annotated[tuple[Text35, ...], Meta(max_length=999)] = ()
    documents: Annotated[tuple[Document, ...], Meta(max_length=99999)] = ()
    containers: Annotated[tuple[Text35, ...], Meta(max_length=9999)] = ()
