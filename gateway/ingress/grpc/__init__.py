"""The gRPC interface ``exchange.v1``."""

from gateway.ingress.grpc.server import GrpcIngress
from gateway.ingress.grpc.settings import GrpcSettings

__all__ = ["GrpcIngress", "GrpcSettings"]
