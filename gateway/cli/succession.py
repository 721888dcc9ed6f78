"""``luxor party announce`` and ``accept-key``: from one signing key to the next, without a gap."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import msgspec

from gateway.cli.instants import INSTANT, shown
from gateway.cli.options import json_option
from gateway.cli.registry_file import load, party_of, registry_option, replace
from gateway.cli.tokens import open_key, out_option, read_token, token_argument, write_token
from trust.errors import TrustError
from trust.identity import PartyId
from trust.members import Party
from trust.party import Registry
from trust.registry_edit import with_key_end
from trust.registry_insert import with_party_table
from trust.registry_write import write_table
from trust.successor import Announcement, announce, read, succeed, verify

USUAL_OVERLAP_DAYS = 30


@click.command(
    "announce",
    epilog="""\b
Examples:
    luxor party announce post-a --key new.key --sign-with old.key --out post-a.jwt
    luxor party announce post-a --key new.key --sign-with old.key \\
        --from 2027-01-01 --old-until 2027-01-31T12:00:00Z""",
)
@click.argument("identifier", metavar="ID")
@click.option("--key", "new", required=True, metavar="KEY", help="The new private key.")
@click.option(
    "--sign-with", "old", required=True, metavar="KEY", help="The one that is registered."
)
@click.option("--kid", default="", help="Name of the new key; by default its thumbprint.")
@click.option("--old-kid", default="", help="Name of the old one, if that is not its thumbprint.")
@click.option("--from", "start", type=INSTANT, help="From when the new key counts; now.")
@click.option("--until", "end", type=INSTANT, help="Until when it counts; without it, no limit.")
@click.option(
    "--old-until",
    type=INSTANT,
    help=f"Until when the old key counts; {USUAL_OVERLAP_DAYS} days from when the new one does.",
)
@out_option
@json_option()
def announce_key(
    *,
    identifier: str,
    new: str,
    old: str,
    kid: str,
    old_kid: str,
    start: datetime | None,
    end: datetime | None,
    old_until: datetime | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Announce the next signing key of party ID, signed by the key that it has and by the new one.

    Nothing private leaves: the token holds the new public key. It counts once the operator of
    a gateway has accepted it (luxor party accept-key).
    """
    fresh, present = open_key(new, "--key", kid=kid), open_key(old, "--sign-with", kid=old_kid)
    now = datetime.now(UTC)
    begins = start or now
    try:
        announcement = msgspec.convert(
            {
                "iss": identifier,
                "iat": int(now.timestamp()),
                "replaces": present.kid,
                "kid": fresh.kid,
                "algorithm": fresh.alg,
                "public_key": fresh.public_key.pem,
                "key_from": int(begins.timestamp()),
                "key_until": None if end is None else int(end.timestamp()),
                "old_until": int(
                    (old_until or begins + timedelta(days=USUAL_OVERLAP_DAYS)).timestamp()
                ),
            },
            Announcement,
        )
        if announcement.kid == announcement.replaces:
            raise click.ClickException("--key and --sign-with are the same key")
        token = announce(announcement, old=present, new=fresh)
    except (msgspec.ValidationError, TrustError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        print(json.dumps({"token": token, **_summary(announcement)}))
        return
    write_token(token, out, note=f"key {fresh.kid} of {identifier}, once it is accepted")


@click.command(
    "accept-key",
    epilog="""\b
Examples:
    luxor party accept-key post-a.jwt
    luxor party accept-key - --registry certs/partner/registry.toml < post-a.jwt""",
)
@token_argument
@registry_option
@json_option()
def accept_key(*, source: str, file: Path, as_json: bool) -> None:
    """Write an announced key into a registry file, and when the old one ends; comments survive.

    The announcement counts only while the key that signed it does, and when the new key has
    signed it too. A running gateway takes the file over by itself; both keys count meanwhile.
    """
    token, registry = read_token(source), load(file)
    try:
        party = party_of(registry, read(token).party)
        announcement = verify(token, party, now=datetime.now(UTC))
    except TrustError as error:
        raise click.ClickException(f"{source}: {error.detail}") from error
    successor = succeed(party, announcement)
    text = _edited(file, party, successor, announcement)
    replace(file, text, expect=lambda new: _says(new, successor))
    if as_json:
        print(json.dumps(_summary(announcement)))
        return
    old = next(key for key in successor.signing_keys if key.kid == announcement.replaces)
    assert old.not_after is not None  # succeed() has set it
    print(
        f"{party.id}: key {announcement.kid} from {shown(announcement.key_from)}, "
        f"key {old.kid} until {shown(int(old.not_after.timestamp()))}"
    )


def _edited(file: Path, party: Party, successor: Party, announcement: Announcement) -> str:
    """The text of the file with the end of the old key, and the new one behind the others."""
    kids = [key.kid for key in party.signing_keys]
    at = kids.index(announcement.replaces)
    end = successor.signing_keys[at].not_after
    assert end is not None  # succeed() has set it
    name = PartyId(party.id)
    text = with_key_end(file.read_text("utf-8"), name, at, end)
    block = write_table("[[party.key]]", successor.signing_keys[-1])
    text = None if text is None else with_party_table(text, name, block)
    if text is None:
        raise click.ClickException(f"{file} is written in a way that only a person can change")
    return text


def _says(registry: Registry, successor: Party) -> bool:
    return registry.party(successor.id) == successor


def _summary(announcement: Announcement) -> dict[str, str | None]:
    until = announcement.key_until
    return {
        "party": announcement.party,
        "kid": announcement.kid,
        "replaces": announcement.replaces,
        "key_from": shown(announcement.key_from),
        "key_until": None if until is None else shown(until),
        "old_until": shown(announcement.old_until),
    }
