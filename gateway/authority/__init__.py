"""A small certification authority: its folder, its ledger, and what it serves to everybody.

``trust`` makes certificates, lists and answers as values; here they are kept and given out.
"""

from gateway.authority.faults import AuthorityError
from gateway.authority.ledger import Entry
from gateway.authority.office import Issued, Office

__all__ = ["AuthorityError", "Entry", "Issued", "Office"]
