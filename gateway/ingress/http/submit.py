"""``POST /v1/interchanges``: one interchange in, its signed receipt out."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from msgspec.structs import replace

from gateway.core.errors import Refused, Unavailable
from gateway.ingress.admission import Admission
from gateway.ingress.http.body import check_announced
from gateway.ingress.http.media import formats_of_root, formats_of_type
from gateway.ingress.http.responses import answer_response
from gateway.ingress.http.router import Call
from gateway.ingress.http.settings import HttpSettings
from gateway.ingress.http.signed import content_of
from gateway.ingress.reception import Claim, Reception, printable
from gateway.ingress.spool import Intake
from translators.registry import Registry

RETRY_S = 1.0
_CLAIMED = ("Luxor-Interchange-Id", "Luxor-Format", "Luxor-Signature", "Luxor-On-Behalf-Of")


class Submit:
    """Reads submissions, at most ``settings.submissions`` at once."""

    def __init__(
        self,
        *,
        reception: Reception,
        formats: Callable[[], Registry],
        settings: HttpSettings,
        admission: Admission,
    ) -> None:
        self._admission = admission
        self._reception = reception
        self._formats = formats
        self._settings = settings
        self._open = 0

    async def __call__(self, call: Call) -> web.Response:
        """Accept one interchange or raise ``Refused``."""
        if self._open >= self._settings.submissions:
            raise Unavailable("overload", retry_after=RETRY_S)
        self._open += 1
        intake = Intake(self._settings.spool)
        try:
            with self._admission.taken(self._held(call)):
                return await self._receive(call, intake)
        finally:
            self._open -= 1
            intake.close()

    def _held(self, call: Call) -> int:
        """Bytes of a body that are in memory at once: what is above the bound goes to a file."""
        most = self._settings.spool.memory_bytes
        announced = call.request.content_length
        return most if announced is None else min(announced, most)

    async def _receive(self, call: Call, intake: Intake) -> web.Response:
        request = call.request
        headers = request.headers
        claim = Claim(
            interchange_id=printable(headers.get("Luxor-Interchange-Id", "")),
            format_id=printable(headers.get("Luxor-Format", "")),
            signature=headers.get("Luxor-Signature"),
            on_behalf_of=_printable(headers.get("Luxor-On-Behalf-Of")),
            signed=None if call.signed is None else call.signed.by,
        )
        try:
            for name in _CLAIMED:
                if len(headers.getall(name, ())) > 1:
                    raise Refused("request.invalid", f"there is more than one header {name}")
            # What can be refused by its headers is refused before a byte of the body is read.
            check_announced(request, self._settings)
            if not claim.format_id:
                named = formats_of_type(headers.get("Content-Type", ""), self._formats())
                if named:
                    claim = replace(claim, format_id=self._reception.meant(call.identity, named))
            if claim.format_id:
                self._reception.permit(call.identity, claim)
            content = await content_of(call, intake, self._settings)
            if not claim.format_id:
                written = formats_of_root(content, self._formats())
                claim = replace(claim, format_id=self._reception.meant(call.identity, written))
                self._reception.permit(call.identity, claim)
            stored = await self._reception.accept(call.identity, claim, content)
        except Refused as refused:
            await self._reception.note(call.identity, claim, refused)
            raise
        watch = self._reception.stages.watch()
        answer = answer_response(stored, page=self._settings.outcome_page)
        watch.lap("answer")
        return answer


def _printable(text: str | None) -> str | None:
    return None if text is None else printable(text)
