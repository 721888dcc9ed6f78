"""The gateway's own signing keys, wherever they are kept: files, or tokens behind PKCS #11.

Whatever is opened here is a ``trust.keys.Signer``; the rest of the gateway knows nothing else.
"""
