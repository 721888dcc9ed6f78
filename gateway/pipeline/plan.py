"""Planning: which legs an accepted message gets, and whether each target can take it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from gateway.agreements import Agreement, Agreements, Minimiser
from gateway.core.records import PlannedLeg, StoredMessage
from gateway.pipeline.heading import probe
from gateway.routing import INBOX_TRANSPORT, ORIGIN, Endpoint, Endpoints, Route, Routes
from translators.canonical import Message, kind_of
from translators.faults import Fault, TranslationError
from translators.registry import Registry as Formats
from translators.translator import FormatId
from trust.identity import Identity, PartyId
from trust.party import Party
from trust.party import Registry as Parties
from trust.policy import Denial, permit_receipt


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """What planning and dispatch know of the world: one immutable value of the configuration."""

    routes: Routes
    agreements: Agreements
    minimisers: Mapping[str, Minimiser]
    """By the agreement's name."""
    endpoints: Endpoints
    formats: Formats

    def agreement(self, parties: Parties, endpoint: Endpoint, kind: str) -> Agreement | None:
        """Under which agreement a kind may go to an endpoint."""
        party = parties.parties.get(endpoint.party)
        return None if party is None else self.agreements.find(party, kind)

    def format_for(self, endpoint: Endpoint, route: Route) -> FormatId:
        """The route's format, otherwise the endpoint's."""
        return endpoint.format if route.format is None else FormatId(route.format)


class Plan(msgspec.Struct, frozen=True):
    """The legs of a message and the faults that keep it from being accepted."""

    legs: tuple[PlannedLeg, ...]
    faults: tuple[Fault, ...]


NO_PLAN = Plan((), ())


def country_of(message: Message) -> str | None:
    """The country for which a message is, where grants name countries."""
    country: str | None = getattr(message, "destination_country", None)
    return country


def permit_delivery(
    message: Message, receiver: Party, *, format_id: FormatId | None, parties: Parties
) -> Denial | None:
    """``None`` if the grants of a registry let that party get the message.

    ``format_id`` is ``None`` while it is open: an inbox is asked for one. Judged when legs are
    planned and again when they are prepared, so that a grant that was withdrawn meanwhile counts.
    """
    return permit_receipt(
        receiver,
        format=format_id,
        kind=kind_of(message),
        country=country_of(message),
        granted=parties.policy.receive == "granted",
    )


def plan(
    message: Message,
    author: Identity,
    *,
    through: PartyId,
    own: bool = False,
    network: Network,
    parties: Parties,
    regards: StoredMessage | None,
    deadline: datetime | None = None,
) -> Plan:
    """The legs of ``message``; what its targets could not take is a fault to the sender now.

    ``author``: whose message it is; ``through``: who sent it. ``own``: a notice of the gateway,
    which goes to whom it concerns, whatever that party may otherwise receive.
    """
    legs: dict[str, PlannedLeg] = {}
    faults: list[Fault] = []
    kind = kind_of(message)
    for step in network.routes.plan(message, author):
        if step.target == ORIGIN and not _answers(step.route, regards, parties):
            continue
        endpoint = _endpoint(step.target, kind, network=network, regards=regards)
        if endpoint is None or (
            endpoint.party in (author.party, through) and step.target != ORIGIN
        ):
            continue  # nobody to answer, or back to where it came from
        if endpoint.id in legs:
            continue
        agreement = network.agreement(parties, endpoint, kind)
        if agreement is None:
            faults.append(_none("agreement.none", f"no agreement lets route {step.route.name}"))
            continue
        target = network.format_for(endpoint, step.route)
        denial = None if own else _denied(message, endpoint, target, parties)
        if denial is not None:
            faults.append(_none(denial.code, f"{denial.detail} (route {step.route.name})"))
            continue
        minimised = network.minimisers[agreement.name].minimise(message).message
        faults.extend(_unfit(minimised, target, endpoint, step.route, network.formats))
        legs[endpoint.id] = PlannedLeg(
            destination=endpoint.id,
            route=step.route.name,
            lane=step.route.lane,
            due=deadline,
            patience=endpoint.patience[step.route.lane],
        )
    if not legs and not faults:
        faults.append(_none("route.none", "no route takes this message anywhere"))
    return Plan(tuple(legs.values()), tuple(faults))


def _denied(
    message: Message, endpoint: Endpoint, target: FormatId, parties: Parties
) -> Denial | None:
    receiver = parties.parties.get(endpoint.party)
    if receiver is None:
        return None  # no agreement holds with it either
    open_ = endpoint.transport == INBOX_TRANSPORT
    return permit_delivery(message, receiver, format_id=None if open_ else target, parties=parties)


def _none(code: str, detail: str) -> Fault:
    return Fault(code=code, detail=detail)


def _answers(route: Route, regards: StoredMessage | None, parties: Parties) -> bool:
    """Whether a route answers those of whom the message is that is regarded."""
    if regards is None or not route.origin_roles:
        return True
    party = parties.parties.get(regards.on_behalf_of or regards.party)
    return party is not None and not party.roles.isdisjoint(route.origin_roles)


def _endpoint(
    target: str, kind: str, *, network: Network, regards: StoredMessage | None
) -> Endpoint | None:
    if target != ORIGIN:
        return network.endpoints.get(target)
    if regards is None:
        return None
    endpoint = network.endpoints.answers_to(regards.party)
    if kind in network.formats.get(endpoint.format).kinds:
        return endpoint
    return network.endpoints.inbox(regards.party)


def _unfit(
    message: Message, format_id: FormatId, endpoint: Endpoint, route: Route, formats: Formats
) -> tuple[Fault, ...]:
    """Why a target's format could not express the message; formats that drop nothing can."""
    translator = formats.get(format_id)
    if not translator.drops.get(kind_of(message)):
        return ()
    try:
        for _ in translator.write(probe(endpoint, message), (message,)):
            pass
    except TranslationError as error:
        return tuple(
            msgspec.structs.replace(
                fault,
                code=f"target.{fault.code}",
                detail=f"{fault.detail} (needed by route {route.name})",
            )
            for fault in error.faults
        )
    return ()
