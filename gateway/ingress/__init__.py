"""Edges through which interchanges come in: HTTPS, gRPC and watched folders."""
