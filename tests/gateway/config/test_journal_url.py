"""A password in the journal's URL is never taken for a host, and never shown."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from gateway.store.postgres.status import place_of
from gateway.store.postgres.uri import mistake_in

SECRETS = ("p@ss", "pa/ss", "pa?ss", "pa#ss", "50%off", "a@b/c:d#1%&?x", "%zz", "@", "#")


@pytest.mark.parametrize("secret", SECRETS)
def test_a_password_that_is_not_encoded_is_refused_without_a_word_of_it(secret: str) -> None:
    mistake = mistake_in(f"postgresql://luxor_gw:{secret}17@db.example:5432/journal")

    assert mistake is not None
    assert "journal.password" in mistake
    assert f"{secret}17" not in mistake


@pytest.mark.parametrize("secret", SECRETS)
def test_the_same_password_encoded_is_taken_and_not_shown(secret: str) -> None:
    url = f"postgresql://luxor_gw:{quote(secret, safe='')}@db.example:5432/journal"

    assert mistake_in(url) is None
    assert place_of(url) == "postgresql://db.example:5432/journal"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://db.example/journal",
        "postgres://gw@[::1]:5432/journal?sslmode=verify-full&sslrootcert=/etc/luxor/root.pem",
        "postgresql://gw@db1.example,db2.example/journal?target_session_attrs=primary",
        "postgresql:///journal?host=/var/run/postgresql",
    ],
)
def test_urls_of_every_documented_form_are_taken(url: str) -> None:
    assert mistake_in(url) is None
