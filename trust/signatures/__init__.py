"""Signatures over messages: algorithms, the compact form, detached JWS."""
