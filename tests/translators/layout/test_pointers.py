"""Chains of sections and tags as canonical paths, and back; how layouts use them."""

from __future__ import annotations

import msgspec
import pytest

from tests.translators.layout.layouts import GOODS, compiled, declaration
from translators.canonical import (
    CustomsResponse,
    GoodsDeclaration,
    Interchange,
    Pointer,
    ResponseError,
    Statement,
)
from translators.faults import Note, NoteKind
from translators.layout import LayoutError, LayoutTranslator, packaged
from translators.layout.pointers import Pointers
from translators.translator import decode, encode

DECLARATION = packaged("gb.dms.declaration.2")
RESPONSE = packaged("gb.dms.response.2")


def pointers(layout: LayoutTranslator) -> Pointers:
    assert layout.pointers is not None
    return layout.pointers


def chain(text: str) -> tuple[Pointer, ...]:
    """``42A 68A/3 21A/2:145`` as pointers."""
    made = []
    for word in text.split():
        place, _, tag = word.partition(":")
        section, _, sequence = place.partition("/")
        number = int(sequence) if sequence else None
        made.append(Pointer(section=section, sequence=number, tag=tag or None))
    return tuple(made)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("42A", ""),
        ("42A:146", "/package_count"),
        ("42A:109", "/invoice_total"),
        ("42A:023", "/accepted_at"),
        ("42A 57A:R031", "/exporter/name"),
        ("42A 57A 04A:241", "/exporter/address/city"),
        ("42A 57A:R032", "/exporter/references/0/value"),
        ("42A 05A:102", "/representation"),
        ("42A 17C/2:R145", "/authorisations/1/category"),
        ("42A 28A 81A/2:064", "/routing_countries/1"),
        ("42A 67A 28A 64A:L016", "/goods_location/name"),
        ("42A 67A 28A 10A:T002", "/arrival_transport/id"),
        ("42A 67A 68A/3", "/items/2"),
        ("42A 67A 68A/1 23A:137", "/items/0/description"),
        ("42A 67A 68A/1 23A 21A/1:145", "/items/0/hs"),
        ("42A 67A 68A/1 23A 21A/3:337", "/items/0/classifications/1/type"),
        ("42A 67A 68A/1 23A 50A/2 94A:107", "/items/0/duties/1/payment_method"),
        ("42A 06A/4", "/amendments/3"),
    ],
)
def test_a_chain_is_a_path_and_the_path_is_the_chain(text: str, path: str) -> None:
    assert (path, None) == pointers(DECLARATION).find_path(chain(text))
    assert chain(text) == pointers(DECLARATION).find_chain(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "99Z",
        "42A:999",
        "42A 99Z/1",
        "42A 67A",  # the shipment is no record with us
        "42A 67A 68A",  # which item?
        "42A 67A 68A/0",
        "42A 57A/2:R031",  # there is one exporter
        "42A/2:146",
        "42A:146 67A",  # a value has nothing in it
        "42A 67A 68A/1 92A/1:063",  # only a value tells two forms of origin apart
    ],
)
def test_a_chain_that_does_not_say_enough_has_no_path(text: str) -> None:
    assert pointers(DECLARATION).find_path(chain(text)) is None


@pytest.mark.parametrize(
    "path", ["/nothing", "/items", "/items/x", "/items/0/nothing", "/items/01", "items/0"]
)
def test_a_path_of_which_the_layout_has_no_id_has_no_chain(path: str) -> None:
    assert pointers(DECLARATION).find_chain(path) is None


def test_a_response_points_into_the_declaration_and_into_itself() -> None:
    found = [pointers(RESPONSE).find_path(chain(text)) for text in ("42A 06A/1", "07B 06A/1")]
    assert [("/amendments/0", None), ("/amendments/0", "CustomsResponse")] == found
    back = pointers(RESPONSE).find_chain("/amendments/0", "CustomsResponse")
    assert chain("07B 06A/1") == back


