"""Stage two of path validation: one path, judged whole with lists and answers (RFC 5280, 6).

pyhanko-certvalidator judges, and does nothing else: the path is the one that ``trust.chain``
built, and the evidence is what ``trust.lists`` and ``trust.ocsp`` have read and chosen. Left to
itself it would look for paths (it can be made to hang), pass over OCSP for a certificate that
names no responder, let a list of a sister CA speak for its parent, and let an entry whose date lies
ahead pass. It fetches nothing here, so its coroutines run to their end without an event loop.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import msgspec
from asn1crypto import x509 as asn1  # type: ignore[import-untyped] # it has no types
from pyhanko_certvalidator.authority import CertTrustAnchor, TrustAnchor
from pyhanko_certvalidator.context import ValidationContext
from pyhanko_certvalidator.errors import OCSPValidationIndeterminateError, RevokedError
from pyhanko_certvalidator.ltv.poe import POEManager
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo, ValidationTimingParams
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import (
    NO_REVOCATION,
    AlgorithmUsagePolicy,
    CertRevTrustPolicy,
    DisallowWeakAlgorithmsPolicy,
    PKIXValidationParams,
    RevocationCheckingPolicy,
    RevocationCheckingRule,
)
from pyhanko_certvalidator.registry import CertificateRegistry, SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer
from pyhanko_certvalidator.revinfo.manager import RevinfoManager
from pyhanko_certvalidator.revinfo.validate_crl import verify_crl
from pyhanko_certvalidator.revinfo.validate_ocsp import verify_ocsp_response
from pyhanko_certvalidator.validate import async_validate_path

from trust.errors import TrustError
from trust.keys import MIN_RSA_BITS

SKEW: Final = timedelta(seconds=60)
"""How far the clock of whoever signs a list or an answer may be ahead of ours."""

ANY_POLICY: Final = "2.5.29.32.0"
"""RFC 5280, 4.2.1.4."""

_LISTS = RevocationCheckingPolicy(
    RevocationCheckingRule.CRL_REQUIRED, RevocationCheckingRule.CRL_REQUIRED
)
T = TypeVar("T")


class Strictness(msgspec.Struct, frozen=True, kw_only=True):
    """What is demanded of certificates, lists and answers beyond their being right."""

    hashes: frozenset[str]
    """With which they may be signed, by the names of ``cryptography``: ``sha256``."""
    rsa_bits: int
    responders_proved: bool = True
    """A responder's certificate must be shown not to be revoked, unless its issuer says that
    nobody asks (RFC 6960, 4.2.2.2.1)."""


STRICT: Final = Strictness(hashes=frozenset({"sha256", "sha384", "sha512"}), rsa_bits=MIN_RSA_BITS)
"""What this network takes (RFC 8301, RFC 9155: nothing below SHA-256)."""

_WEAK: Final = ("md2", "md5", "sha1", "sha224")


class Unproven(Exception):
    """The evidence does not show whether the certificate is revoked; why, in its text."""


class Examination:
    """One path at one time. Every method returns, or raises what its docstring names.

    Certificates are judged from the root down: what is asked about one takes for granted that
    those above it count.

    ``chain`` are DER certificates from the leaf to the root. ``beside`` are further registered
    certificates that may have signed lists. Raises ``certificate.profile`` when one of them
    cannot be read.
    """

    __slots__ = ("_certificates", "_held", "_now", "_path", "_registry", "_strictness")

    def __init__(
        self,
        chain: Sequence[asn1.Certificate],
        *,
        beside: Sequence[asn1.Certificate] = (),
        now: datetime,
        strictness: Strictness = STRICT,
    ) -> None:
        leaf, *above = chain
        self._certificates = chain
        self._held = tuple({each.contents: each for each in (*above, *beside)}.values())
        self._registry = CertificateRegistry.build(self._held)
        self._now = now
        self._strictness = strictness
        self._path = ValidationPath(CertTrustAnchor(above[-1]), above[-2::-1], leaf)

    def check_path(self, policies: Sequence[str] = ()) -> None:
        """Signatures, times, names, policies and constraints; raises ``certificate.untrusted``.

        With ``policies`` (dotted OIDs) the path must be valid under one of them.
        """
        self.check_parameters(
            PKIXValidationParams(
                user_initial_policy_set=frozenset(
                    "any_policy" if policy == ANY_POLICY else policy for policy in policies
                ),
                initial_explicit_policy=True,
            )
            if policies
            else None
        )

    def check_parameters(self, parameters: PKIXValidationParams | None) -> None:
        """The same with all inputs of RFC 5280, 6.1.1."""
        try:
            context = self._context((), (), NO_REVOCATION, len(self._certificates))
            _run(async_validate_path(context, self._path, parameters))
        except Exception as error:  # any exception means no
            raise TrustError("certificate.untrusted", "its path breaks RFC 5280") from error

    def check_lists(self, at: int, lists: Sequence[CRLContainer]) -> None:
        """Whether the lists show that certificate ``at`` of the chain is not revoked.

        Raises ``certificate.revoked``, or ``Unproven`` when they do not cover it.
        """
        try:
            context = self._context(lists, (), _LISTS, at)
            _run(verify_crl(self._certificates[at], self._path, context))
        except RevokedError as error:
            raise TrustError("certificate.revoked") from error
        except Exception as error:  # any exception means no
            raise Unproven(type(error).__name__) from error

    def check_answer(
        self, at: int, answer: OCSPContainer, lists: Sequence[CRLContainer] = ()
    ) -> None:
        """Whether the answer shows that certificate ``at`` is not revoked.

        ``lists`` are for the responder's own certificate, when it has one that can be revoked.
        Raises ``certificate.revoked``, or ``Unproven``; the latter without reasons in it when all
        about the answer holds and it says that the status is not known.
        """
        rule = _LISTS if self._strictness.responders_proved else NO_REVOCATION
        try:
            context = self._context(lists, (answer,), rule, at)
            _run(verify_ocsp_response(self._certificates[at], self._path, context))
        except RevokedError as error:
            raise TrustError("certificate.revoked") from error
        except OCSPValidationIndeterminateError as error:
            raise Unproven("; ".join(str(failure[0]) for failure in error.failures)) from error
        except Exception as error:  # any exception means no
            raise Unproven(type(error).__name__) from error

    def _context(
        self,
        lists: Sequence[CRLContainer],
        answers: Sequence[OCSPContainer],
        policy: RevocationCheckingPolicy,
        at: int,
    ) -> ValidationContext:
        """For certificate ``at``; what stands above it in the path has been judged before."""
        anchor: TrustAnchor = self._path.trust_anchor
        # What comes with an answer is put to the others, so it gets others of its own.
        registry = CertificateRegistry.build(self._held) if answers else self._registry
        context = ValidationContext(
            moment=self._now,
            revinfo_policy=CertRevTrustPolicy(policy),
            trust_manager=SimpleTrustManager.build([anchor]),
            certificate_registry=registry,
            revinfo_manager=RevinfoManager(registry, POEManager(), lists, answers),
            algorithm_usage_policy=_policy(self._strictness),
            time_tolerance=SKEW,
        )
        # What is said now, not what was known then: an entry whose date lies ahead counts.
        now = ValidationTimingInfo(self._now, self._now, point_in_time_validation=False)
        context.timing_params = ValidationTimingParams(now, SKEW)
        path = ValidationPath(anchor, (), None)
        for above in self._certificates[-2:at:-1]:
            path = path.copy_and_append(above)
            context.record_validation(above, path)  # type: ignore[no-untyped-call] # no types
        return context


def _policy(strictness: Strictness) -> AlgorithmUsagePolicy:
    weak = frozenset(name for name in _WEAK if name not in strictness.hashes)
    return DisallowWeakAlgorithmsPolicy(  # type: ignore[no-untyped-call] # it has no types
        weak_hash_algos=weak,
        rsa_key_size_threshold=strictness.rsa_bits,
        dsa_key_size_threshold=strictness.rsa_bits,
    )


def _run(work: Coroutine[Any, Any, T]) -> T:
    """A coroutine that waits for nothing, to its end."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    finally:
        work.close()
    raise RuntimeError("stage two waited for something")  # it would have fetched
