"""Keys and passwords in files: for their owner alone, and never shown."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from gateway.keys.errors import KeyUnusable
from gateway.keys.files import file_signer
from gateway.keys.secret import Secret, SecretSource, read_secret, secret_source
from tests.gateway.keys.conftest import encrypted_pem, write_private
from tests.gateway.keys.fake_token import PIN
from trust.authority import private_key_pem
from trust.keys import PrivateKey


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o601, 0o777])
def test_a_key_that_others_have_access_to_is_refused_with_what_to_run(
    tmp_path: Path, keys: dict[str, PrivateKey], mode: int
) -> None:
    path = write_private(tmp_path / "a key.pem", None, keys["P-256"])
    path.chmod(mode)

    with pytest.raises(KeyUnusable, match=f"mode {mode:04o}") as refused:
        file_signer(path)

    assert str(refused.value).endswith(f"run: chmod 600 '{path}'")


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_key_for_its_owner_alone_is_taken(
    tmp_path: Path, keys: dict[str, PrivateKey], mode: int
) -> None:
    path = write_private(tmp_path / "key.pem", None, keys["P-256"])
    path.chmod(mode)

    assert file_signer(path).alg == "ES256"


def test_the_permissions_behind_a_link_count(tmp_path: Path, keys: dict[str, PrivateKey]) -> None:
    path = write_private(tmp_path / "key.pem", None, keys["P-256"])
    link = tmp_path / "link.pem"
    link.symlink_to(path)
    path.chmod(0o644)

    with pytest.raises(KeyUnusable, match="0644"):
        file_signer(link)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match="No such file"):
        file_signer(tmp_path / "absent")
    with pytest.raises(KeyUnusable, match="not a file"):
        file_signer(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN " + b"PRIVATE KEY-----\nAAAA\n"])
def test_what_is_no_key_is_refused_without_its_content(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.touch(mode=0o600)
    path.write_bytes(content)

    with pytest.raises(KeyUnusable, match="not an unencrypted PEM private key") as refused:
        file_signer(path)
    assert "AAAA" not in str(refused.value)


def test_an_encrypted_key_needs_its_password_and_no_other(
    tmp_path: Path, keys: dict[str, PrivateKey]
) -> None:
    path = write_private(tmp_path / "key.pem", encrypted_pem(keys["P-384"]), keys["P-384"])

    assert file_signer(path, password=Secret(PIN)).alg == "ES384"
    with pytest.raises(KeyUnusable, match="say where its password is"):
        file_signer(path)
    with pytest.raises(KeyUnusable, match="not a PEM private key of that password") as refused:
        file_signer(path, password=Secret("13579"))
    assert "13579" not in str(refused.value)


def test_a_password_that_is_not_needed_hurts_nobody(
    tmp_path: Path, keys: dict[str, PrivateKey]
) -> None:
    path = write_private(tmp_path / "key.pem", None, keys["P-256"])

    assert file_signer(path, password=Secret(PIN)).alg == "ES256"


def test_a_secret_comes_from_a_file_the_environment_or_systemd(tmp_path: Path) -> None:
    (tmp_path / "pin").touch(mode=0o600)
    (tmp_path / "pin").write_text("from a file\n")
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "pin").write_text("from systemd")
    (tmp_path / "credentials" / "pin").chmod(0o440)
    environ = {"PIN": "from env", "CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}

    found = [
        read_secret(secret_source(text), folder=tmp_path, environ=environ).reveal()
        for text in ("file:pin", f"file:{tmp_path}/pin", "./pin", "env:PIN", "credential:pin")
    ]

    assert found == [*["from a file"] * 3, "from env", "from systemd"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("env:ABSENT", "the environment has no ABSENT"),
        ("credential:pin", "CREDENTIALS_DIRECTORY is not set"),
        ("file:absent", "No such file"),
        ("file:open", "chmod 600"),
        ("file:binary", "not a text"),
        ("file:lines", "not one line"),
        ("file:empty", "not one line"),
    ],
)
def test_a_secret_that_is_not_there_is_named(tmp_path: Path, text: str, says: str) -> None:
    contents = {"binary": b"\xff\xfe1357", "lines": b"1357\n2468", "empty": b"\n"}
    for name, content in contents.items():
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "open").write_text("1357")
    (tmp_path / "open").chmod(0o644)

    with pytest.raises(KeyUnusable, match=says) as refused:
        read_secret(secret_source(text), folder=tmp_path, environ={})
    assert "1357" not in str(refused.value)


@pytest.mark.parametrize("text", ["1234", "hunter2!", "env:a b", "credential:../x", "x:y"])
def test_a_secret_itself_is_no_source_and_is_not_repeated(text: str) -> None:
    with pytest.raises(KeyUnusable) as refused:
        secret_source(text)
    assert text not in str(refused.value)


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret(PIN)

    assert PIN not in f"{secret!r} {secret} {[secret]}"
    for copying in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="not written down"):
            copying(secret)


def test_a_source_is_told_by_where_it_is() -> None:
    assert str(SecretSource("env", "PIN")) == "env:PIN"


def test_the_key_itself_is_what_a_file_has(tmp_path: Path, keys: dict[str, PrivateKey]) -> None:
    path = write_private(tmp_path / "key.pem", private_key_pem(keys["Ed25519"]), keys["Ed25519"])

    assert file_signer(path, kid="k").kid == "k"
