"""Revocation: what all lists and answers together say about a path, and for how long.

It fails hard: where the evidence does not show that a certificate counts, it does not. A path is
judged in full (``trust.pkix``) once per evidence; the verdict is remembered with the span of time
in which nothing that it rests on begins or ends, so that a call costs one look.

Building the value never raises for a file, so that one partner's broken list does not stop the
others; ``problems`` says what could not be used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

import msgspec
from cryptography import x509

from trust.case import UNKNOWN, UNPROVED, Case, Issuers, parsed
from trust.certificates import load_certificates
from trust.chain import Link, Path
from trust.errors import TrustError
from trust.lists import RevocationList, Unusable, read_lists
from trust.members import Authority
from trust.mistakes import Mistake
from trust.ocsp import Answer, Unanswered
from trust.pkix import STRICT, Strictness

REMEMBERED = 4_096

_EVER: Final = datetime.max.replace(tzinfo=UTC)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def check_newer(authority: Authority, content: bytes, *, known: bytes | None) -> None:
    """Return if a list that came may take the place of ``known``; raises ``Unusable``.

    One of the authority's own CAs signed it, and it is not older.
    """
    signers = [load_certificates(pem.encode())[0] for pem in authority.certificates]
    new = list(read_lists(content, signers))
    try:
        old = list(read_lists(known, signers)) if known is not None else []
    except Unusable:
        return
    if any(a.replaces(b) and a.this_update < b.this_update for a in new for b in old):
        raise Unusable("it is older than the one that is known")


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a responder of an authority is to be asked: about certificate ``at`` of a path."""

    path: Path
    at: int

    @property
    def link(self) -> Link:
        """Under what the answer is kept."""
        return self.path.links[self.at]

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate in question."""
        return self.path.chain[self.at]

    @property
    def issuer(self) -> x509.Certificate:
        """Who issued it."""
        return self.path.chain[self.at + 1]


class _Verdict(msgspec.Struct, frozen=True):
    """What was found about a path of these links, true from ``since`` until before ``until``."""

    links: tuple[Link, ...]
    since: datetime
    until: datetime
    code: str = ""
    detail: str = ""


@contextmanager
def _refusing() -> Iterator[None]:
    """Whatever else stage two raises on a hostile certificate means no."""
    try:
        yield
    except TrustError:
        raise
    except Exception as error:
        raise TrustError("certificate.profile", "it cannot be judged") from error


class Revocations:
    """All evidence of a registry's authorities. New evidence makes a new value.

    Safe to call from several threads: verdicts are only ever added or dropped whole.
    """

    __slots__ = ("_answers", "_issuers", "_strictness", "_verdicts", "problems")

    def __init__(
        self,
        issuers: Mapping[str, Issuers] = MappingProxyType({}),
        *,
        answers: Mapping[Link, Answer] = MappingProxyType({}),
        verdicts: Mapping[bytes, _Verdict] = MappingProxyType({}),
        problems: Iterable[Mistake] = (),
        strictness: Strictness = STRICT,
    ) -> None:
        """Without arguments: no evidence, so that no path counts."""
        self._issuers: Final = MappingProxyType(dict(issuers))
        self._answers: Final = MappingProxyType(dict(answers))
        self._verdicts: Final = dict(verdicts)
        self._strictness: Final = strictness
        self.problems: Final = tuple(problems)

    @classmethod
    def from_files(
        cls,
        authorities: Iterable[Authority],
        files: Mapping[str, bytes],
        *,
        strictness: Strictness = STRICT,
    ) -> Revocations:
        """The lists in ``files`` (PEM or DER, by name) that one of the authorities' CAs signed.

        Of several lists of one CA for one scope the latest counts. Files of no CA are problems,
        not errors. Raises ``certificate.profile`` for an authority whose certificate is none.
        """
        held = {
            authority: tuple(load_certificates(pem.encode())[0] for pem in authority.certificates)
            for authority in authorities
        }
        signers = [certificate for owned in held.values() for certificate in owned]
        lists: list[RevocationList] = []
        problems: list[Mistake] = []
        for name, content in files.items():
            try:
                lists.extend(read_lists(content, signers, strictness=strictness))
            except Unusable as error:
                problems.append(Mistake(name, str(error)))
        issuers: dict[str, Issuers] = {}
        for authority, owned in held.items():
            try:
                issuers[authority.id] = Issuers(
                    authority.require,
                    authority.policies,
                    owned,
                    tuple(map(parsed, owned)),
                    tuple(each for each in lists if each.signer in owned),
                )
            except Exception:  # odd certificates raise many things, and each means no
                problems.append(Mistake(authority.id, "one of its certificates cannot be read"))
        return cls(issuers, problems=problems, strictness=strictness)

    @property
    def answers(self) -> Mapping[Link, Answer]:
        """The answers of responders, by certificate."""
        return self._answers

    def with_answers(self, answers: Mapping[Link, Answer]) -> Revocations:
        """These lists, with these answers in place of all others; each was proved before.

        What is known of paths to which no new answer belongs stays known.
        """
        changed = {
            link
            for link in {*answers, *self._answers}
            if answers.get(link) is not self._answers.get(link)
        }
        return Revocations(
            self._issuers,
            answers=answers,
            verdicts={
                identity: verdict
                for identity, verdict in list(self._verdicts.items())
                if changed.isdisjoint(verdict.links)
            },
            problems=self.problems,
            strictness=self._strictness,
        )

    def judge(self, path: Path, *, now: datetime) -> None:
        """Return if all of the path counts now.

        Raises ``certificate.revoked``, ``revocation.unavailable`` or, when stage two finds the
        path itself to break the rules, ``certificate.untrusted``.
        """
        verdict = self._verdicts.get(path.identity)
        if verdict is None or not verdict.since <= now < verdict.until:
            verdict = self._find(path, now)
            if len(self._verdicts) >= REMEMBERED:
                self._verdicts.pop(next(iter(self._verdicts), b""), None)
            self._verdicts[path.identity] = verdict
        if verdict.code:
            raise TrustError(verdict.code, verdict.detail)

    def missing(self, path: Path, *, now: datetime) -> tuple[Question, ...]:
        """What a responder has to be asked before the path can count.

        Raises ``certificate.revoked`` or ``certificate.profile`` where no answer would help.
        """
        issuers = self._issuers.get(path.authority)
        if issuers is None or issuers.require == "crl":
            return ()
        with _refusing():
            case = Case(issuers, self._answers, path, now, self._strictness)
            return tuple(
                Question(path=path, at=at)
                for at in range(len(path.links))
                if case.answer(at) is None and (case.require(at) != "either" or case.lists_fail(at))
            )

    def prove(self, question: Question, answer: Answer, *, now: datetime) -> None:
        """Return if the answer may be kept: it is in force, and whoever signed it may give it.

        What it says does not matter here. Raises ``Unanswered``.
        """
        known = self._answers.get(question.link)
        if known is not None and answer.this_update < known.this_update:
            raise Unanswered("it is older than the one that is known")
        if not answer.holds(now):
            raise Unanswered("it is not in force")
        issuers = self._issuers.get(question.path.authority)
        if issuers is None:
            raise Unanswered("its authority is not registered")
        try:
            with _refusing():
                case = Case(issuers, {question.link: answer}, question.path, now, self._strictness)
                reason = case.answer_fails(question.at)
        except TrustError as error:
            if error.code != "certificate.revoked":
                raise Unanswered(UNPROVED) from error
        else:
            if reason and reason != UNKNOWN:
                raise Unanswered(reason)

    def next_update(self) -> datetime | None:
        """When the first of the lists runs out, for whoever watches; ``None`` without lists."""
        ends = [each.next_update for held in self._issuers.values() for each in held.lists]
        return min(ends, default=None)

    def _find(self, path: Path, now: datetime) -> _Verdict:
        issuers = self._issuers.get(path.authority)
        if issuers is None:
            error = TrustError("revocation.unavailable", "its authority is not registered")
            return _Verdict(path.links, _NEVER, _EVER, error.code, error.detail)
        since, until = _NEVER, _EVER
        try:
            with _refusing():
                case = Case(issuers, self._answers, path, now, self._strictness)
                edges = sorted(case.edges())
                since = max((edge for edge in edges if edge <= now), default=_NEVER)
                until = min((edge for edge in edges if edge > now), default=_EVER)
                case.judge()
        except TrustError as error:
            return _Verdict(path.links, since, until, error.code, error.detail)
        return _Verdict(path.links, since, until)
