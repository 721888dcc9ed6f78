"""Judging one message: every fault that can be found without asking the journal again. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gateway.core.identifiers import MessageId, RecordNumber, message_id, resolve
from gateway.core.records import Outcome, PlannedMessage, State, StoredMessage, Subject
from gateway.pipeline.normalise import normalise
from gateway.pipeline.plan import NO_PLAN, Network, country_of, plan
from gateway.pipeline.referrals import (
    NOT_REFERRED,
    Referred,
    answers,
    check_asked,
    check_clocks,
    deadline_of,
)
from gateway.regimes import Regime, located, weigh
from gateway.routing import subjects_of
from gateway.telemetry.stages import Stage
from translators.canonical import Message, kind_of
from translators.faults import Fault, Severity
from translators.translator import Entry, FormatId
from trust.delegation import Principal
from trust.identity import Identity, PartyId
from trust.party import Party
from trust.party import Registry as Parties
from trust.policy import permit_message

GATEWAY_ROLES = frozenset({"gateway", "administration"})
"""Roles whose messages may carry the provenance that another gateway gave."""
FIXED = frozenset(
    {
        "permission.kind",
        "permission.country",
        "permission.on-behalf-of",
        "regards.unknown",
        "referral.not-asked",
        "subject.none",
    }
)
"""Codes that always refuse: about what a sender may do at all, not about how good a message is."""

_BODY = msgspec.json.Encoder()


class Sender(msgspec.Struct, frozen=True):
    """Who sent an interchange: the proven identity and its registration.

    ``own``: the gateway itself, which received every message and so may speak of each.
    ``principal``: in whose name it was sent, by a delegation.
    """

    identity: Identity
    party: Party
    own: bool = False
    principal: Principal | None = None

    @property
    def on_behalf_of(self) -> PartyId | None:
        """The principal's id."""
        return None if self.principal is None else self.principal.party.id

    @property
    def must_sign(self) -> bool:
        """Whether the sender, or that in whose name it sends, must sign."""
        principal = self.principal
        return self.party.must_sign or (principal is not None and principal.party.must_sign)

    @property
    def author(self) -> Identity:
        """Whose messages these are: the principal's, as if it had sent them itself.

        By it go subjects, versions, routes, and who may answer what. What is about the sending
        (the id, the receipt, answers to ``@origin``, severities) is the sender's.
        """
        if self.principal is None:
            return self.identity
        principal = self.principal.party
        return Identity(party=principal.id, roles=principal.roles, method=self.identity.method)


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """What judging needs: the configuration as values."""

    gateway_number: int
    network: Network
    regimes: tuple[Regime, ...]
    severities: Mapping[str, str]


class Judged(msgspec.Struct, frozen=True):
    """The outcome of one message and, when accepted, what is to be committed."""

    outcome: Outcome
    planned: PlannedMessage | None


def _untimed(_: Stage) -> None:
    """For who does not ask where the time goes."""


def judge(
    entry: Entry,
    sender: Sender,
    *,
    format_id: FormatId,
    record: RecordNumber,
    regards: StoredMessage | None,
    parties: Parties,
    bench: Bench,
    referred: Referred = NOT_REFERRED,
    lap: Callable[[Stage], None] = _untimed,
) -> Judged:
    """Accept or refuse one message of an interchange with every fault of it.

    ``regards``: the message that it answers, also where only the reference of a referral says so.
    ``lap`` is told of each stage when it ends.
    """
    severities = _severities(bench, sender)
    if entry.message is None:
        drafted = _draft_faults(entry, bench.regimes)
        lap("validate")
        return _refused(entry, located(entry.faults + weigh(drafted, severities), entry))
    message = _answering(normalise(entry.message), regards)
    lap("canonical")
    faults = [*entry.faults, *check_clocks(message)]
    faults.extend(_provenance(entry.message, sender))
    found = [fault for regime in bench.regimes for fault in regime.check(message)]
    if found:
        derived = _derived(entry.message, message)
        faults.extend(fault for fault in found if fault.path not in derived)
    lap("validate")
    unanswerable = _answer(message, sender, regards=regards, bench=bench)
    subjects = subjects_of(message, party=sender.author.party)
    weighed = weigh(faults, severities) if faults else ()
    weighed += (*_permission(message, sender, format_id), *unanswerable)
    if not sender.own and not _is_gateway(sender):
        weighed += check_asked(message, referred)
    if not subjects:
        detail = "it names no item, order or declaration"
        weighed += (Fault(code="subject.none", detail=detail),)
    lap("policy")
    planned = NO_PLAN
    if not unanswerable:  # otherwise it has no way by itself, which says nothing new
        planned = plan(
            message,
            sender.author,
            through=sender.identity.party,
            own=sender.own,
            network=bench.network,
            parties=parties,
            regards=regards,
            referred=referred,
            deadline=deadline_of(message),
        )
    lap("plan")
    weighed += planned.faults
    if weighed:
        weighed = located(weighed, entry)
    if any(fault.refuses for fault in weighed):
        return _refused(entry, weighed)
    upstream = entry.message.provenance
    kind = kind_of(message)
    outcome = Outcome(
        ordinal=entry.ordinal,
        status=State.ACCEPTED,
        kind=kind,
        key=entry.key or subjects[0].value,
        message_id=message_id(bench.gateway_number, record, entry.ordinal),
        faults=weighed,
    )
    judged = Judged(
        outcome,
        PlannedMessage(
            ordinal=entry.ordinal,
            kind=kind,
            body=_BODY.encode(message),
            subjects=_filed_under(subjects, referred.contents),
            legs=planned.legs,
            function=getattr(message, "function", None),
            regards=MessageId(regards.message_id) if regards is not None else None,
            key_of=None if regards is None else (regards.record, regards.ordinal),
            on_behalf_of=sender.on_behalf_of,
            upstream_id=None
            if upstream is None or not _is_gateway(sender)
            else upstream.message_id,
        ),
    )
    lap("canonical")
    return judged


