"""Which journal a configuration names."""

from __future__ import annotations

from gateway.config.document import Config
from gateway.config.mistakes import ConfigError, Mistake
from gateway.keys.errors import KeyUnusable
from gateway.keys.secret import Secret, environment, read_secret, secret_source
from gateway.store.opening import store_of
from gateway.store.postgres.uri import mistake_in
from gateway.store.store import Store


def journal_of(config: Config) -> Store:
    """Where the gateway's journal is.

    Raises ``ConfigError`` for a URL that is ambiguous and for a password that is not there.
    """
    mistake = None if config.journal.url is None else mistake_in(config.journal.url)
    if mistake is not None:
        raise ConfigError(config.file, [Mistake("journal.url", mistake)])
    return store_of(
        config.journal,
        gateway=config.gateway.number,
        data=config.path(config.gateway.data),
        password=_password(config),
    )


def place_of(config: Config) -> str:
    """The key of the configuration that says where the journal is."""
    return "gateway.data" if config.journal.url is None else "journal.url"


def _password(config: Config) -> Secret | None:
    source = config.journal.password
    if source is None:
        return None
    try:
        return read_secret(secret_source(source), folder=config.path(""), environ=environment())
    except KeyUnusable as error:
        raise ConfigError(config.file, [Mistake("journal.password", str(error))]) from error
