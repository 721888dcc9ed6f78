"""An open-model load generator over mutual TLS: HTTPS, gRPC, and streams of gRPC.

The arrival rate is fixed: a request is due at its time, whatever became of those before it, and its
latency counts from that time. So a stall of the server stands in the latency of every request that
was due during it (no coordinated omission).
"""
