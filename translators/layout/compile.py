"""From merged source to the compiled plan, with every mistake found on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from translators.layout import json_binding
from translators.layout.binding import Binder, Bound
from translators.layout.codes import CodeTable, table
from translators.layout.detached import enveloped
from translators.layout.files import shared_codes
from translators.layout.forms import DOCUMENT, Formed, Forms, Rooted
from translators.layout.grammar import NAME, GrammarError, Spec, parse
from translators.layout.json_notation import JsonNotation
from translators.layout.mistakes import LayoutError, Line, Mistakes
from translators.layout.paths import drops
from translators.layout.plan import Content, MessageRow, Messages, Plan
from translators.layout.shape import Shaper
from translators.layout.source import Resolve, Source, load
from translators.layout.types import (
    NAMES,
    TypeMistake,
    ValueFault,
    WireType,
    code,
    make,
    with_maximum,
)
from translators.layout.xml_notation import XmlNotation
from translators.model import paths


def compile_plans(text: str, *, file: str, resolve: Resolve) -> tuple[Plan, ...]:
    """Compile a layout, to a plan for each document element.

    Raises :class:`LayoutError` with every mistake found.
    """
    mistakes = Mistakes()
    source = load(text, file=file, resolve=resolve, mistakes=mistakes)
    plans = _Compiler(source, resolve, mistakes).plans()
    mistakes.check()
    assert plans
    return plans


class _Compiler:
    def __init__(self, source: Source, resolve: Resolve, mistakes: Mistakes) -> None:
        self._source = source
        self._resolve = resolve
        self._mistakes = mistakes
        self._tables: dict[tuple[str, bool], CodeTable] = {}
        self._used_tables: set[str] = set()
        self._json = source.header.get("syntax") == "json"

    def plans(self) -> tuple[Plan, ...]:
        """A plan for each document element, or none when there are mistakes that make going on
        senseless."""
        self._header()
        detached = enveloped(self._source, self._qualify, self._mistakes)
        specs = self._specs()
        array = self._array(specs)
        documents = Forms(self._source, specs, self._qualify, self._mistakes).documents()
        shared = {one.group: self._shared(one.group, specs) for one in documents}
        types = self._types(specs)
        if not documents:
            return ()
        binder = Binder(specs, types, self._mistakes, self._source.unsaid)
        for one in documents:
            binder.document(one.group)
            for form in one.forms:
                binder.message(form.group, form.kind, _leaves(form), shared=shared[one.group])
        self._unused(specs, binder.bound.used)
        groups = frozenset(one.group for one in documents) | {DOCUMENT}
        shaper = Shaper(
            specs,
            types,
            binder.bound.bounds,
            self._source.choices,
            self._mistakes,
            groups,
            self._source.unsaid,
        )
        contents = shaper.contents()
        if self._json:
            json_binding.judge_contents(contents.values(), self._mistakes)
        if self._mistakes:
            return ()
        made = (
            self._plan(one, shaper, contents, binder.bound, shared[one.group]) for one in documents
        )
        return tuple(replace(one, array=array, detached=detached) for one in made)

    def _shared(self, group: str, specs: dict[str, tuple[Spec, ...]]) -> str | None:
        """A group made of the lines of a document that are about each of its messages."""
        found = [spec for spec in specs[group] if spec.path is not None and spec.path.shared]
        if not found:
            return None
        if self._source.header.get("unknown", "refuse") == "refuse" or self._json:
            self._mistakes.add(found[0].line, "messages[] is for XML with unknown = 'report'")
        name = f"{group} for each"
        specs[name] = tuple(_unshared(spec) for spec in found)
        return name

    def _array(self, specs: dict[str, tuple[Spec, ...]]) -> tuple[int, int | None] | None:
        """How many messages the array has that a document of JSON is, if it is one.

        The line that says so then is like that of a document of one message.
        """
        line = json_binding.single(specs, DOCUMENT) if self._json and DOCUMENT in specs else None
        if line is None:
            return None
        if len(specs[DOCUMENT]) > 1:
            self._mistakes.add(line.line, "beside a document that is its messages nothing stands")
        specs[DOCUMENT] = (replace(line, maximum=1),)
        return None if line.maximum == 1 else (line.minimum, line.maximum)

    def _plan(
        self,
        one: Rooted,
        shaper: Shaper,
        contents: Mapping[str, Content],
        bound: Bound,
        shared: str | None,
    ) -> Plan:
        """The plan of one document element."""
        rows = tuple(
            MessageRow(
                form.group,
                form.kind,
                form.conditions,
                contents[form.group],
                form.given,
            )
            for form in one.forms
        )
        messages = Messages(rows)
        document, chain = shaper.document(one.group, messages)
        header = self._source.header
        lost: dict[str, set[frozenset[str]]] = {}
        touched: dict[str, frozenset[str]] = {}
        for form in one.forms:
            carried = bound.touched[form.group]
            lost.setdefault(form.kind, set()).add(carried)
            touched[form.kind] = touched.get(form.kind, frozenset()) | carried
        return Plan(
            id=header["layout"],
            title=header["title"],
            standing=header.get("standing", ""),
            kinds=frozenset(form.kind for form in one.forms),
            media_types=tuple(
                header.get("media-types")
                or [f"application/vnd.luxor.{header['layout']}+{'json' if self._json else 'xml'}"]
            ),
            refuse=header.get("unknown", "refuse") == "refuse",
            root=one.root,
            namespaces=dict(self._source.namespaces),
            document=document,
            chain=chain,
            messages=messages,
            shared=None if shared is None else contents[shared],
            drops={kind: drops(sorted(paths(kind)), set(found)) for kind, found in touched.items()},
            exact_drops=not bound.partial and all(len(found) == 1 for found in lost.values()),
            groups={name: contents[name] for name in contents if name in bound.used},
            required_count=bound.counts_messages,
            tables={name: table_ for (name, _), table_ in self._tables.items()},
            notation=JsonNotation() if self._json else XmlNotation(),
            syntax="json" if self._json else "xml",
            pointers=tuple(header.get("pointers", ())),
        )

    def _header(self) -> None:
        header = self._source.header
        rootless = self._source.roots or self._json
        wanted = ("layout", "title", "carries", *(() if rootless else ("root",)))
        for key in wanted:
            if not header.get(key):
                self._mistakes.add(self._source.header_line(key), "is required")
        if self._json:
            json_binding.judge_head(self._source, self._mistakes)
        elif "numbers" in header:
            self._mistakes.add(self._source.header_line("numbers"), "is for the syntax json")
        allowed = {"syntax": ("xml", "json"), "unknown": ("refuse", "report")}
        for key, values in allowed.items():
            if key in header and header[key] not in values:
                self._mistakes.add(self._source.header_line(key), f"is one of {', '.join(values)}")

    def _qualify(self, written: str, *, attribute: bool = False) -> str:
        if self._json:
            return json_binding.member(written, attribute=attribute)
        prefix, colon, local = written.rpartition(":")
        if prefix == "xml" and attribute and NAME.fullmatch(local):
            return f"{{http://www.w3.org/XML/1998/namespace}}{local}"
        if not NAME.fullmatch(local):
            raise ValueError(f"{written!r} is no XML name")
        if not colon:
            uri = None if attribute else self._source.namespaces.get("default")
        else:
            uri = self._source.namespaces.get(prefix)
            if uri is None:
                raise ValueError(f"undeclared namespace prefix {prefix!r}")
        return local if uri is None else f"{{{uri}}}{local}"

    def _specs(self) -> dict[str, tuple[Spec, ...]]:
        specs: dict[str, tuple[Spec, ...]] = {}
        for group, lines in self._source.groups.items():
            found = []
            if group in NAMES:
                at = lines[0] if lines else Line(group, "", "", self._source.file, 1)
                self._mistakes.add(at, f"{group!r} is the name of a type")
            for line in lines:
                try:
                    found.append(parse(line, self._qualify))
                    if self._json and found[-1].form is not None:
                        raise GrammarError("'|' is for XML")
                except GrammarError as error:
                    self._mistakes.add(line, str(error))
            specs[group] = tuple(found)
        return specs

    def _types(self, specs: Mapping[str, tuple[Spec, ...]]) -> dict[Line, WireType]:
        types: dict[Line, WireType] = {}
        for lines in specs.values():
            for spec in lines:
                if spec.type in specs or spec.type == "by":
                    if spec.arguments and spec.type in specs:
                        self._mistakes.add(spec.line, "a group takes no arguments")
                    self._no_options(spec)
                    types[spec.line] = make("text", ())
                    continue
                try:
                    types[spec.line] = self._json_type(spec) if self._json else self._type(spec)
                except TypeMistake as error:
                    self._mistakes.add(spec.line, str(error))
                    types[spec.line] = make("text", ())
                self._default(spec, types[spec.line])
        return types

    def _no_options(self, spec: Spec) -> None:
        if spec.default is not None or spec.otherwise is not None or spec.join is not None:
            self._mistakes.add(spec.line, "a group takes no options")

    def _default(self, spec: Spec, type_: WireType) -> None:
        if spec.default is None:
            return
        try:
            type_.read(spec.default)
        except ValueFault as fault:
            self._mistakes.add(spec.line, f"the default breaks its own type: {fault.detail}")

    def _json_type(self, spec: Spec) -> WireType:
        plain, kind = json_binding.split_kind(spec)
        strings = self._source.header.get("numbers") == "string"
        return json_binding.with_scalar(self._type(plain), plain, kind, strings=strings)

    def _type(self, spec: Spec) -> WireType:
        if spec.type == "code":
            return self._code(spec)
        if spec.type == "pairs" and self._json:
            if spec.arguments:
                raise TypeMistake("'pairs' takes no arguments: they are the members of an object")
            return make("text", ())
        if spec.type == "pairs":
            if len(spec.arguments) != 1 or not spec.arguments[0].startswith("@"):
                raise TypeMistake("'pairs' names the attribute of the key, as in pairs @name")
            return make("text", ())
        if spec.type == "choice":
            if spec.arguments:
                raise TypeMistake("'choice' takes no arguments")
            return make("text", ())
        return make(spec.type, spec.arguments)

    def _code(self, spec: Spec) -> WireType:
        """``code TABLE``, perhaps ``closed``, perhaps with the length of a code."""
        arguments = list(spec.arguments)
        length = int(arguments.pop()) if len(arguments) > 1 and arguments[-1].isdigit() else None
        return with_maximum(code(self._table(arguments)), length)

    def _table(self, arguments: list[str]) -> CodeTable:
        name, *rest = arguments or [""]
        if not name or rest not in ([], ["closed"]):
            raise TypeMistake("'code' names a table, and perhaps closed and a length")
        self._used_tables.add(name)
        key = (name, bool(rest))
        if key in self._tables:
            return self._tables[key]
        found = self._source.codes.get(name)
        if found is None:
            try:
                text, file = self._resolve(f"codes/{name}")
            except LookupError as error:
                raise TypeMistake(f"unknown code table {name!r}") from error
            found = shared_codes(name, text, file, self._mistakes)
        made, wrong = table(name, found.codes, found.read_only, closed=bool(rest))
        for text in wrong:
            self._mistakes.add(found.line, text)
        self._tables[key] = made
        return made

    def _unused(self, specs: Mapping[str, tuple[Spec, ...]], used: set[str]) -> None:
        for group, lines in specs.items():
            if group in used or group in self._source.bases or not lines:
                continue
            if lines[0].line.file == self._source.file:
                self._mistakes.add(lines[0].line, f"group [{group}] is not used")
        for name, found in self._source.codes.items():
            if name not in self._used_tables and found.line.file == self._source.file:
                self._mistakes.add(found.line, f"code table {name!r} is not used")


def _leaves(form: Formed) -> list[str]:
    """Leaves that a form of message says by being that form."""
    return [one.pointer for one in form.given if isinstance(one.value, str)]


def _unshared(spec: Spec) -> Spec:
    assert spec.path is not None
    return replace(spec, path=replace(spec.path, shared=False))


__all__ = ["LayoutError", "compile_plans"]
