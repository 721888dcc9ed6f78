"""From merged source to the compiled plan, with every mistake found on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from translators.canonical import KINDS
from translators.layout.binding import Binder
from translators.layout.codes import CodeTable, table
from translators.layout.files import shared_codes
from translators.layout.grammar import NAME, GrammarError, Key, Spec, parse
from translators.layout.mistakes import LayoutError, Line, Mistakes
from translators.layout.paths import drops
from translators.layout.plan import MessageRow, Messages, Plan
from translators.layout.shape import Shaper
from translators.layout.source import Resolve, Source, load
from translators.layout.types import NAMES, TypeMistake, ValueFault, WireType, code, make
from translators.layout.xml_notation import XmlNotation
from translators.model import paths


def compile_plan(text: str, *, file: str, resolve: Resolve) -> Plan:
    """Compile a layout; raises :class:`LayoutError` with every mistake found."""
    mistakes = Mistakes()
    source = load(text, file=file, resolve=resolve, mistakes=mistakes)
    plan = _Compiler(source, resolve, mistakes).plan()
    mistakes.check()
    assert plan is not None
    return plan


@dataclass(frozen=True)
class _Streamed:
    """The line that leads to the messages, and the groups that they may have."""

    spec: Spec
    rows: Mapping[str, Mapping[str, str]]


class _Compiler:
    def __init__(self, source: Source, resolve: Resolve, mistakes: Mistakes) -> None:
        self._source = source
        self._resolve = resolve
        self._mistakes = mistakes
        self._tables: dict[tuple[str, bool], CodeTable] = {}
        self._used_tables: set[str] = set()

    def plan(self) -> Plan | None:
        """The plan, or nothing when there are mistakes that make going on senseless."""
        self._header()
        specs = self._specs()
        types = self._types(specs)
        if "document" not in specs:
            top = Line("document", "", "", self._source.file, 1)
            self._mistakes.add(top, "there is no group [document]")
            return None
        streamed = self._streamed(specs)
        kinds = self._kinds(streamed)
        if streamed is None or not kinds:
            return None
        binder = Binder(specs, types, self._mistakes)
        binder.document("document")
        for group, kind in kinds.items():
            binder.message(group, kind)
        self._unused(specs, binder.bound.used)
        shaper = Shaper(specs, types, binder.bound.bounds, self._source.choices, self._mistakes)
        contents = shaper.contents()
        if self._mistakes:
            return None
        rows = tuple(
            MessageRow(group, kinds[group], self._conditions(specs[group], row), contents[group])
            for group, row in streamed.rows.items()
        )
        messages = Messages(rows)
        document, chain = shaper.document(messages)
        header = self._source.header
        return Plan(
            id=header["layout"],
            title=header["title"],
            standing=header.get("standing", ""),
            kinds=frozenset(kinds.values()),
            media_types=tuple(
                header.get("media-types") or [f"application/vnd.luxor.{header['layout']}+xml"]
            ),
            refuse=header.get("unknown", "refuse") == "refuse",
            root=self._qualify(header["root"]),
            namespaces=dict(self._source.namespaces),
            document=document,
            chain=chain,
            messages=messages,
            drops={
                kind: drops(sorted(paths(kind)), touched)
                for kind, touched in binder.bound.touched.items()
            },
            exact_drops=not binder.bound.partial,
            groups={name: contents[name] for name in contents if name in binder.bound.used},
            required_count=binder.bound.counts_messages,
            tables={name: table_ for (name, _), table_ in self._tables.items()},
            notation=XmlNotation(),
        )

    def _header(self) -> None:
        header = self._source.header
        for key in ("layout", "title", "carries", "root"):
            if not header.get(key):
                self._mistakes.add(self._source.header_line(key), "is required")
        allowed = {"syntax": ("xml",), "unknown": ("refuse", "report")}
        for key, values in allowed.items():
            if key in header and header[key] not in values:
                self._mistakes.add(self._source.header_line(key), f"is one of {', '.join(values)}")
        if "root" in header:
            try:
                self._qualify(header["root"])
            except ValueError as error:
                self._mistakes.add(self._source.header_line("root"), str(error))

    def _qualify(self, written: str, *, attribute: bool = False) -> str:
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
                    types[spec.line] = self._type(spec)
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

    def _type(self, spec: Spec) -> WireType:
        if spec.type == "code":
            return code(self._table(spec))
        if spec.type == "pairs":
            if len(spec.arguments) != 1 or not spec.arguments[0].startswith("@"):
                raise TypeMistake("'pairs' names the attribute of the key, as in pairs @name")
            return make("text", ())
        if spec.type == "choice":
            if spec.arguments:
                raise TypeMistake("'choice' takes no arguments")
            return make("text", ())
        return make(spec.type, spec.arguments)

    def _table(self, spec: Spec) -> CodeTable:
        name, *rest = spec.arguments or ("",)
        if not name or rest not in ([], ["closed"]):
            raise TypeMistake("'code' names a table, and perhaps closed")
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

    def _streamed(self, specs: Mapping[str, tuple[Spec, ...]]) -> _Streamed | None:
        found = [
            spec
            for lines in specs.values()
            for spec in lines
            if spec.path is not None and spec.path.messages
        ]
        if len(found) != 1:
            line = found[1].line if found else specs["document"][0].line
            self._mistakes.add(line, "exactly one line leads to messages")
            return None
        spec = found[0]
        if spec.type in specs:
            return _Streamed(spec, {spec.type: {}})
        if spec.type != "by" or spec.arguments != ("kind",):
            self._mistakes.add(spec.line, "messages have a group, or 'by kind'")
            return None
        choice = self._source.choices.get(("document", "kind"))
        if choice is None:
            self._mistakes.add(spec.line, "there is no [choice.document.kind]")
            return None
        for name, line in choice.lines.items():
            if name not in specs:
                self._mistakes.add(line, f"unknown group {name!r}")
                return None
        return _Streamed(spec, choice.rows)

    def _kinds(self, streamed: _Streamed | None) -> dict[str, str]:
        """Kind of each group of messages."""
        line = self._source.header_line("carries")
        carries = self._source.header.get("carries")
        if streamed is None or not carries:
            return {}
        named = carries if isinstance(carries, dict) else dict.fromkeys(streamed.rows, carries)
        for kind in named.values():
            if kind not in KINDS:
                self._mistakes.add(line, f"unknown message kind {kind!r}")
                return {}
        if set(named) != set(streamed.rows):
            self._mistakes.add(line, "names a kind for each group of messages, and no other")
            return {}
        return dict(named)

    def _conditions(
        self, lines: tuple[Spec, ...], row: Mapping[str, str]
    ) -> tuple[tuple[Key, str], ...]:
        """What must stand where for a form of message; each key must be a line of its group."""
        keys = {spec.line.key: spec for spec in lines}
        found = []
        for key, value in row.items():
            if key in keys:
                found.append((keys[key].key, value))
            else:
                line = self._source.choices["document", "kind"].line
                self._mistakes.add(line, f"no line {key!r} in the group of that row")
        return tuple(found)

    def _unused(self, specs: Mapping[str, tuple[Spec, ...]], used: set[str]) -> None:
        for group, lines in specs.items():
            if group in used or group in self._source.bases or not lines:
                continue
            if lines[0].line.file == self._source.file:
                self._mistakes.add(lines[0].line, f"group [{group}] is not used")
        for name, found in self._source.codes.items():
            if name not in self._used_tables and found.line.file == self._source.file:
                self._mistakes.add(found.line, f"code table {name!r} is not used")


__all__ = ["LayoutError", "compile_plan"]
