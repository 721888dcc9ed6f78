"""The gRPC interface ``exchange.v1``: :class:`gateway.ingress.grpc.server.GrpcIngress`."""
