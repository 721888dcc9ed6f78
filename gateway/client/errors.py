"""What a gateway says when it takes nothing: the same exception for every transport."""

from __future__ import annotations

from collections.abc import Iterable

from translators.faults import Fault


class ProblemError(Exception):
    """The gateway answered that this request, as it is, will never be taken.

    ``status`` is the HTTP status of ``code``, over gRPC too; 0 when the code is not known here.
    What may work later is :class:`gateway.core.errors.Unavailable` instead.
    """

    def __init__(
        self, *, status: int, code: str, title: str, detail: str = "", faults: Iterable[Fault] = ()
    ) -> None:
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__(f"{code}: {detail or title}")


class CredentialsError(Exception):
    """Files that should prove who one is are missing or do not fit; the text says which."""
