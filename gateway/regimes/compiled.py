"""The plan of a walk as straight source: a function for each type, with a line for each field.

The names of fields are those of the model; whatever else the source uses enters it as a constant
of its namespace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from gateway.regimes.steps import Check, Does, Member, Plan, Step

Found = tuple[str, str, str]
"""What is wrong: its code, the pointer to it, and the place in the table."""
Finder = Callable[[Any], tuple[Found, ...]]
"""Everything that is wrong with a value of one type, in the order of its fields."""


def compiled(name: str, plan: Plan) -> Finder:
    """The function that does what the plan says; ``name`` is for those who read a traceback."""
    return _Source().compiled(name, plan)


def _at(codes: Iterable[str], path: str, place: str) -> tuple[Found, ...]:
    return tuple((code, path, place) for code in codes)


def _below(path: str, found: Iterable[Found]) -> tuple[Found, ...]:
    return tuple((code, path + rest, place) for code, rest, place in found)


class _Source:
    def __init__(self) -> None:
        self._names: dict[str, Any] = {"at": _at, "below": _below}
        self._functions: dict[int, str] = {}
        self._lines: list[str] = []

    def compiled(self, shown: str, plan: Plan) -> Finder:
        name = self._function(plan)
        code = compile("\n".join(self._lines), f"<checks of {shown}>", "exec")
        exec(code, self._names)  # noqa: S102  # made here from our own table and model
        found: Finder = self._names[name]
        return found

    def _function(self, plan: Plan) -> str:
        """The function for one type; all places of that type share it."""
        if id(plan) not in self._functions:
            name = self._functions[id(plan)] = f"find{len(self._functions)}"
            body = [line for step in plan for line in self._step(step)]
            self._lines += [f"def {name}(m):", "    r = ()", *(f"    {line}" for line in body)]
            self._lines += ["    return r"]
        return self._functions[id(plan)]

    def _step(self, step: Step) -> Iterator[str]:
        does, field, what, by, place = step
        yield f"v = m.{field}"
        match does:
            case Does.CHECK:
                yield from self._check(what, "v", f"'/{field}'", place)
            case Does.CHECK_EACH:
                yield "for n, e in enumerate(v) if v else ():"
                for line in self._check(what, "e", f"f'/{field}/{{n}}'", place):
                    yield f"    {line}"
            case Does.CHOOSE:
                yield f"c = {self._constant(what)}.get(m.{by} or '') if v else None"
                yield "if c is not None:"
                yield "    w = c(v)"
                yield f"    if w: r += at(w, '/{field}', {place!r})"
            case Does.ENTER:
                yield "if v:"
                yield f"    w = {self._function(what)}(v)"
                yield f"    if w: r += below('/{field}', w)"
            case Does.ENTER_EACH:
                yield "for n, e in enumerate(v) if v else ():"
                yield f"    w = {self._function(what)}(e)"
                yield f"    if w: r += below(f'/{field}/{{n}}', w)"

    def _check(self, check: Check, value: str, path: str, place: str) -> Iterator[str]:
        if isinstance(check, Member):
            known, wrong = self._constant(check.codes), self._constant(check.wrong)
            yield f"if {value} and {value} not in {known}: r += at({wrong}, {path}, {place!r})"
        else:
            yield f"if {value}:"
            yield f"    w = {self._constant(check)}({value})"
            yield f"    if w: r += at(w, {path}, {place!r})"

    def _constant(self, value: Any) -> str:
        name = f"c{len(self._names)}"
        self._names[name] = value
        return name
