"""How many acceptances share a flush is told by two counters."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from gateway.telemetry.groups import Groups


def test_what_the_journal_has_counted_is_told_as_it_is_when_it_is_asked_for() -> None:
    registry, counted = CollectorRegistry(), (0, 0)
    Groups(registry, lambda: counted)
    counted = (2, 64)

    assert 2 == registry.get_sample_value("luxor_journal_groups_total")
    assert 64 == registry.get_sample_value("luxor_journal_acceptances_total")
