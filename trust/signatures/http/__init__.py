"""HTTP message signatures (RFC 9421) in the one profile that this network takes."""
