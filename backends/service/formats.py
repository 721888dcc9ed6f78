"""The formats that back ends speak: our own two, whole messages of every kind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from backends.service.books import Encode
from backends.service.configuration import Settings
from translators.canonical import Header, Interchange, Message
from translators.registry import own
from translators.translator import Translator, encode


def spoken_formats() -> Mapping[str, Translator]:
    """The translators by format id."""
    return MappingProxyType({translator.id: translator for translator in own()})


def encoder(settings: Settings) -> Encode:
    """Makes answers in the configured format, with ourselves as the sender."""
    translator = spoken_formats()[settings.gateway.format]
    sender, recipient = settings.service.party, settings.gateway.party

    def encode_answer(message: Message, prepared_at: datetime) -> bytes:
        header = Header(sender=sender[:35], recipient=recipient[:35], prepared_at=prepared_at)
        return encode(translator, Interchange(header=header, messages=(message,)))

    return encode_answer
