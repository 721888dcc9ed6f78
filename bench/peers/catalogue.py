"""Who is measured, and who stands beside whom."""

from __future__ import annotations

from bench.peers.subject import Comparison, Subject
from bench.peers.subjects import django_pyas2, gateway, library, node_red, spyne

SUBJECTS: tuple[Subject, ...] = (
    node_red.SUBJECT,
    spyne.SUBJECT,
    library.SUBJECT,
    django_pyas2.SUBJECT,
    gateway.SIGNED_XML,
    gateway.SIGNED_JSON,
    gateway.UNSIGNED,
)
COMPARISONS: tuple[Comparison, ...] = (
    Comparison(
        title="XML to JSON",
        peer="node-red",
        ours=("library", "gateway-xml"),
        fairness="The translators do more than Node-RED's flow: they type and check every value"
        " and refuse what they do not know. The gateway does another job beside it, here for scale:"
        " mutual TLS, judgement, journal, receipt, delivery.",
    ),
    Comparison(
        title="Validated XML to JSON",
        peer="spyne",
        ours=("library",),
        fairness="Nearly the same job: both validate structure, types, lengths and codes, and make"
        " typed values. spyne makes JSON of the element names; the translators make the canonical"
        " form, with a place for every defect.",
    ),
    Comparison(
        title="Signed, durable receipt of a message, with a signed receipt",
        peer="django-pyas2",
        ours=("gateway-signed-xml", "gateway-signed-json"),
        fairness="django-pyas2 is spared TLS (a proxy would add it) and does not read the content;"
        " its files are not synced. The gateway has mutual TLS, reads, judges and delivers what it"
        " accepts. AS2 partners sign with RSA, which is dear; the gateway's parties with Ed25519 or"
        " ECDSA.",
    ),
)
