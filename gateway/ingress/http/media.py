"""Which formats a submission may be in when its sender did not name one."""

from __future__ import annotations

from gateway.core.envelope import Content
from gateway.core.errors import Refused
from translators import xml
from translators.faults import Fault
from translators.registry import Registry
from translators.translator import FormatId

HEAD_BYTES = 65_536
"""How far into a document its root element is looked for."""
_XML = frozenset({"application/xml", "text/xml"})  # RFC 7303, 9.1 and 9.2: say nothing of a format


def formats_of_type(content_type: str, formats: Registry) -> tuple[FormatId, ...]:
    """The formats of a media type; none for the XML types, whose root element decides.

    Raises ``Refused("media-type.unsupported")``.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in _XML:  # Whatever a layout says: it would take all XML that there is.
        return ()
    found = formats.by_media_type(media_type)
    if not found:
        raise Refused("media-type.unsupported")
    return tuple(translator.id for translator in found)


def formats_of_root(content: Content, formats: Registry) -> tuple[FormatId, ...]:
    """The formats whose documents begin with this root element: several when they are versions.

    Raises ``Refused("media-type.unsupported")``; the fault of an opening that can not be read is
    with it.
    """
    with content.open() as source:
        head = source.read(HEAD_BYTES + 1)  # one more, or what is cut off there seems to end there
    try:
        xml.opening(head)
    except xml.XmlError as error:
        fault = Fault(code=error.code, detail=error.detail, line=error.line)
        detail = "its root element can not be read"
        raise Refused("media-type.unsupported", detail, faults=[fault]) from error
    found = formats.by_root(head)
    if not found:
        raise Refused("media-type.unsupported", "its root element is that of no format")
    return tuple(translator.id for translator in found)
