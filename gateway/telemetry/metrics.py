"""The counters of a gateway, in a Prometheus registry that the caller owns.

Labels have few values: ids of parties and destinations from the configuration, kinds, codes of
``problems.toml``, transports. Who counts what: ingresses ``interchanges``, ``refusals``,
``tls_refused``, ``connections_refused``, ``limited``, ``accept_seconds``, ``inbox``; the pipeline
``messages``, ``findings``, ``refusals_not_kept``, ``deliveries``, ``clearances`` and ``backlog``.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gateway.telemetry.stages import Stages

ACCEPT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
"""Seconds: from one fsync to a large interchange."""


class Metrics:
    """Every counter of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.interchanges = Counter(
            "luxor_interchanges",
            "Interchanges that were judged, by sender, transport and status",
            ("party", "transport", "status"),
            registry=registry,
        )
        self.messages = Counter(
            "luxor_messages",
            "Messages that were judged, by kind and status",
            ("kind", "status"),
            registry=registry,
        )
        self.findings = Counter(
            "luxor_findings",
            "Faults that were found in messages, warnings too, by sender and code",
            ("party", "code"),
            registry=registry,
        )
        self.refusals = Counter(
            "luxor_refusals",
            "Requests that ended with a problem, by code and transport",
            ("code", "transport"),
            registry=registry,
        )
        self.tls_refused = Counter(
            "luxor_tls_refused",
            "Connections that ended in the TLS handshake, by transport",
            ("transport",),
            registry=registry,
        )
        self.connections_refused = Counter(
            "luxor_connections_refused",
            "Connections that were closed before their TLS handshake, by transport",
            ("transport",),
            registry=registry,
        )
        self.limited = Counter(
            "luxor_limited",
            "Requests beyond what their party may ask for, by party and code",
            ("party", "code"),
            registry=registry,
        )
        self.refusals_not_kept = Counter(
            "luxor_refusals_not_kept",
            "Refusals beyond those that the journal keeps of a party in a minute, by party",
            ("party",),
            registry=registry,
        )
        self.revocation_fetches = Counter(
            "luxor_revocation_fetches",
            "Lists and answers about revocation that were asked for, by authority and result",
            ("authority", "kind", "result"),
            registry=registry,
        )
        self.revocation_age = Gauge(
            "luxor_revocation_age_seconds",
            "Since the oldest answer that serves was asked for, by authority",
            ("authority",),
            registry=registry,
        )
        self.expiry_seconds = Gauge(
            "luxor_expiry_seconds",
            "Until something ends, by what it is and whose; of several the one that ends first",
            ("kind", "name"),
            registry=registry,
        )
        self.deliveries = Counter(
            "luxor_deliveries",
            "Attempts of delivery, by destination and result",
            ("destination", "result"),
            registry=registry,
        )
        self.journal_usable = Gauge(
            "luxor_journal_usable",
            "1 while the journal can be used; without it nothing is accepted or delivered",
            registry=registry,
        )
        self.journal_oldest_transaction = Gauge(
            "luxor_journal_oldest_transaction_seconds",
            "How long the oldest transaction of the journal's database lasts (PostgreSQL)",
            registry=registry,
        )
        self.journal_snapshot_age = Gauge(
            "luxor_journal_snapshot_age_transactions",
            "How many transactions the oldest snapshot is behind: vacuum keeps what it sees",
            registry=registry,
        )
        self.journal_processes = Gauge(
            "luxor_journal_processes",
            "Processes, of all nodes, that have the journal open",
            registry=registry,
        )
        self.journal_bytes = Gauge(
            "luxor_journal_bytes",
            "The journal's store, by part: used, free (used again first), log (write-ahead)",
            ("part",),
            registry=registry,
        )
        self.journal_growth = Gauge(
            "luxor_journal_growth_bytes_per_day",
            "By how much the journal grew in the last week",
            registry=registry,
        )
        self.journal_days_left = Gauge(
            "luxor_journal_days_until_full",
            "When the journal is full if it goes on growing like that",
            registry=registry,
        )
        self.retention_pruned = Counter(
            "luxor_retention_pruned",
            "What this process has removed since its time was over, by what it is",
            ("what",),
            registry=registry,
        )
        self.retention_left = Gauge(
            "luxor_retention_left_over",
            "Interchanges that are over and stay: something of them is open or on hold",
            registry=registry,
        )
        self.retention_oldest = Gauge(
            "luxor_retention_oldest_seconds",
            "Since the receipt of the oldest message whose content is kept",
            registry=registry,
        )
        self.clearances = Counter(
            "luxor_clearances",
            "Answers to parties whether an item may go, by answer",
            ("answer",),
            registry=registry,
        )
        self.backlog = Gauge(
            "luxor_backlog",
            "Keys with unsettled legs, by destination and what they wait for",
            ("destination", "state"),
            registry=registry,
        )
        self.configuration_loaded = Gauge(
            "luxor_configuration_loaded_timestamp_seconds",
            "When the configuration in force was loaded",
            registry=registry,
        )
        self.configuration_refused = Gauge(
            "luxor_configuration_refused",
            "1 while the last configuration that was read again is not the one in force",
            registry=registry,
        )
        self.breaker_state = Gauge(
            "luxor_breaker_state",
            "1 for the state in which the breaker of a destination is: closed, open, half-open",
            ("destination", "state"),
            registry=registry,
        )
        self.switch_on = Gauge(
            "luxor_switch_on",
            "1 when a destination is delivered to, 0 when an operator has stopped that",
            ("destination",),
            registry=registry,
        )
        self.saturation = Gauge(
            "luxor_saturation",
            "How full a bound is, by part (bytes, journal); from 1 on submissions are turned away",
            ("part",),
            registry=registry,
        )
        self.loop_lag = Gauge(
            "luxor_loop_lag_seconds",
            "How late the event loop was when it was looked at last",
            registry=registry,
        )
        self.accept_seconds = Histogram(
            "luxor_accept_seconds",
            "From the last byte of an interchange to its durable outcome",
            ("transport",),
            buckets=ACCEPT_BUCKETS,
            registry=registry,
        )
        self.stages = Stages(registry)
        self.inbox = Counter(
            "luxor_inbox_messages",
            "Messages pulled by parties, by party and step (served, acknowledged)",
            ("party", "step"),
            registry=registry,
        )
        self.answers_awaited = Gauge(
            "luxor_answers_awaited",
            "Answers that have not come, overdue or not, by destination and kind of message",
            ("destination", "kind"),
            registry=registry,
        )
        self.answers_overdue = Gauge(
            "luxor_answers_overdue",
            "Answers that have not come in time, by destination and kind of message",
            ("destination", "kind"),
            registry=registry,
        )
