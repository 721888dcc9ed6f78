"""Identifiers of trade parties and of their goods: EORI, VAT, tax schemes, LEI, GTIN.

No register is asked: what follows its rule may still never have been issued.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from stdnum import ean, lei
from stdnum.au import abn
from stdnum.eu import oss, vat
from stdnum.exceptions import ValidationError
from stdnum.gb import vat as gb_vat

EORI_FORM = re.compile(r"([A-Z]{2})([A-Z0-9]{1,15})")
"""Regulation (EU) 2015/2447, Annex 12-01: country, then up to 15 characters."""
IOSS_FORM = re.compile(r"IM[0-9]{10}")
_STATES = frozenset(oss.ISO_3166_1_MEMBER_STATES)
_FILLING = str.maketrans("", "", " -./")
_PREFIXES = frozenset(state.upper() for state in vat.MEMBER_STATES) | {"EL"}

Check = Callable[[str], tuple[str, ...]]


def eori_check(countries: frozenset[str], forms: Mapping[str, str]) -> Check:
    """A check of EORI numbers with these issuing countries and national forms (patterns)."""
    patterns = {country: re.compile(form) for country, form in forms.items()}

    def eori_faults(value: str) -> tuple[str, ...]:
        found = EORI_FORM.fullmatch(value.replace(" ", ""))
        if found is None:
            return ("eori.form",)
        country, number = found.groups()
        if country not in countries:
            return ("eori.country",)
        national = patterns.get(country)
        return () if national is None or national.fullmatch(number) else ("eori.national",)

    return eori_faults


def _plain(value: str) -> str | None:
    """A number without what people put into it, or ``None`` when other characters are in it."""
    compact = value.translate(_FILLING).upper()
    return compact if compact.isascii() and compact.isalnum() else None


def vat_faults(value: str) -> tuple[str, ...]:
    """What is wrong with a VAT number of an EU state or the United Kingdom, by its national rule.

    One without the prefix of such a state is not judged: whose rule holds for it is not known.
    """
    compact = _plain(value)
    if compact is None:
        return ("vat.rule",)
    prefix = compact[:2]
    if prefix != "GB" and prefix not in _PREFIXES:
        return ()
    validate = gb_vat.validate if prefix == "GB" else vat.validate
    return () if _follows(validate, compact) else ("vat.rule",)


def ioss_faults(value: str) -> tuple[str, ...]:
    """What is wrong with an IOSS number: ``IM``, member state of identification, seven digits.

    Regulation (EU) 2020/194, Annex; the state by its ISO 3166-1 number. How its last digit is
    computed is not public, so that is not judged.
    """
    compact = _plain(value) or ""
    good = IOSS_FORM.fullmatch(compact) is not None and compact[2:5] in _STATES
    return () if good else ("ioss.form",)


def vendor_faults(value: str) -> tuple[str, ...]:
    """Role FR5, the vendor: an IOSS number, otherwise a VAT number."""
    return ioss_faults(value) if value[:2].upper() == "IM" else vat_faults(value)


def lei_faults(value: str) -> tuple[str, ...]:
    """What is wrong with a legal entity identifier (ISO 17442: two check digits)."""
    compact = _plain(value)
    good = compact is not None and _follows(lei.validate, compact)
    return () if good else ("lei.check-digit",)


def abn_faults(value: str) -> tuple[str, ...]:
    """What is wrong with an Australian business number (11 digits, two of them check)."""
    compact = _plain(value)
    good = compact is not None and _follows(abn.validate, compact)
    return () if good else ("abn.check-digit",)


def gtin_faults(value: str) -> tuple[str, ...]:
    """What is wrong with a GTIN (GS1 General Specifications 7.9: the last digit is a check)."""
    compact = _plain(value)
    good = compact is not None and _follows(ean.validate, compact)
    return () if good else ("gtin.check-digit",)


def _follows(validate: Callable[[str], str], compact: str) -> bool:
    try:
        validate(compact)
    except ValidationError:
        return False
    return True
