"""The registry: read, checked, written, changed in place."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.trust.town import LONG, POST, USUAL, Town
from trust.authority import generate_key, issue_root, issue_signing
from trust.certificates import pem_of
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import KeySigner, PrivateKey, public_key_pem, signing_key
from trust.members import Grant, Party, PartyLimits
from trust.party import Registry, RegistryError
from trust.registry_write import with_suspended, write_party

KEY_PEM = public_key_pem(generate_key("Ed25519"))
SIGNING = generate_key("Ed25519")
OTHER_PEM = public_key_pem(generate_key("P-256"))
TOML = """\
version = 7

[[authority]]
id = "luxor"
certificates = ["chain.pem"]
crls = ["root.crl", "issuing.crl"]

# The first of them all.
[[party]]
id = "post-a"
name = "Post \\"A\\" \\u00e9"
roles = ["post", "declarant"]
country = "FR"
operators = ["FRA"]
authorities = ["luxor"]
certificates = ["leaf.pem"]
must_sign = true
all_or_nothing = true
speaks = ["upu.itmatt.2", "upu.cusrsp.1"]
limits = { requests_per_second = 0.5, burst = 100 }

[party.severities]
"s10.check-digit" = "warning"

[[party.key]]
kid = "k1"
public_key = "key.pub"
not_before = 2026-01-01T00:00:00Z
not_after = 2027-01-01T00:00:00+01:00

[[party.grant]]
formats = ["upu.*"]
kinds = ["ItemDeclaration"]
countries = ["*"]
on_behalf_of = ["post-*"]

[[party]]
id = "post-b"
"""


@pytest.fixture(scope="module")
def files(luxor: Town) -> dict[str, bytes]:
    """What the text names."""
    return {
        "chain.pem": "".join(luxor.authority.certificates).encode(),
        "root.pem": luxor.authority.certificates[0].encode(),
        "leaf.pem": pem_of(luxor.certificate()).encode(),
        "key.pub": KEY_PEM,
        "other.pub": OTHER_PEM,
        "signing.pem": pem_of(signing(luxor, SIGNING)).encode(),
        "unfit.pem": pem_of(signing(luxor, ec.generate_private_key(ec.SECP521R1()))).encode(),
        "rubbish": b"rubbish",
    }


def signing(town: Town, key: PrivateKey) -> x509.Certificate:
    """The certificate of post-a's signing key."""
    return issue_signing(
        key.public_key(), issuer=town.issuing, name="x", party=POST, validity=USUAL
    )


