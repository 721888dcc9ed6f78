"""Reading elements strictly: nothing in them but what the profile knows, nothing twice.

What is read here has not been proved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trust.errors import TrustError
from trust.signatures.octets import read_base64
from trust.signatures.xmldsig.names import DIGEST_SIZES, Node

MAX_DIGEST_CHARACTERS = 200

_SPACE = " \t\r\n"


def children(node: Node, required: Sequence[str], *, optional: Sequence[str] = ()) -> list[Node]:
    """The child elements: those required, in order, then any of the optional ones, in order.

    Nothing else, and no text between them. Raises ``signature.malformed``.
    """
    found = list(node)
    tags = [str(each.tag) for each in found]
    rest = tags[len(required) :]
    wanted = iter(optional)
    if tags[: len(required)] != list(required) or not all(tag in wanted for tag in rest):
        raise malformed(f"{local(node)} has not the children that it should have")
    if any(text and text.strip(_SPACE) for text in (node.text, *(each.tail for each in found))):
        raise malformed(f"there is text in {local(node)}")
    return found


def attributes(
    node: Node, *, required: Iterable[str] = (), optional: Iterable[str] = ()
) -> dict[str, str]:
    """The attributes: those required, perhaps the optional ones, and no other."""
    allowed = {*required, *optional}
    if len(node.attrib) > len(allowed):  # before they are listed, which costs their square
        raise malformed(f"{local(node)} has not the attributes that it should have")
    found = {str(name): str(value) for name, value in node.attrib.items()}
    if not set(required) <= set(found) <= allowed:
        raise malformed(f"{local(node)} has not the attributes that it should have")
    return found


def text(node: Node, maximum: int) -> str:
    """The text of an element that holds nothing else."""
    found = node.text or ""
    if len(node) or len(found) > maximum:
        raise malformed(f"{local(node)} is a text of at most {maximum} characters")
    return found


def octets(node: Node, maximum: int) -> bytes:
    """The value of base64 text, which may have white space in it and is canonical otherwise."""
    found = unpacked(text(node, maximum))
    if not found:
        raise malformed(f"{local(node)} is not canonical base64")
    return found


def unpacked(written: str) -> bytes:
    """The bytes of base64 in its one spelling but for white space; none for anything else."""
    return read_base64("".join(written.split())) or b""


def digest_value(method: Node, value: Node) -> tuple[str, bytes]:
    """A digest method that is allowed, and a value of its length."""
    name = attributes(method, required=("Algorithm",))["Algorithm"]
    children(method, [])
    if name not in DIGEST_SIZES:
        raise TrustError("signature.algorithm", "the digest method is not allowed")
    attributes(value)
    found = octets(value, MAX_DIGEST_CHARACTERS)
    if len(found) != DIGEST_SIZES[name]:
        raise malformed("the digest has not the length of its method")
    return name, found


def local(node: Node) -> str:
    """The name of an element without its namespace."""
    return str(node.tag).rpartition("}")[2][:60]


def malformed(detail: str) -> TrustError:
    """What refuses a signature of another shape."""
    return TrustError("signature.malformed", detail)
