"""Peers: what they are asked is valid, and what is installed is what is pinned."""

from __future__ import annotations

import base64
import email
import email.message
import email.policy
import hashlib
import json
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import cms  # type: ignore[import-untyped] # has no types
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bench.peers import environment
from bench.peers.catalogue import COMPARISONS, SUBJECTS
from bench.peers.documents import FORMAT, document
from bench.peers.environment import NotInstalled
from bench.peers.load import request
from bench.peers.subjects import django_pyas2
from translators.canonical import ItemDeclaration
from translators.layout import packaged
from translators.translator import decode

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def test_documents_are_valid_and_each_has_identifiers_of_its_own() -> None:
    several = [document(number) for number in range(20)]
    read = [decode(packaged(FORMAT), content) for content in several]
    keys = {
        message.item_id
        for one in read
        for message in one.messages
        if isinstance(message, ItemDeclaration)
    }
    assert len(keys) == len(several)
    assert len({one.header.control_reference for one in read}) == len(several)
    assert {len(one.messages) for one in read} == {1}
    assert 1_500 < len(several[0]) < 2_048


def test_a_request_says_its_length_and_its_fields() -> None:
    made = request(b"<a/>", path="/in", name="n", fields={"X-One": "1"}, expected=b"202")
    head, _, body = made.wire.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST /in HTTP/1.1",
        b"Host: localhost",
        b"Content-Length: 4",
        b"X-One: 1",
    ]
    assert (body, made.name, made.expected) == (b"<a/>", "n", b"202")


@pytest.fixture(scope="module")
def partner() -> django_pyas2.Identity:
    return django_pyas2.identity("post-a", now=NOW)


def test_an_as2_message_is_signed_over_its_part_and_asks_for_a_signed_receipt(
    partner: django_pyas2.Identity,
) -> None:
    made = django_pyas2.message(document(1), sender=partner, name="bench-1")
    _, _, fields = made.wire.partition(b"\r\n")
    parsed = email.message_from_bytes(fields, policy=email.policy.HTTP)
    assert parsed["AS2-From"] == "post-a"
    assert parsed["AS2-To"] == "gateway-lx"
    assert parsed["Message-ID"] == "<bench-1@post-a>"
    assert "signed-receipt-micalg=optional, sha256" in parsed["Disposition-Notification-Options"]
    boundary = parsed.get_boundary()
    assert boundary is not None
    assert parsed.get_content_type() == "multipart/signed"
    pieces = made.wire.split(f"--{boundary}".encode())
    part = pieces[1].removeprefix(b"\r\n").removesuffix(b"\r\n")
    assert part.endswith(document(1))
    signature = parsed.get_payload(1)
    assert isinstance(signature, email.message.Message)
    content = signature.get_payload(decode=True)
    assert isinstance(content, bytes)
    (signer,) = cms.ContentInfo.load(content)["content"]["signer_infos"]
    attributes = {one["type"].native: one["values"].native for one in signer["signed_attrs"]}
    assert attributes["message_digest"] == [hashlib.sha256(part).digest()]
    partner.key.public_key().verify(
        signer["signature"].native,
        signer["signed_attrs"].untag().dump(),
        padding.PKCS1v15(),
        hashes.SHA256(),
    )


def test_the_partners_of_as2_are_rows_that_its_administration_would_make(
    partner: django_pyas2.Identity,
) -> None:
    rows = json.loads(django_pyas2.fixture(partner, partner))
    by_model = {one["model"]: one["fields"] for one in rows}
    assert by_model["pyas2.partner"]["mdn_sign"] == "sha256"
    assert by_model["pyas2.publiccertificate"]["verify_cert"] is True
    kept = by_model["pyas2.privatekey"]
    pem = base64.b64decode(kept["key"])
    key = serialization.load_pem_private_key(
        pem[pem.index(b"-----BEGIN ENCRYPTED") :], kept["key_pass"].encode()
    )
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.private_numbers() == partner.key.private_numbers()


