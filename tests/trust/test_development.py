"""The development network: complete, accepted by TLS, kept while it is good, renewed in time."""

from __future__ import annotations

import posixpath
import ssl
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key

from tests.trust.town import DAY, NOW
from trust.authenticator import Authenticator
from trust.certificates import check_signing, load_certificates
from trust.development import development_network, revoke
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import KeySigner
from trust.mistakes import RegistryError
from trust.party import Registry
from trust.profile import default_profile, read_profile
from trust.revocation import Revocations

ROOT = Path(__file__).parents[2]
PROFILE = read_profile(default_profile())
MADE = development_network(PROFILE, now=NOW)
LUXOR = ("gateway-lx", "post-a", "platform-shop", "customs-risk")
PARTNER = ("gateway-pn", "customs-pn", "customs-pn-risk", "post-b")


def gate(files: dict[str, bytes], network: str) -> Authenticator:
    """The authenticator that a gateway of the network would have."""

    def read(name: str) -> bytes:
        return files[posixpath.normpath(f"{network}/{name}")]

    registry = Registry.from_toml(read("registry.toml").decode(), read)
    lists = Revocations.from_files(
        registry.authorities.values(), {name: read(name) for name in registry.crls()}
    )
    assert lists.problems == ()
    return Authenticator(registry, lists)


def leaf(files: dict[str, bytes], network: str, party: str) -> bytes:
    """The certificate that the party shows."""
    pem = files[f"{network}/parties/{party}/tls.pem"]
    return load_certificates(pem)[0].public_bytes(Encoding.DER)


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> set[str]:
    """Which files are not what they were."""
    return {path for path, content in after.items() if before.get(path) != content}


@pytest.mark.parametrize(
    ("network", "party"),
    [*(("luxor", party) for party in LUXOR), *(("partner", party) for party in PARTNER)],
)
def test_every_party_is_known_at_home(network: str, party: str) -> None:
    assert gate(MADE, network).identify(leaf(MADE, network, party), now=NOW).party == party


@pytest.mark.parametrize(
    ("at", "network", "party"),
    [("luxor", "partner", "gateway-pn"), ("partner", "luxor", "gateway-lx")],
)
def test_each_gateway_is_an_administration_at_the_other(at: str, network: str, party: str) -> None:
    identity = gate(MADE, at).identify(leaf(MADE, network, party), now=NOW)

    assert identity.party == party
    assert identity.roles == {"administration"}


@pytest.mark.parametrize(
    ("at", "network", "party"), [("luxor", "partner", "post-b"), ("partner", "luxor", "post-a")]
)
def test_the_others_of_one_network_are_strangers_in_the_other(
    at: str, network: str, party: str
) -> None:
    with pytest.raises(TrustError, match=r"party\.unknown"):
        gate(MADE, at).identify(leaf(MADE, network, party), now=NOW)


def test_every_party_has_the_signing_key_that_the_registry_knows() -> None:
    authenticator = gate(MADE, "luxor")

    for party in LUXOR:
        signer = KeySigner.from_pem(MADE[f"luxor/parties/{party}/signing.key"])
        assert [*authenticator.keys(PartyId(party))] == [signer.kid]


def test_the_platform_must_sign_with_ed25519() -> None:
    registry = gate(MADE, "luxor").registry
    platform = registry.party(PartyId("platform-shop"))

    assert platform.must_sign
    assert [key.algorithm for key in platform.signing_keys] == ["Ed25519"]


def signing(files: dict[str, bytes], network: str, party: str) -> x509.Certificate:
    """The certificate of the key with which the party signs."""
    return x509.load_pem_x509_certificate(files[f"{network}/parties/{party}/signing.pem"])


@pytest.mark.parametrize("party", ["post-a", "platform-shop"])
def test_every_signing_key_has_a_certificate_of_the_issuing_authority(party: str) -> None:
    certificate = signing(MADE, "luxor", party)

    tls = load_certificates(MADE[f"luxor/parties/{party}/tls.pem"])[0]
    certificate.verify_directly_issued_by(load_certificates(MADE["luxor/issuing.pem"])[0])
    assert check_signing(certificate) == party
    assert certificate.public_key() == load_pem_public_key(
        MADE[f"luxor/parties/{party}/signing.pub"]
    )
    assert certificate.not_valid_before_utc == tls.not_valid_before_utc
    assert certificate.not_valid_after_utc == tls.not_valid_after_utc


def test_a_registry_may_name_the_signing_certificate_instead_of_the_key() -> None:
    path = "luxor/registry.toml"
    text = MADE[path].replace(
        b'public_key = "parties/post-a/signing.pub"', b'certificate = "parties/post-a/signing.pem"'
    )
    assert text != MADE[path]

    (key,) = gate({**MADE, path: text}, "luxor").registry.party(PartyId("post-a")).signing_keys

    assert key.kid == KeySigner.from_pem(MADE["luxor/parties/post-a/signing.key"]).kid
    assert key.not_after == signing(MADE, "luxor", "post-a").not_valid_after_utc


