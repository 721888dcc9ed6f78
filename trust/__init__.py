"""Who said it, may they, and can it be proved.

Pure: bytes and the time come in as arguments, nothing is read, logged or waited for. Any doubt
raises ``TrustError`` with a code of ``trust.errors.CODES``.
"""
