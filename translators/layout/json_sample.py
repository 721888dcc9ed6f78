"""A sample of a layout of JSON: what the maker of samples fills in, written as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field

from translators.layout.json_notation import finished, written
from translators.layout.plan import Element, Plan
from translators.layout.sample import Maker


@dataclass(eq=False)
class _Sampled:
    """One value of the document while it is filled."""

    element: Element | None = None
    text: str | None = None
    below: list[_Sampled] = field(default_factory=list)
    name: str = ""

    def set(self, name: str, text: str) -> None:
        """The name of a pair; JSON has no other attributes."""
        del name
        self.name = text


def json_sample_document(plan: Plan, *, full: bool) -> bytes:
    """A document in the format; what is derived is left out."""
    maker = Maker(_child, full=full)
    if plan.chain:
        root = _Sampled()
        maker.content(root, plan.document, 1)
        return _json(root).encode()
    messages = []
    for number in range(1, 3 if plan.array and full else 2):
        message = _Sampled()
        maker.message(message, plan.messages.rows[0], number)
        messages.append(_json(message))
    return (f"[{','.join(messages)}]" if plan.array else messages[0]).encode()


def _child(above: _Sampled, element: Element) -> _Sampled:
    made = _Sampled(element)
    above.below.append(made)
    return made


def _json(node: _Sampled) -> str:
    text = None if node.element is None else node.element.content.text
    if text is not None and not node.below:
        return written(text.type.scalar, node.text or "")
    members: dict[str, object] = {}
    for one in node.below:
        element = one.element
        assert element is not None
        if element.pairs is not None:
            pairs = members.setdefault(element.tag, {})
            assert isinstance(pairs, dict)
            pairs[one.name] = _json(one)
        elif element.listed:
            entries = members.setdefault(element.tag, [])
            assert isinstance(entries, list)
            entries.append(_json(one))
        else:
            members[element.tag] = _json(one)
    return finished(members)