class Files:
    """A reader over a mapping that fails as a file system does."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def __call__(self, name: str) -> bytes:
        if name not in self._files:
            raise FileNotFoundError(2, "No such file or directory")
        return self._files[name]


def mistakes(text: str, files: dict[str, bytes]) -> list[str]:
    """Everything that is wrong with a text."""
    with pytest.raises(RegistryError) as caught:
        Registry.from_toml(text, Files(files))
    return [str(mistake) for mistake in caught.value.mistakes]


def test_everything_that_a_text_says_is_read(files: dict[str, bytes], luxor: Town) -> None:
    registry = Registry.from_toml(TOML, Files(files))

    post = registry.party(PartyId("post-a"))
    assert registry.version == 7
    assert registry.authorities["luxor"] == luxor.authority
    assert registry.crls() == ("root.crl", "issuing.crl")
    assert post.name == 'Post "A" é'
    assert post.roles == {"post", "declarant"}
    assert (post.country, post.operators) == ("FR", ("FRA",))
    assert ("upu.itmatt.2", "upu.cusrsp.1") == post.speaks
    assert (post.must_sign, post.all_or_nothing, post.suspended) == (True, True, False)
    assert post.severities == {"s10.check-digit": "warning"}
    assert post.limits == PartyLimits(requests_per_second=0.5, burst=100)
    assert [(key.kid, key.algorithm) for key in post.signing_keys] == [("k1", "Ed25519")]
    assert post.grants == (
        Grant(
            formats=("upu.*",),
            kinds=("ItemDeclaration",),
            countries=("*",),
            on_behalf_of=("post-*",),
        ),
    )


def test_a_certificate_in_a_file_is_pinned_by_its_thumbprint(files: dict[str, bytes]) -> None:
    registry = Registry.from_toml(TOML, Files(files))
    (thumbprint,) = registry.party(PartyId("post-a")).thumbprints

    pinned = registry.pinned(thumbprint)

    assert pinned is not None
    assert pinned.id == "post-a"


CERTIFIED = TOML.replace('public_key = "key.pub"', 'certificate = "signing.pem"')
LIMITS = "not_before = 2026-01-01T00:00:00Z\nnot_after = 2027-01-01T00:00:00+01:00\n"


def test_a_key_is_taken_out_of_its_certificate_with_its_validity(files: dict[str, bytes]) -> None:
    registry = Registry.from_toml(CERTIFIED.replace(LIMITS, ""), Files(files))

    assert registry.party(POST).signing_keys == (
        signing_key(
            public_key_pem(SIGNING),
            kid="k1",
            not_before=USUAL.not_before,
            not_after=USUAL.not_after,
        ),
    )


def test_times_that_a_key_row_says_go_before_its_certificates(files: dict[str, bytes]) -> None:
    (key,) = Registry.from_toml(CERTIFIED, Files(files)).party(POST).signing_keys

    (bare,) = Registry.from_toml(TOML, Files(files)).party(POST).signing_keys
    assert (key.not_before, key.not_after) == (bare.not_before, bare.not_after)


def test_a_signing_certificate_may_stand_in_the_text(files: dict[str, bytes]) -> None:
    inline = f'"""\n{files["signing.pem"].decode()}"""'
    text = CERTIFIED.replace('"signing.pem"', inline)

    assert Registry.from_toml(text, Files(files)).party(POST).signing_keys == (
        Registry.from_toml(CERTIFIED, Files(files)).party(POST).signing_keys
    )


KEY_MISTAKES = {
    "neither": ("", "public_key: missing; write public_key or certificate"),
    "both": (
        'public_key = "key.pub"\ncertificate = "signing.pem"',
        "certificate: there is a public_key already; write one of the two",
    ),
    "no such file": (
        'certificate = "gone.pem"',
        "certificate: cannot read 'gone.pem': No such file or directory",
    ),
    "no certificate": ('certificate = "key.pub"', "certificate: not a PEM certificate"),
    "a TLS certificate": (
        'certificate = "leaf.pem"',
        "certificate: it is a TLS certificate; a party signs with another key",
    ),
    "an authority's": (
        'certificate = "root.pem"',
        "certificate: it is the certificate of an authority",
    ),
    "a key that is not taken": (
        'certificate = "unfit.pem"',
        "certificate: a key is EC P-256 or P-384, Ed25519, or RSA of 2048 to 8192 bits",
    ),
    "an algorithm that does not fit": (
        'certificate = "signing.pem"\nalgorithm = "ES256"',
        "certificate: the key does not fit ES256",
    ),
}


@pytest.mark.parametrize(("row", "mistake"), KEY_MISTAKES.values(), ids=KEY_MISTAKES)
def test_a_mistake_in_a_key_is_named(files: dict[str, bytes], row: str, mistake: str) -> None:
    text = f'[[party]]\nid = "post-a"\n[[party.key]]\n{row}\n'

    assert mistakes(text, files) == [f"party[0].key[0].{mistake}"]


def test_a_signing_certificate_of_another_party_is_a_mistake(files: dict[str, bytes]) -> None:
    text = '[[party]]\nid = "post-b"\n[[party.key]]\ncertificate = "signing.pem"\n'

    assert mistakes(text, files) == [
        "party[0].key[0].certificate: this certificate is that of 'post-a'"
    ]


def test_toml_written_is_toml_read_without_any_other_file(files: dict[str, bytes]) -> None:
    registry = Registry.from_toml(TOML, Files(files))

    again = Registry.from_toml(registry.to_toml(), Files({}))

    assert registry.to_json() == again.to_json()


def test_json_written_is_json_read(files: dict[str, bytes]) -> None:
    registry = Registry.from_toml(TOML, Files(files))

    assert registry.to_json() == Registry.from_json(registry.to_json()).to_json()


@given(
    name=st.text(max_size=140),
    roles=st.frozensets(st.from_regex("[a-z][a-z0-9.-]{0,9}", fullmatch=True)),
)
def test_any_name_survives_toml(name: str, roles: frozenset[str]) -> None:
    party = Party(id=PartyId("p"), name=name, roles=roles)
    registry = Registry(parties=[party])

    assert Registry.from_toml(registry.to_toml(), Files({})).party(PartyId("p")) == party


def test_a_party_that_is_not_there_is_unknown() -> None:
    with pytest.raises(TrustError, match=r"party\.unknown"):
        Registry().party(PartyId("nobody"))


def test_a_change_makes_a_new_registry_one_version_on() -> None:
    old = Registry(parties=[Party(id=PartyId("a"))], version=3)

    new = old.with_party(Party(id=PartyId("a"), suspended=True))

    assert (old.version, new.version) == (3, 4)
    assert not old.parties[PartyId("a")].suspended
    assert new.parties[PartyId("a")].suspended


def test_all_mistakes_of_form_are_found_at_once(files: dict[str, bytes]) -> None:
    text = """\