def response(*errors: ResponseError) -> Interchange:
    (sample,) = RESPONSE.sample(full=False).messages
    assert isinstance(sample, CustomsResponse)
    return Interchange(messages=(msgspec.structs.replace(sample, errors=errors),))


def written(interchange: Interchange) -> tuple[CustomsResponse, list[Note]]:
    """What comes back of a response, and what was reported of it."""
    notes: list[Note] = []
    (message,) = decode(RESPONSE, encode(RESPONSE, interchange, notes.append)).messages
    assert isinstance(message, CustomsResponse)
    return message, [note for note in notes if "/pointers" in note.path]


def test_the_path_of_a_chain_is_filled_in_at_its_end() -> None:
    error = ResponseError(code="E", pointers=chain("42A 67A 68A/1 23A:137"))
    message, notes = written(response(error))
    *before, last = message.errors[0].pointers
    assert ([None, None, None], "/items/0/description") == ([one.path for one in before], last.path)
    assert [] == notes
    assert (message, []) == written(Interchange(messages=(message,)))


def test_a_path_without_a_chain_is_written_as_its_chain() -> None:
    error = ResponseError(code="E", pointers=(Pointer(path="/items/2/net_weight"),))
    message, notes = written(response(error))
    bare = [msgspec.structs.replace(one, path=None) for one in message.errors[0].pointers]
    assert (chain("42A 67A 68A/3 23A 65A:128"), []) == (tuple(bare), notes)


@pytest.mark.parametrize(
    "wrong",
    [
        (Pointer(path="/nothing/here"),),
        (Pointer(path="/lrn"), Pointer(path="/mrn")),
        (Pointer(section="42A", tag="146", path="/lrn"),),
        (Pointer(section="99Z", path="/lrn"),),
    ],
)
def test_a_path_that_no_chain_says_is_reported(wrong: tuple[Pointer, ...]) -> None:
    _, notes = written(response(ResponseError(code="E", pointers=wrong)))
    lost = len(wrong) - 1
    assert [(NoteKind.DROPPED, f"/errors/0/pointers/{lost}")] == [
        (note.kind, note.path) for note in notes
    ]


def test_what_holds_no_chain_is_the_very_same_message() -> None:
    message = GoodsDeclaration(
        function="original", type_code="IMA", lrn="L", statements=(Statement(code="C"),)
    )
    (found,) = pointers(DECLARATION).write([message], None)
    assert found is message


NUMBERED = declaration(
    'ref = "ucr : text 9, id 1A"\nparty = "importer : party, id 2B name=3C"',
    '[party]\nname = "name"\ncity = "address.city : text 9, id 4D"',
)


def test_ids_are_stated_for_lines_and_for_the_lines_of_a_group_where_it_stands() -> None:
    layout = compiled(
        'pointers = ["x.test.1"]' + NUMBERED.replace("messages *! : d", "messages *! : d, id 0Z")
    )
    found = [pointers(layout).find_path(chain(text)) for text in ("0Z:1A", "0Z 2B:3C", "0Z 2B:4D")]
    assert [("/ucr", None), ("/importer/name", None), ("/importer/address/city", None)] == found


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ('"a/b" = "ucr : text 9, id 1A"', "1 ids for 2 elements"),
        ('a = "ucr : text 9, id 1A/2B"', "2 ids for 1 elements"),
        ('a = "ucr : text 9, id ?"', "not ids: '?'"),
        ('a = "ucr : text 9, id 1A name"', "behind the ids stands KEY=ID: '1A name'"),
    ],
)
def test_ids_that_do_not_fit_are_mistakes(line: str, mistake: str) -> None:
    with pytest.raises(LayoutError) as refused:
        compiled(declaration(line, GOODS.format(lines="")))
    assert mistake in str(refused.value)


@pytest.mark.parametrize("name", ["x.test.1", "x.unknown.1"])
def test_pointers_need_a_layout_that_states_ids(name: str) -> None:
    with pytest.raises(LayoutError, match=f"there is no layout '{name}' that states ids"):
        compiled(f'pointers = ["{name}"]' + declaration(""))
