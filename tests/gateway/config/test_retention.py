"""``[retention]`` as rules."""

from gateway.config.retention import CLASSES, RetentionDays, RetentionSection
from translators.canonical import KINDS


def test_every_kind_is_of_one_class() -> None:
    rules = RetentionSection().rules

    assert [k for k in KINDS if sum(rule.covers(k) for rule in rules.classes) != 1] == []
    assert rules.of("Something").name == "other"
    assert {k for kinds in CLASSES.values() for k in kinds} == set(KINDS)


def test_a_kind_of_its_own_leaves_its_class() -> None:
    section = RetentionSection(days=RetentionDays(decisions=500), kinds={"Referral": 40})
    rules = section.rules

    assert (rules.of("Referral").name, rules.of("Referral").days) == ("Referral", 40)
    assert (rules.of("CustomsResponse").name, rules.of("CustomsResponse").days) == (
        "decisions",
        500,
    )
    assert sum(rule.covers("Referral") for rule in rules.classes) == 1


def test_a_trace_outlives_all_content() -> None:
    section = RetentionSection(days=RetentionDays(orders=3_000), kinds={"Order": 4_000})

    assert section.longest == 4_000
    assert section.rules.trace == 4_000


def test_unknown_kinds_are_named() -> None:
    assert RetentionSection(kinds={"Ordr": 3}).unknown_kinds == ("Ordr",)
