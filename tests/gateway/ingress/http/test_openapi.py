"""The description of the interface is valid and agrees with what the interface does."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.core.errors import problem_kinds
from tests.gateway.ingress.http.conftest import Client


@pytest.fixture
async def document(client: Client) -> dict[str, Any]:
    _, _, document = await client.call("GET", "/openapi.json")
    found: dict[str, Any] = document
    return found


async def test_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()

    assert str(document["openapi"]).startswith("3.1")


async def test_every_code_that_a_request_can_die_of_is_described(
    document: dict[str, Any],
) -> None:
    text = str(document)
    inside = {"interchange.refused"}  # not a problem over HTTPS: answered 422 with the receipt

    assert [code for code in problem_kinds() if f"`{code}`" not in text and code not in inside] == [
        "tls.version",  # over HTTPS it dies in the handshake
    ]


async def test_answers_fit_their_schemas(client: Client, document: dict[str, Any]) -> None:
    answers = {
        "Answer": (await client.post(b"refuse"))[2],
        "Status": (await client.call("GET", "/v1/interchanges/i-1"))[2],
        "OutcomePage": (await client.call("GET", "/v1/interchanges/i-1/outcomes"))[2],
        "TranslationReport": (await client.call("GET", "/v1/interchanges/i-1/report"))[2],
        "Formats": (await client.call("GET", "/v1/formats"))[2],
        "InboxPage": (await client.call("GET", "/v1/inbox"))[2],
        "Trace": (await client.call("GET", "/v1/trace/x"))[2],
        "Problem": (await client.call("GET", "/nowhere"))[2],
    }

    for name, answer in answers.items():
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        jsonschema.validate(answer, schema)


async def test_every_described_path_answers(client: Client, document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for method in operations:
            filled = path.replace("{id}", "i-1").replace("{value}", "x")
            _, _, answer = await client.call(method.upper(), filled)
            assert answer.get("code") not in ("request.not-found", "request.method")
