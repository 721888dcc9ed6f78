"""XML signatures in documents: a strict structural verifier, and the signing side (XMLDSig, XAdES).

Only what was verified is read on: verifying gives the very bytes that were digested.
"""
