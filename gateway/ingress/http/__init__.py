"""The HTTPS interface of version 1."""

from gateway.ingress.http.server import HttpIngress
from gateway.ingress.http.settings import HttpSettings

__all__ = ["HttpIngress", "HttpSettings"]
