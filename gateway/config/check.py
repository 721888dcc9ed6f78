"""What the parts of a configuration say about each other: every mistake stops the start."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from gateway.agreements import Agreements, Minimiser
from gateway.config.document import Config
from gateway.config.mistakes import Mistake
from gateway.config.severities import judge_severities
from gateway.pipeline.clearing import CLEARANCE
from gateway.routing import DECLARANT, INBOX, ORIGIN, Route
from translators.canonical import KINDS
from translators.registry import Registry as Formats
from translators.translator import FormatId
from trust.identity import PartyId
from trust.party import Party
from trust.party import Registry as Parties


def check(config: Config, *, formats: Formats, parties: Parties) -> tuple[Mistake, ...]:
    """Unknown parties, formats, destinations and kinds, and disclosures without an agreement."""
    return (
        *_files(config),
        *_dispatch(config),
        *_quality(config),
        *_retention(config),
        *check_parties(config, formats=formats, parties=parties),
    )


def check_parties(config: Config, *, formats: Formats, parties: Parties) -> tuple[Mistake, ...]:
    """What a registry breaks. Our own files are none of its business: they may be changing."""
    return (
        *_names(config, formats=formats, parties=parties),
        *_agreements(config, parties=parties),
        *_routes(config, formats=formats, parties=parties),
        *_expectations(config, parties=parties),
    )


def _files(config: Config) -> Iterator[Mistake]:
    """Our certificate and key belong together, and what is pinned can be read."""
    files = (("tls.certificate", config.tls.certificate), ("tls.key", config.tls.key))
    missing = [(path, name) for path, name in files if not config.path(name).is_file()]
    for path, name in missing:
        yield Mistake(path, f"no such file: {name}")
    if not missing:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(
                config.path(config.tls.certificate), config.path(config.tls.key), password=_none
            )
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            yield Mistake("tls", f"certificate and key can not be used: {_reason(error)}")
    for index, entry in enumerate(config.destination):
        if entry.ca is None or not config.path(entry.ca).is_file():
            continue  # said where destinations are looked at
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(cafile=config.path(entry.ca))
        except OSError as error:
            yield Mistake(f"destination[{index}].ca", f"{entry.ca}: {_reason(error)}")


def _none() -> str:
    """Asked for the password of a key: a gateway that starts by itself has nobody to ask."""
    raise ValueError("the key is encrypted")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no PEM").replace("_", " ").lower()
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _retention(config: Config) -> Iterator[Mistake]:
    """A trace outlives the content, and kinds are those of the model."""
    section = config.retention
    for kind in section.unknown_kinds:
        yield Mistake(f"retention.kinds.{kind}", "no such kind of message")
    if section.trace < section.longest:
        yield Mistake("retention.trace", f"content is kept longer, {section.longest} days")


def _dispatch(config: Config) -> Iterator[Mistake]:
    """A lease outlasts a delivery, or none would ever begin."""
    tables = [("dispatch", config.dispatch)]
    for index, entry in enumerate(config.destination):
        if entry.dispatch is not None:
            tables.append((f"destination[{index}].dispatch", entry.dispatch))
    for path, settings in tables:
        if settings.lease <= settings.timeout:
            yield Mistake(f"{path}.lease", f"must be longer than timeout, {settings.timeout:g} s")


def _quality(config: Config) -> Iterator[Mistake]:
    """Every value would lie outside of bounds that are the wrong way round."""
    least, most = config.quality.least_euro_per_kg, config.quality.most_euro_per_kg
    if least > most:
        yield Mistake("quality.least_euro_per_kg", f"is above most_euro_per_kg, {most:g}")


def _names(config: Config, *, formats: Formats, parties: Parties) -> Iterator[Mistake]:
    if PartyId(config.gateway.id) not in parties.parties:
        yield Mistake("gateway.id", f"{config.gateway.id} is not in the registry of parties")
    yield from judge_severities(config.severity, "severity")
    for party in parties.parties.values():
        yield from judge_severities(party.severities, f"registry: {party.id}.severities")
        for name in party.speaks:
            yield from _format(name, f"registry: {party.id}.speaks", formats)
    for index, folder in enumerate(config.ingress.folder):
        path = f"ingress.folder[{index}]"
        yield from _party(folder.party, f"{path}.party", parties)
        if folder.on_behalf_of is not None:
            yield from _party(folder.on_behalf_of, f"{path}.on_behalf_of", parties)
        yield from _format(folder.format, f"{path}.format", formats)
    yield from _repeated("destination", [entry.id for entry in config.destination])
    yield from _repeated("route", [entry.name for entry in config.route])
    yield from _repeated("agreement", [entry.name for entry in config.agreement])
    for index, entry in enumerate(config.destination):
        path = f"destination[{index}]"
        yield from _party(entry.party, f"{path}.party", parties)
        yield from _format(entry.format, f"{path}.format", formats)
        if entry.transport == "folder" and not config.path(entry.address).is_dir():
            # Never made here: a share that is not mounted would go unnoticed.
            yield Mistake(f"{path}.address", f"no such folder: {entry.address}")
        if entry.transport != "folder" and entry.ca is None:
            yield Mistake(f"{path}.ca", "missing: the authority of the receiver must be pinned")
        elif entry.ca is not None and not config.path(entry.ca).is_file():
            yield Mistake(f"{path}.ca", f"no such file: {entry.ca}")


def _agreements(config: Config, *, parties: Parties) -> Iterator[Mistake]:
    for index, entry in enumerate(config.agreement):
        path = f"agreement[{index}]"
        if (entry.party is None) == (entry.role is None):
            yield Mistake(path, "name either the party or the role that it holds with")
        if entry.party is not None:
            yield from _party(entry.party, f"{path}.party", parties)
        messages = [kind for kind in entry.kinds if kind != CLEARANCE]
        yield from _kinds(messages, f"{path}.kinds")
        minimiser = Minimiser(entry.fields)
        for kind in _named(entry.kinds):
            for missing in minimiser.missing(kind):
                yield Mistake(f"{path}.fields", f"withhold {missing}, which {kind} can not lack")


def _routes(config: Config, *, formats: Formats, parties: Parties) -> Iterator[Mistake]:
    destinations = {entry.id: entry for entry in config.destination}
    agreements = Agreements.of(config.agreement)
    for index, route in enumerate(config.route):
        path = f"route[{index}]"
        yield from _kinds(route.kinds, f"{path}.kinds")
        if not 0 <= route.lane <= 3:
            yield Mistake(f"{path}.lane", "lanes are 0 (most urgent) to 3")
        if route.format is not None:
            yield from _format(route.format, f"{path}.format", formats)
        for party in route.from_parties:
            yield from _party(party, f"{path}.from_parties", parties)
        for target in route.to:
            if target in (ORIGIN, DECLARANT):
                yield from _answerable(route, path, agreements, parties)
            elif target.startswith(INBOX):
                name = target.removeprefix(INBOX)
                yield from _party(name, f"{path}.to", parties)
                if (receiver := parties.parties.get(PartyId(name))) is not None:
                    yield from _disclosable(route, path, agreements, receiver)
            elif target not in destinations:
                yield Mistake(f"{path}.to", f"no destination is called {target}")
            else:
                entry = destinations[target]
                receiver = parties.parties.get(PartyId(entry.party))
                if receiver is not None:
                    yield from _disclosable(route, path, agreements, receiver)
                yield from _expressible(route, path, route.format or entry.format, formats)


def _expectations(config: Config, *, parties: Parties) -> Iterator[Mistake]:
    known = {entry.id for entry in config.destination}
    for index, entry in enumerate(config.expect):
        path = f"expect[{index}]"
        yield from _kinds(entry.kinds, f"{path}.kinds")
        yield from _kinds(entry.answers, f"{path}.answers")
        if (entry.destination is None) == (entry.party is None):
            yield Mistake(path, "name either the destination or the party that is to answer")
        if entry.party is not None:
            yield from _party(entry.party, f"{path}.party", parties)
        name = entry.destination
        if name is not None and name.startswith(INBOX):
            yield from _party(name.removeprefix(INBOX), f"{path}.destination", parties)
        elif name is not None and name not in known:
            yield Mistake(f"{path}.destination", f"no destination is called {name}")


def _answerable(
    route: Route, path: str, agreements: Agreements, parties: Parties
) -> Iterator[Mistake]:
    """Somebody must be allowed to get what goes to ``@origin`` or ``@declarant``."""
    for kind in _named(route.kinds):
        if not any(agreements.find(party, kind) for party in parties.parties.values()):
            yield Mistake(f"{path}.to", f"no agreement lets any party get {kind}")


def _disclosable(
    route: Route, path: str, agreements: Agreements, receiver: Party
) -> Iterator[Mistake]:
    for kind in _named(route.kinds):
        if agreements.find(receiver, kind) is None:
            yield Mistake(f"{path}.to", f"no agreement lets {receiver.id} get {kind}")


def _expressible(route: Route, path: str, name: str, formats: Formats) -> Iterator[Mistake]:
    translator = formats.find(FormatId(name))
    if translator is None:
        return  # said where the format is named
    for kind in _named(route.kinds):
        if kind not in translator.kinds:
            yield Mistake(f"{path}.to", f"{name} can not carry {kind}")


def _named(globs: Iterable[str]) -> list[str]:
    return [kind for kind in KINDS if any(fnmatchcase(kind, glob) for glob in globs)]


def _kinds(globs: Iterable[str], path: str) -> Iterator[Mistake]:
    for glob in globs:
        if not _named((glob,)):
            yield Mistake(path, f"no message kind is called {glob}; known are {', '.join(KINDS)}")


def _party(name: str, path: str, parties: Parties) -> Iterator[Mistake]:
    if PartyId(name) not in parties.parties:
        yield Mistake(path, f"{name} is not in the registry of parties")


def _format(name: str, path: str, formats: Formats) -> Iterator[Mistake]:
    if formats.find(FormatId(name)) is None:
        known = ", ".join(sorted(translator.id for translator in formats))
        yield Mistake(path, f"unknown format {name}; known are {known}")


def _repeated(table: str, names: list[str]) -> Iterator[Mistake]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Mistake(f"{table}[{index}]", f"{name} is there already")
