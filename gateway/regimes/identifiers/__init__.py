"""Check rules of the field's identifiers. Each is pure and total: text in, codes of faults out."""

from gateway.regimes.identifiers.s10 import S10_FORM, s10_check_digit, s10_faults

__all__ = ["S10_FORM", "s10_check_digit", "s10_faults"]