def context(files: dict[str, bytes], tmp_path: Path, party: str, *, server: bool) -> ssl.SSLContext:
    """What the party would use for TLS, with its own network's root."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(cadata=files["luxor/root.pem"].decode())
    for name in ("tls.pem", "tls.key"):
        (tmp_path / f"{party}-{name}").write_bytes(files[f"luxor/parties/{party}/{name}"])
    made.load_cert_chain(tmp_path / f"{party}-tls.pem", tmp_path / f"{party}-tls.key")
    return made


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_tls_1_3_with_client_certificate_succeeds_for_every_host(tmp_path: Path, host: str) -> None:
    today = development_network(PROFILE, now=datetime.now(UTC))  # OpenSSL looks at the real clock
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context(today, tmp_path, "post-a", server=False).wrap_bio(
        to_client, to_server, server_hostname=host
    )
    server = context(today, tmp_path, "gateway-lx", server=True).wrap_bio(
        to_server, to_client, server_side=True
    )

    waiting = {client, server}
    for _ in range(8):
        for side in tuple(waiting):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.discard(side)

    assert not waiting
    assert server.getpeercert(binary_form=True) == leaf(today, "luxor", "post-a")
    assert client.getpeercert(binary_form=True) == leaf(today, "luxor", "gateway-lx")
    assert client.version() == "TLSv1.3"


def test_making_it_again_changes_nothing() -> None:
    assert development_network(PROFILE, now=NOW + DAY, existing=MADE) == MADE


def test_a_missing_certificate_is_made_again_and_nothing_else() -> None:
    path = "luxor/parties/post-a/tls.pem"
    without = {name: content for name, content in MADE.items() if name != path}

    again = development_network(PROFILE, now=NOW, existing=without)

    assert changed(MADE, again) == {path, "luxor/parties/post-a/tls.key"}


def test_lists_are_renewed_before_they_run_out() -> None:
    later = NOW + 25 * DAY

    again = development_network(PROFILE, now=later, existing=MADE)

    assert changed(MADE, again) == {
        f"{network}/crl/{role}.crl"
        for network in ("luxor", "partner")
        for role in ("root", "issuing")
    }
    at = later + 10 * DAY
    assert gate(again, "luxor").identify(leaf(again, "luxor", "post-a"), now=at).party == "post-a"


def test_certificates_are_renewed_before_they_expire() -> None:
    again = development_network(PROFILE, now=NOW + 70 * DAY, existing=MADE)

    assert {"luxor/parties/post-a/tls.pem", "partner/parties/post-b/tls.key"} <= changed(
        MADE, again
    )
    assert not {"luxor/root.pem", "luxor/parties/post-a/signing.key"} & changed(MADE, again)


def test_a_signing_certificate_is_renewed_over_the_same_key() -> None:
    path = "luxor/parties/platform-shop/signing.pem"

    again = development_network(PROFILE, now=NOW + 70 * DAY, existing=MADE)

    old, new = signing(MADE, "luxor", "platform-shop"), signing(again, "luxor", "platform-shop")
    assert path in changed(MADE, again)
    assert new.public_key() == old.public_key()
    assert new.not_valid_after_utc > old.not_valid_after_utc


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"rubbish",
        MADE["luxor/parties/post-a/tls.pem"],
        MADE["luxor/parties/gateway-lx/signing.pem"],
        MADE["partner/parties/post-b/signing.pem"],
        MADE["luxor/root.pem"],
    ],
    ids=["none", "rubbish", "TLS", "another party's", "another network's", "a root"],
)
def test_a_signing_certificate_that_does_not_serve_is_replaced_alone(content: bytes) -> None:
    path = "luxor/parties/post-a/signing.pem"

    again = development_network(PROFILE, now=NOW, existing={**MADE, path: content})

    assert changed(MADE, again) == {path}
    assert check_signing(signing(again, "luxor", "post-a")) == "post-a"


def test_a_new_signing_key_gets_a_new_certificate() -> None:
    at = "luxor/parties/post-a"
    without = {name: content for name, content in MADE.items() if name != f"{at}/signing.key"}

    again = development_network(PROFILE, now=NOW, existing=without)

    assert changed(MADE, again) == {f"{at}/signing.{end}" for end in ("key", "pub", "pem")}
    assert signing(again, "luxor", "post-a").public_key() == load_pem_public_key(
        again[f"{at}/signing.pub"]
    )


def test_a_new_root_takes_everything_below_it_along() -> None:
    without = {name: content for name, content in MADE.items() if name != "luxor/root.pem"}

    again = development_network(PROFILE, now=NOW, existing=without)

    assert gate(again, "luxor").identify(leaf(again, "luxor", "post-a"), now=NOW).party == "post-a"
    assert {
        "luxor/issuing.pem",
        "luxor/crl/issuing.crl",
        "luxor/parties/post-a/signing.pem",
    } <= changed(MADE, again)
    assert not {path for path in changed(MADE, again) if path.startswith("partner/")}


@pytest.mark.parametrize("content", [b"", b"rubbish", MADE["partner/root.pem"]])
def test_a_root_that_does_not_serve_is_replaced(content: bytes) -> None:
    again = development_network(PROFILE, now=NOW, existing={**MADE, "luxor/root.pem": content})

    assert gate(again, "luxor").identify(leaf(again, "luxor", "post-a"), now=NOW).party == "post-a"


def test_authorities_are_renewed_while_they_outlive_what_they_issue() -> None:
    again = development_network(PROFILE, now=NOW + 660 * DAY, existing=MADE)

    assert {"luxor/root.pem", "luxor/issuing.pem"} <= changed(MADE, again)


def test_other_hosts_in_the_profile_make_other_certificates() -> None:
    tls = msgspec.structs.replace(PROFILE.tls, hosts=("gateway.example",))
    profile = msgspec.structs.replace(PROFILE, tls=tls)

    again = development_network(profile, now=NOW, existing=MADE)

    names = x509.load_pem_x509_certificate(again["luxor/parties/post-a/tls.pem"])
    san = names.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert san.get_values_for_type(x509.DNSName) == ["gateway.example"]


def test_a_revoked_party_is_refused_and_the_others_are_not() -> None:
    files = MADE | revoke(MADE, network="luxor", party="post-a", profile=PROFILE, now=NOW)

    with pytest.raises(TrustError, match=r"certificate\.revoked"):
        gate(files, "luxor").identify(leaf(files, "luxor", "post-a"), now=NOW)
    other = gate(files, "luxor").identify(leaf(files, "luxor", "gateway-lx"), now=NOW)
    assert other.party == "gateway-lx"


def test_a_revoked_certificate_stays_revoked_through_renewals() -> None:
    files = MADE | revoke(MADE, network="luxor", party="post-a", profile=PROFILE, now=NOW)
    later = NOW + 25 * DAY

    again = development_network(PROFILE, now=later, existing=files)

    with pytest.raises(TrustError, match=r"certificate\.revoked"):
        gate(again, "luxor").identify(leaf(again, "luxor", "post-a"), now=later)


def test_revoking_two_parties_keeps_both_and_numbers_the_lists() -> None:
    files = MADE
    for party in ("post-a", "customs-risk", "post-a"):
        files = files | revoke(files, network="luxor", party=party, profile=PROFILE, now=NOW)

    crl = x509.load_pem_x509_crl(files["luxor/crl/issuing.crl"])
    assert len(crl) == 2
    number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    assert number == 4


def test_revoking_without_the_authoritys_list_is_refused() -> None:
    foreign = MADE | {"luxor/crl/issuing.crl": MADE["partner/crl/issuing.crl"]}

    with pytest.raises(TrustError, match="not this authority's list"):
        revoke(foreign, network="luxor", party="post-a", profile=PROFILE, now=NOW)


def test_what_an_operator_changed_in_the_registry_stays() -> None:
    text = MADE["luxor/registry.toml"].replace(b'id = "post-a"', b'id = "post-a"\nsuspended = true')

    again = development_network(PROFILE, now=NOW, existing={**MADE, "luxor/registry.toml": text})

    assert again["luxor/registry.toml"] == text


def test_a_party_that_the_registry_lacks_is_added_to_it() -> None:
    text = MADE["luxor/registry.toml"].decode()
    start, end = text.index('[[party]]\nid = "post-a"'), text.index('[[party]]\nid = "platform')
    shorter = (text[:start] + text[end:]).encode()

    again = development_network(PROFILE, now=NOW, existing={**MADE, "luxor/registry.toml": shorter})

    assert again["luxor/registry.toml"].startswith(shorter)
    assert gate(again, "luxor").identify(leaf(again, "luxor", "post-a"), now=NOW).party == "post-a"


def test_the_committed_profile_is_the_one_that_comes_with_the_package() -> None:
    assert (ROOT / "certs" / "profile.toml").read_text("utf-8") == default_profile()


def test_all_mistakes_of_a_profile_are_found_at_once() -> None:
    text = """\
colour = "red"
[validity]
crl_days = 0
[tls]
key = "Ed25519"
[[network]]
id = "a"
title = "A"
[[network.party]]
id = "p"
signing = "HS256"
[[network.party]]
id = "q"
[[network.party]]
id = "q"
[[network.visitor]]
party = "x"
network = "b"
[[network]]
id = "a"
"""
    with pytest.raises(RegistryError) as caught:
        read_profile(text)

    assert [mistake.path for mistake in caught.value.mistakes] == [
        "colour",
        "validity.crl_days",
        "network[0].party[0].signing",
        "network[1].title",
        "network[0].party[1].id",
        "network[0].visitor[0].party",
        "tls.key",
    ]
