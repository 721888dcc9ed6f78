"""A gateway that takes the schema of the signature wrapping suite, from the suite's signer."""

from __future__ import annotations

import re
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.data import data_file
from tests.e2e.network import CONFIG

FORMAT = "test.declaration.1"
PARTY = "post-a"

LAYOUT = """
layout   = "test.declaration.1"
title    = "The schema of the signature wrapping suite"
standing = "made up for tests"
carries  = "GoodsDeclaration"
root     = "Declaration"

[namespaces]
default = "urn:ex:decl:1"

[document]
"." = "messages ! : declaration"

[declaration]
"@Id" = "lrn ! : text 22"
Party        = "trader_reference ! : text 35"
"Item/HS"    = "ucr ! : digits 6..10"
"Item/Value" = "invoice_total ! : money"

[money]
"."         = "amount ! : decimal 12.2"
"@currency" = "currency ! : currency"

[unsaid.declaration]
function  = "original"
type_code = "none"
"""

FORMATS = """
[limits.party]
refusals_per_minute = 10000        # each forgery leaves its own evidence

[[format]]
layout = "{folder}/test.declaration.1.toml"

[[agreement]]
name = "declarations"
purpose = "tests"
role = "backend"
kinds = ["GoodsDeclaration"]
fields = ["**"]

[[route]]
name = "declarations"
kinds = ["GoodsDeclaration"]
to = ["archive"]
"""


def signer_pem() -> str:
    """The bare public key of the suite's signer, as a registry has it."""
    certificate = x509.load_pem_x509_certificate(
        data_file("trust", "xsw", "signer.pem").read_bytes()
    )
    key = certificate.public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def registry(text: str) -> str:
    """The development registry in which that key is the post's, which must sign in XML."""
    head, *parties = re.split(r"(?m)^(?=\[\[party\]\]$)", text)
    changed = [head]
    for block in parties:
        if f'id = "{PARTY}"' in block:
            block = re.sub(r"(?m)^must_sign = .*\n", "", block)
            block = block.replace(
                f'id = "{PARTY}"\n', f'id = "{PARTY}"\nmust_sign = true\nsignatures = ["xml"]\n'
            )
            block = f'{block.rstrip()}\n\n[[party.key]]\npublic_key = """\n{signer_pem()}"""\n'
            block += f'algorithm = "RS256"\n\n[[party.grant]]\nformats = ["{FORMAT}"]\n'
            block += 'kinds = ["GoodsDeclaration"]\ncountries = ["*"]\n\n'
        changed.append(block)
    return "".join(changed)


def configured(folder: Path, certs: Path) -> str:
    """The configuration of such a gateway; its layout and registry are written."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "test.declaration.1.toml").write_text(LAYOUT, "utf-8")
    place = certs / "luxor" / "registry.toml"
    place.with_name("declarations.toml").write_text(registry(place.read_text("utf-8")), "utf-8")
    config = CONFIG.replace("registry.toml", "declarations.toml")
    return config + FORMATS.replace("{folder}", str(folder))
