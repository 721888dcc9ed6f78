"""The code lists that a configuration names, read."""

from __future__ import annotations

from pathlib import Path

from gateway.config.document import Config
from gateway.config.mistakes import Mistake
from gateway.regimes import Codes
from gateway.regimes.codes import CodeList, parse_list
from gateway.regimes.walk import places

_FILES = ("impc", "operators", "hs", "countries", "currencies")


def codes_of(config: Config, mistakes: list[Mistake]) -> Codes:
    """The lists of ``[codes]``; what is wrong with one is added to the mistakes."""
    section = config.codes
    read = {
        name: _read(config.path(file), f"codes.{name}", mistakes)
        for name in _FILES
        if (file := getattr(section, name)) is not None
    }
    known = places()
    lists = []
    for index, entry in enumerate(section.list):
        path = f"codes.list[{index}]"
        mistakes.extend(
            Mistake(f"{path}.places", f"the model has no place {place}")
            for place in entry.places
            if place not in known
        )
        codes = _read(config.path(entry.file), f"{path}.file", mistakes)
        lists.append(CodeList(name=entry.name, places=entry.places, codes=codes))
    return Codes(**read, lists=tuple(lists))


def _read(file: Path, path: str, mistakes: list[Mistake]) -> frozenset[str]:
    try:
        return parse_list(file.read_text("utf-8"))
    except OSError as error:
        mistakes.append(Mistake(path, f"{file}: {error.strerror}"))
    except ValueError as error:  # no code in it, or no UTF-8
        mistakes.append(Mistake(path, f"{file}: {error}"))
    return frozenset()
