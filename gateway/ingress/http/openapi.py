"""The description of the interface (OpenAPI 3.1), made from the types and the table of problems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

import msgspec
from msgspec import toml

from gateway.core.clearance import Clearance, ClearanceAnswers
from gateway.core.errors import ProblemKind
from gateway.core.published import PublishedKeys
from gateway.core.quality import QualityReport
from gateway.core.records import Outcome
from gateway.ingress.answers import Answer, OutcomePage
from gateway.ingress.http.clearance import ClearanceRequest
from gateway.ingress.http.inbox import Acknowledged, Acknowledgement
from gateway.ingress.http.lookups import Formats, Status, Trace, TranslationReport
from gateway.ingress.http.settings import HttpSettings
from gateway.ingress.problems import Problem
from gateway.pipeline.ping import Ping, Pong
from gateway.pipeline.service import InboxPage

SCHEMA = "#/components/schemas/"
PARAMETER = "#/components/parameters/"
_TYPES = (
    Answer,
    OutcomePage,
    Outcome,
    TranslationReport,
    Status,
    Trace,
    Formats,
    QualityReport,
    PublishedKeys,
    Clearance,
    ClearanceRequest,
    ClearanceAnswers,
    Ping,
    Pong,
    InboxPage,
    Acknowledgement,
    Acknowledged,
    Problem,
)


class Operation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of ``operations.toml``."""

    id: str
    method: str
    path: str
    summary: str
    description: str = ""
    parameters: tuple[str, ...] = ()
    request: str = ""
    answers: dict[str, str] = {}
    problems: tuple[str, ...] = ()


def openapi_document(kinds: Mapping[str, ProblemKind], *, settings: HttpSettings) -> dict[str, Any]:
    """The whole document. ``kinds`` is the table of problems; bounds come from ``settings``."""
    text = resources.files("gateway.ingress.http").joinpath("operations.toml").read_text("utf-8")
    source = toml.decode(text)
    operations = msgspec.convert(source["operation"], list[Operation])
    _, schemas = msgspec.json.schema_components(_TYPES, ref_template=SCHEMA + "{name}")
    schemas["InterchangeContent"] = {
        "description": f"Any format of /v1/formats, at most {settings.spool.max_bytes} bytes",
        "type": "string",
        "format": "binary",
    }
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, kinds)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Luxor gateway",
            "version": "1",
            "summary": source["info"]["summary"],
            "description": source["info"]["description"],
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"mutualTLS": []}, {"httpSignature": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": source["parameter"],
            "securitySchemes": {
                "mutualTLS": {
                    "type": "mutualTLS",
                    "description": "TLS 1.3 with the client certificate of a registered party",
                },
                "httpSignature": {
                    "type": "http",
                    "scheme": "HTTP-Signature",
                    "description": source["info"]["signed"],
                },
            },
        },
    }


def _operation(operation: Operation, kinds: Mapping[str, ProblemKind]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": [
            {"$ref": f"#/components/parameters/{name}"}
            for name in (*operation.parameters, *_signed(operation))
        ],
        "responses": {
            **{
                status: {"description": _FIRST[status], "content": _json(schema)}
                for status, schema in operation.answers.items()
            },
            **_problem_responses(
                (*operation.problems, "signature."), kinds, taken=set(operation.answers)
            ),
        },
    }
    if operation.description:
        described["description"] = operation.description
    if operation.request == "InterchangeContent":
        media = {"*/*": {"schema": {"$ref": SCHEMA + operation.request}}}
        described["requestBody"] = {"required": True, "content": media}
    elif operation.request:
        described["requestBody"] = {"required": True, "content": _json(operation.request)}
    return described


def _signed(operation: Operation) -> tuple[str, ...]:
    """The headers of a signed request; one with content tells its digest."""
    digest = ("ContentDigest",) if operation.request else ()
    return (*digest, "SignatureInput", "RequestSignature")


_FIRST = {
    "200": "The answer",
    "202": "At least one message was accepted, or the same interchange was accepted before",
    "422": "No message was accepted; the receipt says so and the id stays free",
}


def _problem_responses(
    prefixes: Iterable[str], kinds: Mapping[str, ProblemKind], *, taken: set[str]
) -> dict[str, Any]:
    """One response per status, naming its codes; a status that is an answer too is left to it."""
    chosen = tuple(prefixes)
    by_status: dict[str, list[str]] = {}
    for code, kind in kinds.items():
        if code.startswith(chosen) and str(kind.http) not in taken:
            by_status.setdefault(str(kind.http), []).append(f"- `{code}`: {kind.title}")
    return {
        status: {
            "description": "\n".join(lines),
            "content": {"application/problem+json": {"schema": {"$ref": SCHEMA + "Problem"}}},
        }
        for status, lines in sorted(by_status.items())
    }


def _json(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": SCHEMA + schema}}}
