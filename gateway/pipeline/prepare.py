"""Preparing a delivery: the stored message as its receiver may see it, in its receiver's format.

Translation out happens here and not at acceptance, so that a repaired translator can deliver old
messages again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from gateway.core.errors import Refused
from gateway.core.identifiers import MessageId, resolve
from gateway.core.ports import Journal
from gateway.core.records import Delivery, Outgoing, StoredMessage
from gateway.core.reports import Report, report_of
from gateway.pipeline.normalise import DERIVED, implied
from gateway.pipeline.plan import Network
from gateway.pipeline.terms import AllTerms, Terms
from gateway.routing import Endpoint
from translators.canonical import Message, Provenance
from translators.faults import Note, TranslationError
from translators.registry import Registry as Formats
from translators.translator import FormatId
from trust.party import Registry as Parties

_OWN = ("/header/", "/provenance")
_BODY: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


class Prepared(msgspec.Struct, frozen=True):
    """What goes out, and what of the message is not in it as it stands."""

    outgoing: Outgoing
    report: Report


class Preparer:
    """Minimises and encodes. Raises ``Refused`` when that can not be done for this message."""

    def __init__(
        self,
        *,
        gateway_id: str,
        journal: Journal,
        network: Callable[[], Network],
        parties: Callable[[], Parties],
    ) -> None:
        self._gateway_id = gateway_id
        self._journal = journal
        self._network = network
        self._parties = parties
        self._terms = AllTerms(gateway_id)

    def withheld(self, delivery: Delivery, endpoint: Endpoint) -> Report | None:
        """What an agreement withholds of a delivery whose format is not known any more."""
        network, stored = self._network(), delivery.message
        agreement = network.agreement(self._parties(), endpoint, stored.kind)
        if agreement is None or stored.body is None:
            return None
        minimised = network.minimisers[agreement.name].minimise(_BODY.decode(stored.body))
        return _report(stored, FormatId(""), (), minimised.dropped, minimised.message)

    async def prepare(
        self, delivery: Delivery, endpoint: Endpoint, *, format_id: FormatId | None = None
    ) -> Prepared:
        """The delivery as bytes in ``format_id``, otherwise in the format of its route.

        Whether the receiver may still get it is judged now, whatever was true when its leg was
        planned. A party that is suspended gets nothing, and loses nothing: ``Unavailable``.
        """
        network, stored = self._network(), delivery.message
        terms = self._terms.find(
            network,
            self._parties(),
            endpoint=endpoint,
            kind=stored.kind,
            route=delivery.route,
            wish=format_id,
        )
        message = _restored(stored, hidden=terms.hidden, via=self._gateway_id)
        # The gateway's own notices go to whom they concern, whatever that party may receive.
        if stored.party != self._gateway_id and (denial := terms.denial(message)) is not None:
            raise Refused(denial.code, denial.detail)
        if getattr(message, "regards", None) is not None:
            message = await self._readdressed(message, endpoint)
        minimised = terms.minimiser.minimise(message)
        notes: list[Note] = []
        content = _encoded(minimised.message, stored, terms, network.formats, notes)
        outgoing = Outgoing(
            message_id=stored.message_id, kind=stored.kind, format=terms.format, content=content
        )
        if not notes and not minimised.dropped:
            return Prepared(outgoing, terms.lossless)
        report = _report(stored, terms.format, notes, minimised.dropped, minimised.message)
        return Prepared(outgoing, report)

    async def _readdressed(self, message: Message, endpoint: Endpoint) -> Message:
        """An answer to a message that another gateway sent names it by that gateway's own id."""
        named: str | None = getattr(message, "regards", None)
        address = resolve(named) if named is not None else None
        if address is None:
            return message
        regarded = await self._journal.message(address[1], address[2])
        if regarded is None or regarded.party != endpoint.party or regarded.upstream_id is None:
            return message
        return _replace(message, regards=MessageId(regarded.upstream_id))


def _encoded(
    message: Message,
    stored: StoredMessage,
    terms: Terms,
    formats: Formats,
    notes: list[Note],
) -> bytes:
    header = terms.heading.of(message, message_id=stored.message_id, prepared_at=stored.accepted_at)
    try:
        writer = formats.get(terms.format)
        return b"".join(writer.write(header, (message,), notes.append))
    except TranslationError as error:
        raise Refused(
            "translation.failed", f"{terms.format} can not express it", faults=error.faults
        ) from error


def _report(
    stored: StoredMessage,
    format_id: FormatId,
    notes: Iterable[Note],
    withheld: Iterable[str],
    message: Message,
) -> Report:
    """The report without what is the gateway's own.

    That is the header, what it says of provenance, and what it has filled in: a country that
    follows from an address is not lost where the address is carried.
    """
    told = [note for note in notes if not note.path.startswith(_OWN)]
    if any(note.path[1:] in DERIVED for note in told):
        own = implied(message)
        told = [note for note in told if note.path not in own]
    return report_of(told, format_id=format_id, kind=stored.kind, withheld=withheld)


def _restored(stored: StoredMessage, *, hidden: bool, via: str) -> Message:
    """The canonical message with its function and the gateway's own statement of provenance."""
    if stored.body is None:
        raise Refused("retention.expired", "its content was removed when its time was over")
    message = _BODY.decode(stored.body)
    provenance = Provenance(
        message_id=stored.message_id,
        party=via if hidden else stored.party,
        interchange_id=stored.message_id if hidden else stored.interchange_id,
        accepted_at=stored.accepted_at,
        version=stored.version,
        on_behalf_of=None if hidden else stored.on_behalf_of,
        upstream_id=None if hidden else stored.upstream_id,
    )
    changes: dict[str, Any] = {"provenance": provenance}
    if getattr(message, "function", stored.function) is None:
        changes["function"] = stored.function
    return _replace(message, **changes)


def _replace(message: Message, **changes: Any) -> Message:
    return msgspec.structs.replace(message, **changes)
