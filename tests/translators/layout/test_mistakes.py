"""Mistakes in layouts: named by file, line, group and key, all at once."""

from __future__ import annotations

import pytest

from tests.translators.layout.layouts import compiled
from translators.layout import LayoutError

HEAD = 'layout = "x.1"\ntitle = "T"\ncarries = "GoodsDeclaration"\nroot = "r"\n'
DOCUMENT = '[document]\nd = "messages *! : d"\n'
LINES = '[d]\nfunction = "function !"\ntype = "type_code !"\nlrn = "lrn !"\n'


def mistakes(text: str, **others: str) -> list[str]:
    """What is said of a layout."""
    with pytest.raises(LayoutError) as caught:
        compiled(text, **others)
    assert str(caught.value) == "\n".join(str(one) for one in caught.value.mistakes)
    return [str(one) for one in caught.value.mistakes]


def of_line(line: str, more: str = "") -> list[str]:
    """What is said of one line more in the group of messages, the eleventh of its file."""
    return mistakes(f"{HEAD}{DOCUMENT}{LINES}{line}\n{more}")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('x = "nothing"', "x: GoodsDeclaration has no field 'nothing'"),
        ('x = "ucr : nothing"', "x: unknown type or group 'nothing'"),
        ('x = "ucr : text 9..3"', "x: 'text' with lengths 9..3"),
        ('x = "ucr : text many"', "x: 'text' takes a length such as 35 or 6..10"),
        ('x = "ucr : country 2"', "x: 'country' takes no arguments"),
        ('x = "gross_weight : mass lb"', "x: unknown unit 'lb': kg or g"),
        ('x = "gross_weight : decimal 20.9"', "x: 'decimal' holds at most 16.6 digits"),
        ('x = "goods_item_count : int none"', "x: 'int' takes a number of digits"),
        ('x = "accepted_at : instant YYYYQQ"', "x: unknown letters in 'YYYYQQ'"),
        ('x = "accepted_at : instant YYYYMMDD"', "x: 'YYYYMMDD' is no instant"),
        ('x = "ucr : flag"', "x: ucr is text with us, not flag true/false"),
        ('x = "gross_weight"', "x: gross_weight is decimal with us, not text"),
        ('x = "ucr : flag Y"', "x: 'flag' takes two spellings, such as Y/N"),
        ('x = "ucr ?"', "x: unknown mark '?'"),
        ('x = "ucr *0"', "x: a maximum is at least 1"),
        ('x = "ucr : text, often yes"', "x: unknown or repeated option 'often'"),
        ('x = "ucr : text, default"', "x: option 'default' has no value"),
        ('x = "ucr : text 3, default LONG"', "its own type: 4 characters, at most 3"),
        ('x = "ucr : text, else two words"', "x: not an expression: 'two words'"),
        ('x = "ucr *"', "x: ucr is no list"),
        ('x = "item_ids"', "x: item_ids is a list: mark it *, or say [n], [key=value], [] or join"),
        ('x = "items *"', "x: items is a record: name a group, or a field in it"),
        ('x = "ucr[1]"', "x: /ucr is no list"),
        ('x = "items[0].hs"', "x: entries are counted from 1: 'items[0].hs'"),
        ('x = "items[hs].hs"', "x: not a path: 'items[hs].hs'"),
        ('x = "Ucr"', "x: not a path: 'Ucr'"),
        ('x = "^ucr"', "x: ^ucr: there is no record that far out"),
        ('x = "header.nothing"', "x: Header has no field 'nothing'"),
        ('x = "= count ucr"', "x: ucr is no list"),
        ('x = "= sum items"', "x: items is no value"),
        ('x = "= count"', "x: 'count' with 0 paths"),
        ('x = "="', "x: '=' alone places the child that a predicate names"),
        ('x = "ucr : pairs name"', "x: 'pairs' names the attribute of the key, as in pairs @name"),
        ('x = "ucr : pairs @n"', "x: ucr is no map, so it has no pairs"),
        ('x = "ucr : code"', "x: 'code' names a table, and perhaps closed and a length"),
        ('x = "ucr : code none"', "x: unknown code table 'none'"),
        ('x = "ucr : choice"', "x: there is no [choice.d.ucr]"),
        ('x = "ucr : d"', "x: groups that contain each other in a ring"),
        ('x = "-"', "x: there is no such line to remove"),
        ('x = "ucr, after nothing"', "x: there is no line 'nothing' to stand after"),
        ('"p:x" = "ucr"', "p:x: undeclared namespace prefix 'p'"),
        ('"1x" = "ucr"', "1x: '1x' is no XML name"),
        ('"x{y" = "ucr"', "x{y: 'x{y' is no XML name"),
        ("\"x'\" = \"ucr\"", "x': \"x'\" is no XML name"),
        ('"x[a]" = "ucr"', "x[a]: not a predicate: 'x[a]'"),
        ('"function/@a" = "mrn"', "lines of one element 'function' stand together"),
        ('"lrn/." = "mrn"', "lrn/.: the same text twice"),
        ('"@x " = "ucr"', "@x : 'x ' is no XML name"),
        ("x = 7", "x: the right side is a string"),
    ],
)  # fmt: skip
def test_a_mistake_of_a_line_is_named(line: str, said: str) -> None:
    assert any(one.startswith("test.toml:11: [d] ") and one.endswith(said) for one in of_line(line))


