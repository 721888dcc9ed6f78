"""Edges through which messages go out: HTTPS, gRPC and folders."""
