"""The HTTPS interface of version 1: :class:`gateway.ingress.http.server.HttpIngress`."""
