"""Routing: which destinations a message must reach, and by which key it is ordered."""

from gateway.routing.endpoint import INBOX, INBOX_TRANSPORT, Endpoint, Endpoints
from gateway.routing.expectation import Expectation, Expectations
from gateway.routing.route import DECLARANT, ORIGIN, DestinationPlan, Route, Routes
from gateway.routing.subjects import item, subjects_of

__all__ = [
    "DECLARANT",
    "INBOX",
    "INBOX_TRANSPORT",
    "ORIGIN",
    "DestinationPlan",
    "Endpoint",
    "Endpoints",
    "Expectation",
    "Expectations",
    "Route",
    "Routes",
    "item",
    "subjects_of",
]
