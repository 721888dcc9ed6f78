"""Asking a running gateway by the controls of its operations listener."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import click
import msgspec

from gateway.config import Config, ConfigError, load

LONGEST_S = 120.0
"""Seconds for an answer: a reload waits until destinations have finished what was under way."""
MOST_BYTES = 64 << 20

url_option = click.option(
    "--url",
    metavar="URL",
    help="The operations listener, when it is not where the configuration says (port 0, say).",
)


class Said(msgspec.Struct, frozen=True):
    """The answer of a control: an HTTP status and a JSON value."""

    status: int
    value: Any


class Operations:
    """The operations listener of one gateway, as an operator on its machine reaches it."""

    def __init__(self, url: str, *, token: str | None = None, seconds: float = LONGEST_S) -> None:
        """``url`` has a scheme, a host and a port; ``seconds`` bound one answer."""
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None:
            raise click.UsageError(f"{url} is no address like http://127.0.0.1:8440")
        self._url = url
        self._host, self._port = parts.hostname, parts.port or 80
        self._token = token
        self._seconds = seconds

    @classmethod
    def of(cls, config: Config, *, url: str | None = None) -> Operations:
        """As the configuration says, at ``url`` if that is given. Raises ``click.UsageError``."""
        section = config.ingress.operations
        if section is None:
            raise click.UsageError("[ingress.operations] is switched off: there is nobody to ask")
        if url is None and section.port == 0:
            raise click.UsageError("ingress.operations.port is 0: say where it is with --url")
        token = None
        if section.token is not None:
            token = config.path(section.token).read_text("utf-8").strip()
        host = f"[{section.host}]" if ":" in section.host else section.host
        return cls(url or f"http://{_reachable(host)}:{section.port}", token=token)

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Said:
        """Read something. Raises ``click.ClickException`` when nobody answers."""
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path, None)

    def post(self, path: str, value: object) -> Said:
        """Change something. Raises ``click.ClickException`` when nobody answers."""
        return self._ask("POST", path, msgspec.json.encode(value))

    def _ask(self, method: str, path: str, body: bytes | None) -> Said:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._seconds)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read(MOST_BYTES)
            if answer.status == 404 and "json" not in answer.headers.get_content_type():
                return Said(404, None)  # a gateway that does not have this control
            return Said(answer.status, msgspec.json.decode(content))
        except TimeoutError as error:
            raise click.ClickException(
                f"{self._url} did not answer within {self._seconds:g} s"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise click.ClickException(f"no gateway answers at {self._url}: {reason}") from error
        except msgspec.DecodeError as error:
            raise click.ClickException(f"{self._url} is no gateway of this kind") from error
        finally:
            connection.close()


def checked(said: Said, *, also: Callable[[int], bool] = lambda _: False) -> Any:
    """The value of an answer; one that is no success is told as an error.

    ``also``: further statuses that are answers.
    """
    if said.status == 200 or also(said.status):
        return said.value
    reason = said.value.get("error") if isinstance(said.value, dict) else None
    raise click.ClickException(reason or f"the gateway answered {said.status}")


def _reachable(host: str) -> str:
    """A listener on all addresses is asked at that of the machine itself."""
    return {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104 - not bound here


def load_config(file: Path) -> Config:
    """The configuration, only to know where its gateway is; mistakes are usage errors."""
    try:
        return load(file)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