def test_the_same_element_twice_is_named() -> None:
    found = of_line('"a/b" = "ucr"\n"a/b " = "mrn"'.replace('"a/b "', '"a/./b"'))
    assert any("is no XML name" in one for one in found)
    found = of_line('a = "importer : p"\n"a/b" = "ucr"', '[p]\nn = "name"\n')
    assert "test.toml:12: [d] a/b: a group's element has no lines" in found


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", "layout: is required"),
        ("layout = 7\n", "layout: has the wrong type"),
        ('layout = "x"\nroot = "1"\n', "root: '1' is no XML name"),
        ('layout = "x"\nroot = "a:b"\n', "root: undeclared namespace prefix 'a'"),
        ('layout = "x"\nunknown = "perhaps"\n', "unknown: is one of refuse, report"),
        ('layout = "x"\nsyntax = "edifact"\n', "syntax: is one of"),
        ('layout = "x"\ncolour = "red"\n', "colour: unknown header key"),
        ('layout = "x"\ncarries = "Nothing"\n', "carries: unknown message kind 'Nothing'"),
        ('layout = "x"\ncarries = { e = "Order" }\n', "carries: names a kind for each group"),
        ('layout = "x"\nextends = "y"\n', "extends: unknown layout 'y'"),
    ],
)
def test_a_mistake_of_the_header_is_named(header: str, said: str) -> None:
    rest = "".join(
        line
        for line in HEAD.splitlines(keepends=True)
        if not line.startswith("layout") and line.partition(" ")[0] not in header
    )
    assert any(said in one for one in mistakes(header + rest + DOCUMENT + LINES))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('[e]\nx = "name"\n', "test.toml:12: [e] x: group [e] is not used"),
        ('[codes.c]\nA = "b"\n', "test.toml:11: [codes] c: code table 'c' is not used"),
        ('[text]\nx = "name"\n', "test.toml:12: [text] x: 'text' is the name of a type"),
        ('[namespaces]\na = 1\n', "test.toml:12: [namespaces] a: a namespace is a non-empty"),
        ('[namespaces]\nxml = "urn:x"\n', "test.toml:12: [namespaces] xml: not a prefix"),
        ('[choice.d.ucr]\na = "b"\n', "test.toml:12: [choice.d.ucr] a: a row is"),
        ('[choice.d.ucr]\na = { b = "1" }\n', "no line 'b' in [d]"),
        ('[e]\nlike = "f"\n', "test.toml:12: [e] like: unknown group 'f'"),
        ('[e]\nlike = "f"\n[f]\nlike = "e"\n', "groups that are like each other in a ring"),
        ('[e]\nx = """y"""\n', "test.toml:12: []"),
    ],
)  # fmt: skip
def test_a_mistake_of_a_table_is_named(more: str, said: str) -> None:
    assert any(said in one for one in mistakes(HEAD + DOCUMENT + LINES + more))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('A = "x"\nB = "x"\n', "'A' and 'B' both mean 'x': make one of them read-only"),
        ('A = "x"\nread-only = ["B"]\n', "read-only code 'B' is not in the table"),
        ('A = "x"\nread-only = ["A"]\n', "'x' has only read-only codes"),
        ("A = 1\n", "left the wire's spelling, right ours, both strings"),
    ],
)
def test_a_mistake_of_a_code_table_is_named(table: str, said: str) -> None:
    assert any(said in one for one in of_line('x = "ucr : code c"', f"[codes.c]\n{table}"))


def test_a_required_field_of_the_model_needs_a_line() -> None:
    found = mistakes(HEAD + DOCUMENT + LINES.replace('lrn = "lrn !"\n', ""))
    assert found == ["test.toml:8: [d] : GoodsDeclaration requires /lrn, which has no line"]
    found = of_line('item = "items * : i"', '[i]\ncode = "hs : digits 6..10"\n')
    assert found == [
        "test.toml:8: [d] : GoodsDeclaration requires /items/*/number, which has no line"
    ]


def test_a_shared_code_table_states_source_and_date() -> None:
    found = mistakes(
        HEAD + DOCUMENT + LINES + 'x = "ucr : code c"\n', **{"codes/c": '[codes]\nA = "b"\n'}
    )
    assert found == [
        "codes/c.toml:1: [codes] c: a code table states its source",
        "codes/c.toml:1: [codes] c: a code table states its date",
    ]


def test_a_mistake_names_the_file_in_which_it_stands() -> None:
    base = HEAD + DOCUMENT + LINES + 'x = "nothing"\n'
    over = 'layout = "x.2"\nextends = "x.1"\n[d]\ny = "neither"\n'
    assert mistakes(over, **{"x.1": base}) == [
        "x.1.toml:11: [d] x: GoodsDeclaration has no field 'nothing'",
        "test.toml:4: [d] y: GoodsDeclaration has no field 'neither'",
    ]


def test_layouts_that_extend_each_other_are_named() -> None:
    found = mistakes('layout = "a"\nextends = "b"\n', b='layout = "b"\nextends = "a"\n')
    assert any("extend each other in a ring" in one for one in found)


def test_what_is_no_toml_is_named_with_its_line() -> None:
    (found,) = mistakes('layout = "x"\ntitle = \n')[:1]
    assert found.startswith("test.toml:2: [] : not TOML")


def test_every_mistake_is_told_at_once() -> None:
    found = of_line('a = "nothing"\nb = "ucr ?"\nc = "ucr : nothing"\nd = "-"')
    assert len(found) == 4


def test_without_a_line_to_messages_there_is_no_layout() -> None:
    found = mistakes(HEAD + '[document]\nx = "header.sender"\n')
    assert "test.toml:6: [document] x: exactly one line leads to messages" in found
    found = mistakes(HEAD)
    assert "test.toml:1: [document] : there is no group [document]" in found
