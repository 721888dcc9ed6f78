"""Planning: which legs an accepted message gets, and whether each target can take it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from gateway.agreements import Agreement, Agreements, Minimiser
from gateway.core.records import PlannedLeg, StoredMessage
from gateway.pipeline.heading import probe
from gateway.pipeline.referrals import NOT_REFERRED, Referred, answers, check_known, expected_of
from gateway.routing import (
    DECLARANT,
    INBOX_TRANSPORT,
    ORIGIN,
    DestinationPlan,
    Endpoint,
    Endpoints,
    Expectations,
    Route,
    Routes,
)
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
    expectations: Expectations = Expectations()

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
    referred: Referred = NOT_REFERRED,
    deadline: datetime | None = None,
) -> Plan:
    """The legs of ``message``; what its targets could not take is a fault to the sender now.

    ``author``: whose message it is; ``through``: who sent it. ``own``: a notice of the gateway,
    which goes to whom it concerns, whatever that party may otherwise receive. ``referred``: who
    declared what it names.
    """
    legs: dict[str, PlannedLeg] = {}
    faults: list[Fault] = []
    kind = kind_of(message)
    steps = network.routes.plan(message, author)
    if any(_declared(step, message, regards) for step in steps):
        faults.extend(check_known(message, referred))
    awaited = bool(faults) and not any(fault.refuses for fault in faults)
    for step, endpoint in _endpoints(steps, message, network, parties, regards, referred):
        if endpoint.party in (author.party, through) and step.target != ORIGIN:
            continue  # back to where it came from
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
        faults.extend(_unfit(message, target, endpoint, step.route, agreement, network))
        legs[endpoint.id] = PlannedLeg(
            destination=endpoint.id,
            route=step.route.name,
            lane=step.route.lane,
            due=deadline,
            patience=endpoint.patience[step.route.lane],
            expects=()
            if own
            else (
                *expected_of(message, endpoint.party),
                *network.expectations.of(kind, endpoint),
            ),
        )
    if (
        not legs
        and not any(fault.refuses for fault in faults)
        and not (awaited and referred.unpacked)
    ):
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


def _declared(step: DestinationPlan, message: Message, regards: StoredMessage | None) -> bool:
    """Whether a step leads to who declared the items: not with what answers somebody."""
    return step.target == DECLARANT and regards is None and not answers(message)


def _endpoints(
    steps: Sequence[DestinationPlan],
    message: Message,
    network: Network,
    parties: Parties,
    regards: StoredMessage | None,
    referred: Referred,
) -> Iterator[tuple[DestinationPlan, Endpoint]]:
    """Each step with the endpoint that it leads to, or with each of several declarants."""
    kind = kind_of(message)
    for step in steps:
        if step.target == ORIGIN:
            if regards is not None and _has_role(
                regards.on_behalf_of or regards.party, step.route, parties
            ):
                yield step, _of_party(regards.party, kind, network)
        elif step.target == DECLARANT:
            if _declared(step, message, regards):
                for party in referred.declarants:
                    if _has_role(party, step.route, parties):
                        yield step, _of_party(party, kind, network)
        else:
            yield step, network.endpoints.get(step.target)


def _has_role(party: PartyId, route: Route, parties: Parties) -> bool:
    """Whether a route is for that party, when it says for whom it is."""
    found = parties.parties.get(party)
    return not route.origin_roles or (
        found is not None and not found.roles.isdisjoint(route.origin_roles)
    )


def _of_party(party: PartyId, kind: str, network: Network) -> Endpoint:
    """Where a party gets its answers, if a message of that kind can go there."""
    endpoint = network.endpoints.answers_to(party)
    if kind in network.formats.get(endpoint.format).kinds:
        return endpoint
    return network.endpoints.inbox(party)


def _unfit(
    message: Message,
    format_id: FormatId,
    endpoint: Endpoint,
    route: Route,
    agreement: Agreement,
    network: Network,
) -> tuple[Fault, ...]:
    """Why a target's format could not express what may be seen; formats that drop nothing can."""
    translator = network.formats.get(format_id)
    if not translator.drops.get(kind_of(message)):
        return ()
    seen = network.minimisers[agreement.name].minimise(message).message
    try:
        for _ in translator.write(probe(endpoint, seen), (seen,)):
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
