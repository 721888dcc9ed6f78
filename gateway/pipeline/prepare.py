"""Preparing a delivery: the stored message as its receiver may see it, in its receiver's format.

Translation out happens here and not at acceptance, so that a repaired translator can deliver old
messages again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from gateway.agreements import Source
from gateway.core.errors import Refused, Unavailable
from gateway.core.identifiers import MessageId, resolve
from gateway.core.ports import Journal
from gateway.core.records import Delivery, Outgoing, StoredMessage
from gateway.core.reports import Report, report_of
from gateway.pipeline.heading import heading
from gateway.pipeline.normalise import DERIVED, implied
from gateway.pipeline.plan import Network, permit_delivery
from gateway.routing import Endpoint
from translators.canonical import Message, Provenance
from translators.faults import Note, TranslationError
from translators.translator import FormatId
from trust.party import Party
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
        party = self._parties().parties.get(endpoint.party)
        agreement = network.agreement(self._parties(), endpoint, stored.kind)
        if party is None or agreement is None:
            raise Refused("agreement.none", f"no agreement lets {endpoint.party} get {stored.kind}")
        if party.suspended:
            raise Unavailable(f"{party.id} is suspended")
        message = _restored(stored, hidden=agreement.source is Source.HIDDEN, via=self._gateway_id)
        chosen = format_id or self._route_format(delivery, endpoint, network)
        self._permit(stored, message, party, chosen)
        message = await self._readdressed(message, endpoint)
        minimised = network.minimisers[agreement.name].minimise(message)
        notes: list[Note] = []
        content = self._encoded(minimised.message, stored, party, endpoint, chosen, notes)
        outgoing = Outgoing(
            message_id=stored.message_id, kind=stored.kind, format=chosen, content=content
        )
        return Prepared(
            outgoing, _report(stored, chosen, notes, minimised.dropped, minimised.message)
        )

    def _permit(
        self, stored: StoredMessage, message: Message, party: Party, format_id: FormatId
    ) -> None:
        """Refuse what no grant of the receiver covers any more; never the gateway's own notices."""
        if stored.party == self._gateway_id:
            return
        denial = permit_delivery(message, party, format_id=format_id, parties=self._parties())
        if denial is not None:
            raise Refused(denial.code, denial.detail)

    def _route_format(self, delivery: Delivery, endpoint: Endpoint, network: Network) -> FormatId:
        try:
            return network.format_for(endpoint, network.routes.get(delivery.route))
        except KeyError:  # the route is gone from the configuration, the leg still stands
            return endpoint.format

    def _encoded(
        self,
        message: Message,
        stored: StoredMessage,
        party: Party,
        endpoint: Endpoint,
        format_id: FormatId,
        notes: list[Note],
    ) -> bytes:
        header = heading(
            endpoint,
            message,
            sender=self._gateway_id,
            recipient=party.operators[0] if party.operators else party.id,
            message_id=stored.message_id,
            prepared_at=stored.accepted_at,
        )
        try:
            writer = self._network().formats.get(format_id)
            return b"".join(writer.write(header, (message,), notes.append))
        except TranslationError as error:
            raise Refused(
                "translation.failed", f"{format_id} can not express it", faults=error.faults
            ) from error

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
