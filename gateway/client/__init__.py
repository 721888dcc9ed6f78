"""The party's side: what a post, a platform or a customs uses to talk to a gateway.

It speaks the public interface only, and proves what it is told: a receipt counts when the gateway's
registered key signed it for this party, this interchange and these bytes.
"""

from gateway.client.answers import Answer, Delivery, InboxMessage, InboxPage, Trace, Track
from gateway.client.connection import HttpsLimits
from gateway.client.conversation import Reply, Submission
from gateway.client.credentials import Credentials, Peer, development, peer
from gateway.client.errors import CredentialsError, ProblemError
from gateway.client.grpc import GrpcLimits, GrpcPartyClient
from gateway.client.https import PartyClient

__all__ = [
    "Answer",
    "Credentials",
    "CredentialsError",
    "Delivery",
    "GrpcLimits",
    "GrpcPartyClient",
    "HttpsLimits",
    "InboxMessage",
    "InboxPage",
    "PartyClient",
    "Peer",
    "ProblemError",
    "Reply",
    "Submission",
    "Trace",
    "Track",
    "development",
    "peer",
]
