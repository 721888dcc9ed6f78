"""On what terms messages of a kind go to an endpoint: worked out once while nothing changes.

They follow from the network and from the registry of parties, each of which is one value that is
replaced as a whole: with another one of either, whatever was worked out before is forgotten. So a
suspension, a withdrawn grant and another agreement count for the very next delivery.
"""

from __future__ import annotations

from gateway.agreements import Minimiser, Source
from gateway.core.errors import Refused, Unavailable
from gateway.core.reports import Report, report_of
from gateway.pipeline.heading import Heading
from gateway.pipeline.plan import Network, country_of, permit_delivery
from gateway.routing import Endpoint
from translators.canonical import Message
from translators.translator import FormatId
from trust.party import Party, Registry
from trust.policy import Denial

MAX_TERMS = 4_096
"""That are remembered: endpoints times kinds, mostly."""
MAX_COUNTRIES = 1_024
"""For which a permission is remembered; more than there are."""


class Terms:
    """What is the same for all messages of a kind that go to an endpoint in a format."""

    __slots__ = (
        "_countries",
        "_parties",
        "endpoint",
        "format",
        "heading",
        "hidden",
        "lossless",
        "minimiser",
        "party",
    )

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        kind: str,
        party: Party,
        minimiser: Minimiser,
        hidden: bool,
        format_id: FormatId,
        sender: str,
        parties: Registry,
    ) -> None:
        self.endpoint = endpoint
        self.party = party
        self.minimiser = minimiser
        self.hidden = hidden
        """Whether the receiver is not told from which party a message came."""
        self.format = format_id
        self.heading = Heading(
            endpoint,
            sender=sender,
            recipient=party.operators[0] if party.operators else party.id,
        )
        self.lossless: Report = report_of((), format_id=format_id, kind=kind)
        """The report of a delivery that has all of its message."""
        self._parties = parties
        self._countries: dict[str | None, Denial | None] = {}

    def denial(self, message: Message) -> Denial | None:
        """Why grants do not let the receiver have a message; ``None`` if they do.

        Of a message, they look at its kind and its country.
        """
        country = country_of(message)
        if country not in self._countries:
            if len(self._countries) >= MAX_COUNTRIES:
                self._countries.clear()
            self._countries[country] = permit_delivery(
                message, self.party, format_id=self.format, parties=self._parties
            )
        return self._countries[country]


class AllTerms:
    """Terms by endpoint, kind, route and wish, of one network and one registry at a time."""

    def __init__(self, sender: str) -> None:
        """``sender`` is the gateway itself."""
        self._sender = sender
        self._network: Network | None = None
        self._parties: Registry | None = None
        self._known: dict[tuple[str, str, str, FormatId | None], Terms] = {}

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._known)

    def find(
        self,
        network: Network,
        parties: Registry,
        *,
        endpoint: Endpoint,
        kind: str,
        route: str,
        wish: FormatId | None,
    ) -> Terms:
        """The terms in force; ``wish`` is a format that the receiver has asked for.

        Raises ``Refused`` when there are none, and ``Unavailable`` while the party is suspended.
        """
        if network is not self._network or parties is not self._parties:
            self._known.clear()
            self._network, self._parties = network, parties
        name = endpoint.id, kind, route, wish
        known = self._known.get(name)
        if known is not None and known.endpoint == endpoint:
            return known
        if len(self._known) >= MAX_TERMS:
            self._known.clear()
        found = self._known[name] = self._worked_out(network, parties, endpoint, kind, route, wish)
        return found

    def _worked_out(
        self,
        network: Network,
        parties: Registry,
        endpoint: Endpoint,
        kind: str,
        route: str,
        wish: FormatId | None,
    ) -> Terms:
        party = parties.parties.get(endpoint.party)
        agreement = network.agreement(parties, endpoint, kind)
        if party is None or agreement is None:
            raise Refused("agreement.none", f"no agreement lets {endpoint.party} get {kind}")
        if party.suspended:
            raise Unavailable(f"{party.id} is suspended")
        return Terms(
            endpoint=endpoint,
            kind=kind,
            party=party,
            minimiser=network.minimisers[agreement.name],
            hidden=agreement.source is Source.HIDDEN,
            format_id=wish or _route_format(network, endpoint, route),
            sender=self._sender,
            parties=parties,
        )


def _route_format(network: Network, endpoint: Endpoint, route: str) -> FormatId:
    try:
        return network.format_for(endpoint, network.routes.get(route))
    except KeyError:  # the route is gone from the configuration, the leg still stands
        return endpoint.format