def test_what_as2_keeps_is_counted_in_its_database(tmp_path: Path) -> None:
    place = tmp_path / "as2.db"
    with closing(sqlite3.connect(place)) as rows:
        rows.executescript(
            "CREATE TABLE pyas2_message (id INTEGER PRIMARY KEY, status TEXT, signed INTEGER);"
            "CREATE TABLE pyas2_mdn (id INTEGER PRIMARY KEY, message_id INTEGER, signed INTEGER);"
            "INSERT INTO pyas2_message VALUES (1, 'S', 1), (2, 'S', 1), (3, 'E', 1), (4, 'S', 0);"
            "INSERT INTO pyas2_mdn VALUES (1, 1, 1), (2, 2, 0), (3, 3, 1), (4, 4, 1);"
        )
    assert django_pyas2.kept(place, 2) == ("2 messages verified and kept, 1 signed receipts, of 2")
    with closing(sqlite3.connect(place)) as rows, rows:
        rows.execute("UPDATE pyas2_mdn SET signed = 1")
    assert django_pyas2.kept(place, 2) == ""
    assert django_pyas2.kept(place, 3) != ""


def test_every_program_is_compared_and_every_comparison_is_of_programs() -> None:
    ids = [subject.id for subject in SUBJECTS]
    compared = {one for each in COMPARISONS for one in (each.peer, *each.ours)}
    assert len(set(ids)) == len(ids)
    assert compared == set(ids)


def test_what_is_installed_is_pinned_with_digests_and_names_no_registry() -> None:
    requirements = (environment.HERE / "requirements.txt").read_text("utf-8")
    entries = re.findall(
        r"^(\S+)==(\S+) \\\n((?:    --hash=sha256:[0-9a-f]{64}.*\n)+)", requirements, re.MULTILINE
    )
    names = {name for name, _, _ in entries}
    assert {"django-pyas2", "pyas2lib", "spyne", "django", "gunicorn"} <= names
    assert len(entries) == len(re.findall(r"^\S+==", requirements, re.MULTILINE))
    assert "://" not in requirements
    text = (environment.HERE / "package-lock.json").read_text("utf-8")
    modules = json.loads(text)["packages"]
    assert "node_modules/node-red" in modules
    assert all("integrity" in one or "inBundle" in one for name, one in modules.items() if name)
    assert '"resolved"' not in text


def test_it_is_installed_again_only_when_what_is_wanted_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[list[str]] = []

    def run(command: Sequence[str], *, cwd: Path | None = None) -> None:
        del cwd
        runs.append(list(command))

    for name in ("package.json", "package-lock.json", ".npmrc"):
        (tmp_path / name).write_text("{}", "utf-8")
    monkeypatch.setattr(environment, "HERE", tmp_path)
    monkeypatch.setattr(environment, "NODE", tmp_path / "node")
    monkeypatch.setattr(environment, "_run", run)
    environment.node()
    environment.node()
    assert [command[:2] for command in runs] == [["npm", "ci"]]
    (tmp_path / "package-lock.json").write_text('{"other": 1}', "utf-8")
    environment.node()
    assert len(runs) == 2


def test_a_tool_that_fails_is_named_with_how_it_ended() -> None:
    with pytest.raises(NotInstalled, match=r"^sh -c ended with 4$"):
        environment._run(["sh", "-c", "exit 4"])
    with pytest.raises(NotInstalled, match=r"^no-such-tool ci: FileNotFoundError$"):
        environment._run(["/nowhere/no-such-tool", "ci"])


def test_versions_of_openssl_with_two_digits_are_read() -> None:
    line = r"version_match = re.search('\\b(\\d\\.\\d\\.\\d[a-z]*)\\b', version_string)"
    found = environment.with_long_versions(line)
    assert found == line.replace("[a-z]", "+[a-z]")
    expression = found.split("'")[1].replace("\\\\", "\\")
    assert re.search(expression, "OpenSSL 3.0.19 27 Jan 2026")
    assert re.search(expression, "OpenSSL 1.1.1w 11 Sep 2023")
    assert environment.with_long_versions(found) == found
