"""Why a message of the model cannot be written: constructors do not check what the gate checks."""

from __future__ import annotations

import msgspec

from translators.defects import faults_of
from translators.faults import Fault, TranslationError
from translators.model import Shape


def beyond_the_model(value: msgspec.Struct, shape: Shape) -> TranslationError:
    """The error with every fault of a value that the gate would not have let in."""
    raw = msgspec.to_builtins(value, builtin_types=(bytes,))
    # A text that is no Unicode has no fault of its own in the model.
    unwritable = Fault(code="value.type", detail="holds what no encoding of texts can write")
    return TranslationError(faults_of(raw, shape, strict=True) or (unwritable,))
