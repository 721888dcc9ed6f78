"""A table is added to one party, and everything else in the text stays as people wrote it."""

from __future__ import annotations

import pytest

from trust.identity import PartyId
from trust.registry_insert import with_party_table

TEXT = """\
version = 1  # of people

[[authority]]
id = "post-a"

[[party]]
name = "first"
id = 'post-a'   # the post

[party.severities]
"x" = "warning"

[[party.grant]]
formats = ["*"]

# the shop comes next
[[ party ]]
id = "shop-1"
[[delegation]]
token = "t"
"""
BLOCK = "[[party.key]]\ncertificate = 'x.pem'\n"


def test_it_stands_behind_the_last_table_of_the_party() -> None:
    changed = with_party_table(TEXT, PartyId("post-a"), BLOCK)

    assert changed == TEXT.replace(
        'formats = ["*"]\n', "formats = [\"*\"]\n\n[[party.key]]\ncertificate = 'x.pem'\n"
    )


def test_the_tables_of_others_end_it() -> None:
    changed = with_party_table(TEXT, PartyId("shop-1"), BLOCK)

    assert changed == TEXT.replace(
        'id = "shop-1"\n', "id = \"shop-1\"\n\n[[party.key]]\ncertificate = 'x.pem'\n"
    )


@pytest.mark.parametrize("party", ["post", "post-b", "t", "post.a"])
def test_a_party_that_is_not_there_changes_nothing(party: str) -> None:
    assert with_party_table(TEXT, PartyId(party), BLOCK) is None


def test_a_text_may_end_without_a_line_end() -> None:
    changed = with_party_table('[[party]]\nid = "a"', PartyId("a"), BLOCK)

    assert "[[party]]\nid = \"a\"\n\n[[party.key]]\ncertificate = 'x.pem'\n" == changed
