"""A report is taken apart into lines that repeat and places, and says every value again."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.reports import DELIVERED, Counts, Fate, Line, Report, report_of, tally
from translators.faults import Note, NoteKind
from translators.translator import FormatId

XML = FormatId("upu.itmatt.1")


def dropped(path: str, detail: str = "") -> Note:
    return Note(kind=NoteKind.DROPPED, path=path, detail=detail)


def report(*notes: Note, withheld: tuple[str, ...] = (), most: int = 100) -> Report:
    return report_of(notes, format_id=XML, kind="Order", withheld=withheld, most=most)


def test_indices_stand_apart_from_the_line_that_they_share() -> None:
    made = report(dropped("/lines/0/image"), dropped("/lines/2/image"), dropped("/remark"))

    assert ["/lines/*/image", "/remark"] == [line.path for line in made.lines]
    assert "0,2" == made.places


def test_reports_that_differ_in_places_alone_have_one_digest() -> None:
    one, other = report(dropped("/lines/0/image")), report(dropped("/lines/7/image"))

    assert one.digest == other.digest
    assert one != other


def test_reports_of_other_formats_kinds_or_lines_have_other_digests() -> None:
    one = report(dropped("/remark"))
    others = (
        msgspec.structs.replace(one, kind="Referral"),
        msgspec.structs.replace(one, format=FormatId("upu.cusitm.1")),
        report(dropped("/remark", "too long")),
    )

    assert 4 == len({one.digest, *(other.digest for other in others)})


def test_the_order_of_notes_makes_no_other_report() -> None:
    notes = (dropped("/b"), dropped("/a/1"), Note(kind=NoteKind.MAPPED, path="/c", detail="x → y"))

    assert report(*notes).lines == report(*reversed(notes)).lines


def test_values_are_counted_by_what_became_of_them() -> None:
    made = report(
        dropped("/lines/0/image"),
        dropped("/lines/1/image"),
        Note(kind=NoteKind.DEFAULTED, path="/nature"),
        Note(kind=NoteKind.MAPPED, path="/mail_class", detail="letters → U"),
        Note(kind=NoteKind.CONTRADICTS, path="/total"),
        withheld=("/buyer/name",),
    )

    expected = Counts(withheld=1, not_carried=2, defaulted=1, mapped=1, contradicting=1)
    assert expected == made.counts()


def test_indices_of_the_wire_document_stand_apart_too() -> None:
    note = Note(kind=NoteKind.DROPPED, path="/pieces/1", source_path="/items/item[12]/piece[2]/@x")
    made = report(note)

    assert (
        Line(kind=Fate.DROPPED, path="/pieces/*", source_path="/items/item[*]/piece[*]/@x")
        == (made.lines[0])
    )
    assert note.source_path == next(made.values()).source_path


def test_what_is_above_the_bound_is_counted_and_not_kept() -> None:
    made = report(*(dropped(f"/lines/{at}") for at in range(10)), most=4)

    assert (4, 6) == (len(list(made.values())), made.more)
    assert 10 == made.counts().not_carried


def test_the_same_value_told_twice_counts_once() -> None:
    assert 1 == report(dropped("/remark"), dropped("/remark")).counts().not_carried


steps = st.one_of(
    st.integers(0, 20).map(str), st.sampled_from(["a", "b", "*", "x-1", "~1", "007", "1a"])
)
paths = st.lists(steps, max_size=4).map(lambda found: "".join(f"/{step}" for step in found))
sources = st.lists(st.sampled_from(["/item", "/item[3]", "/@id", "/*"]), max_size=3).map("".join)
notes = st.builds(
    Note,
    kind=st.sampled_from(NoteKind),
    path=paths,
    source_path=st.none() | sources,
    detail=st.sampled_from(["", "no place for it"]),
)


@settings(max_examples=100)
@given(st.lists(notes, max_size=12))
def test_every_value_is_said_again(told: list[Note]) -> None:
    made = report(*told)

    again = {(v.kind, v.path, v.source_path, v.detail) for v in made.values()}
    assert {(Fate(n.kind), n.path, n.source_path or "", n.detail) for n in told} == again


def test_losses_say_of_how_many_messages_and_begin_with_the_most_frequent() -> None:
    rare, often, none = report(dropped("/a"), dropped("/b")), report(dropped("/b")), report()
    found = tally(DELIVERED, [("risk", rare, 1), ("risk", often, 5), ("risk", none, 4)])

    assert [("/b", 6, 10), ("/a", 1, 10)] == [(x.line.path, x.messages, x.of) for x in found]