def _refused(entry: Entry, faults: tuple[Fault, ...]) -> Judged:
    drafted = None if entry.draft is None else entry.draft.get("type")
    kind = drafted if entry.message is None else kind_of(entry.message)
    outcome = Outcome(
        ordinal=entry.ordinal, status=State.REFUSED, kind=kind, key=entry.key, faults=faults
    )
    return Judged(outcome, None)


def _draft_faults(entry: Entry, regimes: tuple[Regime, ...]) -> tuple[Fault, ...]:
    """What else is wrong with a message whose form is wrong, beside what was said already."""
    if entry.draft is None:
        return ()
    said = {fault.path for fault in entry.faults}
    kind = entry.draft.get("type")
    return tuple(
        fault
        for regime in regimes
        for fault in regime.check_draft(kind, entry.draft)
        if fault.path not in said
    )


def _severities(bench: Bench, sender: Sender) -> Mapping[str, str]:
    """What faults weigh: what is said of the sender goes before what is said of everybody."""
    own = sender.party.severities
    return {**bench.severities, **own} if own else bench.severities


def _filed_under(
    subjects: tuple[Subject, ...], contents: tuple[Subject, ...]
) -> tuple[Subject, ...]:
    return tuple(dict.fromkeys((*subjects, *contents))) if contents else subjects


def _derived(sent: Message, message: Message) -> frozenset[str]:
    """Pointers of what was filled in: what is wrong there is said where it came from."""
    if sent is message:
        return frozenset()
    return frozenset(
        f"/{name}"
        for name in sent.__struct_fields__
        if getattr(sent, name) is None and getattr(message, name) is not None
    )


def _is_gateway(sender: Sender) -> bool:
    return not GATEWAY_ROLES.isdisjoint(sender.identity.roles)


def _answering(message: Message, regards: StoredMessage | None) -> Message:
    """An answer that names by its reference what it answers names the message, too."""
    if regards is None or getattr(message, "regards", None) is not None or not answers(message):
        return message
    changes: dict[str, Any] = {"regards": regards.message_id}
    return msgspec.structs.replace(message, **changes)


def _provenance(message: Message, sender: Sender) -> tuple[Fault, ...]:
    if message.provenance is None or _is_gateway(sender):
        return ()
    detail = "only gateways say where a message comes from; what was said here is not used"
    return (
        Fault(
            code="provenance.ignored",
            path="/provenance",
            detail=detail,
            severity=Severity.WARNING,
        ),
    )


def _permission(message: Message, sender: Sender, format_id: FormatId) -> tuple[Fault, ...]:
    denial = permit_message(
        sender.party,
        format=format_id,
        kind=kind_of(message),
        country=country_of(message),
        principal=sender.principal,
    )
    return () if denial is None else (Fault(code=denial.code, detail=denial.detail),)


def _answer(
    message: Message, sender: Sender, *, regards: StoredMessage | None, bench: Bench
) -> tuple[Fault, ...]:
    """Only a party that received a message may answer it (and only one of this gateway's)."""
    named: str | None = getattr(message, "regards", None)
    if named is None:
        return ()
    address = resolve(named)
    ours = address is not None and address[0] == bench.gateway_number
    if ours and regards is not None and _received(regards, sender, bench):
        return ()
    # One code for both, since ids can be guessed: who did not receive it learns nothing.
    detail = "no message with this id was delivered to this party"
    return (Fault(code="regards.unknown", path="/regards", detail=detail),)


def _received(regards: StoredMessage, sender: Sender, bench: Bench) -> bool:
    return sender.own or any(
        bench.network.endpoints.party_of(destination) == sender.author.party
        for destination in regards.destinations
    )
