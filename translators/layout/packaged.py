"""The layouts and code tables that come with the package."""

from __future__ import annotations

from functools import cache
from importlib import resources

from translators.layout.compile import compile_plans
from translators.layout.mistakes import Line, Mistakes
from translators.layout.plan import Plan
from translators.layout.pointers import Pointers, Target
from translators.layout.sections import tree
from translators.layout.source import Resolve
from translators.layout.translator import LayoutTranslator


def compile_layout(
    source_text: str, *, name: str, resolve: Resolve | None = None
) -> LayoutTranslator:
    """Compile a layout file.

    ``name`` is what mistakes call the file. ``resolve`` gives text and file name of what the
    layout extends (``upu.itmatt.1``) and of shared code tables (``codes/mail-class``), and
    raises :class:`LookupError` for what it does not have; by default those of the package.
    Raises :class:`LayoutError` with every mistake.
    """
    plans = compile_plans(source_text, file=name, resolve=resolve or packaged_text)
    pointers = _pointers(plans[0], name, resolve or packaged_text)
    return LayoutTranslator(plans, pointers=pointers)


def _pointers(plan: Plan, file: str, resolve: Resolve) -> Pointers | None:
    """The pointers of a layout, whose chains use the ids of the layouts that it names.

    One that leads into its own message says so, when others lead elsewhere.
    """
    mistakes, targets = Mistakes(), []
    for name in plan.pointers:
        own = name == plan.id
        try:
            root = tree(plan if own else _plan(name, resolve))
        except LookupError:
            root = None
        if root is None:
            at = Line("", "pointers", "", file, 1)
            mistakes.add(at, f"there is no layout {name!r} that states ids")
            continue
        kind = next(iter(plan.kinds)) if own and len(plan.pointers) > 1 else None
        targets.append(Target(root, kind))
    mistakes.check()
    return Pointers(tuple(targets)) if targets else None


def _plan(name: str, resolve: Resolve) -> Plan:
    if resolve is packaged_text:
        return _packaged_plans(name)[0]
    text, file = resolve(name)
    return compile_plans(text, file=file, resolve=resolve)[0]


@cache
def packaged(format_id: str) -> LayoutTranslator:
    """A layout of the package; raises :class:`LookupError` when there is none of that name."""
    plans = _packaged_plans(format_id)
    _, file = packaged_text(format_id)
    return LayoutTranslator(plans, pointers=_pointers(plans[0], file, packaged_text))


@cache
def _packaged_plans(format_id: str) -> tuple[Plan, ...]:
    """The plans of a layout of the package, which others may name for their pointers."""
    text, file = packaged_text(format_id)
    return compile_plans(text, file=file, resolve=packaged_text)


def packaged_ids() -> tuple[str, ...]:
    """The format ids of all layouts of the package."""
    folder = resources.files("translators") / "layouts"
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def packaged_text(name: str) -> tuple[str, str]:
    """Text and file name of a packaged layout, or of a code table ``codes/NAME``."""
    folder, slash, table = name.rpartition("/")
    if slash and folder != "codes":
        raise LookupError(name)
    file = f"{table}.toml"
    place = resources.files("translators") / ("codes" if slash else "layouts") / file
    if not place.is_file():
        raise LookupError(name)
    return place.read_text("utf-8"), f"codes/{file}" if slash else file