version = "one"
colour = "red"

[[authority]]
id = "luxor"
certificates = ["gone.pem", "rubbish"]

[[party]]
id = "Post A"
country = "france"
role = "post"

[[party.key]]
public_key = "rubbish"
colour = "blue"

[[party.key]]
public_key = "key.pub"
algorithm = "HS256"

[[party.grant]]
formats = ["a b"]

[[party]]
name = "no id"
key = "key.pub"
"""

    found = mistakes(text, files)

    assert [line.split(":")[0] for line in found] == [
        "colour",
        "version",
        "authority[0].certificates[0]",
        "authority[0].certificates[1]",
        "party[0].key[0].colour",
        "party[0].key[1].public_key",
        "party[0].grant[0].formats",
        "party[0].id",
        "party[0].country",
        "party[0].role",
        "party[1].key",
        "party[1].id",
    ]


def test_a_text_that_is_not_toml_is_one_mistake(files: dict[str, bytes]) -> None:
    (found,) = mistakes("[[party", files)

    assert found.startswith("not TOML: ")


def test_a_naive_time_is_a_mistake(files: dict[str, bytes]) -> None:
    text = TOML.replace("2026-01-01T00:00:00Z", "2026-01-01T00:00:00")

    assert [line.split(":")[0] for line in mistakes(text, files)] == ["party[0].key[0].not_before"]


CONTRADICTIONS = {
    "party twice": ('[[party]]\nid = "a"\n' * 2, "party[1].id"),
    "authority twice": (
        '[[authority]]\nid = "l"\ncertificates = ["chain.pem"]\n' * 2,
        "authority[1].id",
    ),
    "unknown authority": ('[[party]]\nid = "a"\nauthorities = ["l"]\n', "party[0].authorities[0]"),
    "root missing": ('[[authority]]\nid = "l"\ncertificates = []\n', "authority[0].certificates"),
    "a leaf for an authority": (
        '[[authority]]\nid = "l"\ncertificates = ["root.pem", "leaf.pem"]\n',
        "authority[0].certificates[1]",
    ),
    "one CA for two authorities": (
        (
            '[[authority]]\nid = "l"\ncertificates = ["chain.pem"]\n'
            '[[authority]]\nid = "m"\ncertificates = ["root.pem"]\n'
        ),
        "authority[1].certificates[0]",
    ),
    "a certificate of two parties": (
        (
            '[[party]]\nid = "a"\ncertificates = ["leaf.pem"]\n'
            '[[party]]\nid = "b"\ncertificates = ["leaf.pem"]\n'
        ),
        "party[1].thumbprints[0]",
    ),
    "a key of two parties": (
        (
            '[[party]]\nid = "a"\n[[party.key]]\npublic_key = "key.pub"\nkid = "x"\n'
            '[[party]]\nid = "b"\n[[party.key]]\npublic_key = "key.pub"\nkid = "y"\n'
        ),
        "party[1].key[0].public_key",
    ),
    "two keys of one name": (
        (
            '[[party]]\nid = "a"\n[[party.key]]\npublic_key = "key.pub"\nkid = "x"\n'
            '[[party.key]]\npublic_key = "other.pub"\nkid = "x"\n'
        ),
        "party[0].key[1].kid",
    ),
    "a key that ends before it begins": (
        (
            '[[party]]\nid = "a"\n[[party.key]]\npublic_key = "key.pub"\n'
            "not_before = 2026-02-01T00:00:00Z\nnot_after = 2026-01-01T00:00:00Z\n"
        ),
        "party[0].key[0].not_after",
    ),
    "must sign without a key": ('[[party]]\nid = "a"\nmust_sign = true\n', "party[0].must_sign"),
}


@pytest.mark.parametrize(("text", "path"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_rows_that_contradict_each_other_are_mistakes(
    files: dict[str, bytes], text: str, path: str
) -> None:
    assert [line.split(":")[0] for line in mistakes(text, files)] == [path]


def test_a_good_key_may_have_two_names_at_one_party() -> None:
    keys = tuple(signing_key(KEY_PEM, kid=kid) for kid in ("old", "new"))

    assert Registry(parties=[Party(id=PartyId("a"), signing_keys=keys)]).version == 1


@pytest.mark.parametrize("document", [b"", b"{}", b'{"version":1,"x":1}', b"[]", b"\xff"])
def test_a_document_that_is_no_registry_is_refused(document: bytes) -> None:
    with pytest.raises(RegistryError):
        Registry.from_json(document)


def test_a_stored_document_is_checked_again() -> None:
    document = b'{"version":1,"parties":[{"id":"a","authorities":["gone"]}]}'

    with pytest.raises(RegistryError, match="no authority 'gone'"):
        Registry.from_json(document)


def test_suspending_changes_one_line(files: dict[str, bytes]) -> None:
    text = with_suspended(TOML, PartyId("post-a"), suspended=True)

    assert text == TOML.replace('id = "post-a"\n', 'id = "post-a"\nsuspended = true\n')


def test_resuming_gives_back_the_text(files: dict[str, bytes]) -> None:
    suspended = with_suspended(TOML, PartyId("post-b"), suspended=True)
    assert suspended is not None
    assert Registry.from_toml(suspended, Files(files)).party(PartyId("post-b")).suspended

    assert with_suspended(suspended, PartyId("post-b"), suspended=False) == TOML


def test_suspending_twice_is_suspending_once() -> None:
    once = with_suspended(TOML, PartyId("post-a"), suspended=True)
    assert once is not None

    assert with_suspended(once, PartyId("post-a"), suspended=True) == once


def test_a_party_that_is_not_in_the_text_cannot_be_suspended() -> None:
    assert with_suspended(TOML, PartyId("post-z"), suspended=True) is None
    assert with_suspended(TOML, PartyId("luxor"), suspended=True) is None


def test_the_last_line_may_lack_its_end() -> None:
    text = with_suspended('[[party]]\nid = "a"', PartyId("a"), suspended=True)

    assert text is not None
    assert Registry.from_toml(text, Files({})).party(PartyId("a")).suspended


def test_a_party_appended_to_a_text_is_read_with_it(files: dict[str, bytes]) -> None:
    signer = KeySigner(generate_key("P-256"))
    added = Party(
        id=PartyId("shop"),
        signing_keys=(signing_key(signer.public_pem),),
        severities={"a.b": "error"},
        limits=PartyLimits(requests_per_second=2.5, burst=3, connections=4, concurrent=5),
        signatures=("xml", "jws"),
        grants=(Grant(formats=("luxor.*",)),),
    )

    registry = Registry.from_toml(f"{TOML}\n{write_party(added)}", Files(files))

    assert registry.party(PartyId("shop")) == added


@pytest.mark.parametrize("forms", ["[]", '["jws", "jws"]', '["pgp"]', '"xml"'])
def test_the_forms_of_signatures_are_some_of_those_there_are(forms: str) -> None:
    with pytest.raises(RegistryError, match=r"party\[0\]\.signatures|party\[0\]"):
        Registry.from_toml(f'[[party]]\nid = "a"\nsignatures = {forms}\n', Files({}))


def test_a_self_signed_authority_needs_no_intermediate(luxor: Town) -> None:
    root = issue_root(luxor.key, name="flat", validity=LONG)
    text = f'[[authority]]\nid = "flat"\ncertificates = ["""\n{pem_of(root.certificate)}"""]\n'

    registry = Registry.from_toml(text, Files({}))

    assert [*registry.authorities] == ["flat"]


def test_the_older_key_for_one_spoken_format_is_still_read() -> None:
    text = '[[party]]\nid = "a"\nanswer_format = "upu.cusrsp.1"\n'

    registry = Registry.from_toml(text, Files({}))

    assert ("upu.cusrsp.1",) == registry.party(PartyId("a")).speaks
    assert 'speaks = ["upu.cusrsp.1"]' in registry.to_toml()


def test_a_registry_that_was_stored_with_the_older_key_keeps_what_it_says() -> None:
    stored = b"""{"version": 3, "parties": [
        {"id": "a", "answer_format": "upu.cusrsp.1"}, {"id": "b"}, {"id": "c", "speaks": ["x.1"]}
    ]}"""

    registry = Registry.from_json(stored)

    assert [("upu.cusrsp.1",), (), ("x.1",)] == [p.speaks for p in registry.parties.values()]
    assert registry.to_json() == Registry.from_json(registry.to_json()).to_json()


@pytest.mark.parametrize(
    ("row", "mistake"),
    [
        ('speaks = ["a.1", "b.1", "a.1"]', "party[0].speaks[2]: 'a.1' is there already"),
        ('speaks = ["a.1"]\nanswer_format = "b.1"', "party[0].answer_format: speaks says it"),
        ('speaks = ["A *"]', "party[0].speaks: "),
        ('speaks = "a.1"', "party[0].speaks: "),
    ],
)
def test_a_mistake_in_what_a_party_speaks_is_named(row: str, mistake: str) -> None:
    (found,) = mistakes(f'[[party]]\nid = "a"\n{row}\n', {})

    assert found.startswith(mistake)
