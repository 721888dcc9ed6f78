"""A token that goes away, comes back, or refuses its PIN."""

from __future__ import annotations

import ctypes
import threading
from pathlib import Path

import pkcs11
import pytest
from joserfc.jws import JWSRegistry

from gateway.core.errors import Unavailable
from gateway.keys.device import Modules
from gateway.keys.errors import KeyUnusable
from gateway.keys.opening import Providers
from gateway.keys.ring import OwnSigner
from tests.gateway.keys.fake_token import MODULE, PIN, FakeModule, FakeToken
from trust.keys import PrivateKey

KEY = f"pkcs11:token=luxor;object=P-256?module-path={MODULE}&pin-source=env:PIN"


@pytest.fixture
def signer(providers: Providers) -> OwnSigner:
    return providers.open(KEY)


def good(signer: OwnSigner) -> bool:
    model = JWSRegistry.algorithms[signer.alg]
    return bool(model.verify(b"message", signer.sign(b"message"), signer.public_key.key))


def test_a_lost_session_is_opened_anew(signer: OwnSigner, module: FakeModule) -> None:
    module.token.lose_sessions()

    assert good(signer)
    assert module.token.pins == [PIN, PIN]


def test_a_token_that_is_pulled_is_unavailable_until_it_is_back(
    signer: OwnSigner, module: FakeModule
) -> None:
    module.present = False

    with pytest.raises(Unavailable, match="token of the signing key"):
        signer.sign(b"message")

    module.present = True
    module.token.lose_sessions()
    assert good(signer)


def test_a_token_that_only_a_new_start_of_the_module_finds_is_found(
    signer: OwnSigner, module: FakeModule
) -> None:
    module.token.lose_sessions()
    module.needs_start = True

    assert good(signer)
    assert module.starts == 1


@pytest.mark.parametrize(
    "error",
    [
        pkcs11.DeviceError,
        pkcs11.GeneralError,
        pkcs11.KeyHandleInvalid,
        pkcs11.UserNotLoggedIn,
        pkcs11.SessionClosed,
        pkcs11.HostMemory,
    ],
)
def test_a_call_that_fails_once_is_made_again(
    signer: OwnSigner, module: FakeModule, error: type[pkcs11.PKCS11Error]
) -> None:
    module.token.fails = [error()]

    assert good(signer)


def test_a_device_that_goes_on_failing_is_unavailable(
    signer: OwnSigner, module: FakeModule
) -> None:
    module.token.fails = [pkcs11.DeviceError(), pkcs11.DeviceError()]

    with pytest.raises(Unavailable, match="DeviceError"):
        signer.sign(b"message")
    assert good(signer)


def test_a_wrong_pin_stops_the_opening_and_is_not_repeated_in_the_error(
    providers: Providers, module: FakeModule
) -> None:
    with pytest.raises(KeyUnusable, match="does not take the PIN: PinIncorrect") as refused:
        providers.open(KEY.replace("env:PIN", "env:WRONG"))

    assert "13579" not in str(refused.value)
    assert module.token.pins == ["13579"]


def test_a_pin_that_was_changed_is_tried_once_and_not_until_the_token_locks(
    signer: OwnSigner, module: FakeModule
) -> None:
    module.token.pin = "another"
    module.token.lose_sessions()

    for _ in range(5):
        with pytest.raises(Unavailable, match="not tried again"):
            signer.sign(b"message")

    assert module.token.pins == [PIN, PIN]


def test_without_a_pin_the_private_key_is_not_seen(providers: Providers) -> None:
    with pytest.raises(KeyUnusable, match="without a PIN"):
        providers.open(f"pkcs11:object=P-256?module-path={MODULE}")


def test_the_public_half_may_be_missing_for_rsa_alone(
    providers: Providers, module: FakeModule, keys: dict[str, PrivateKey]
) -> None:
    module.token.objects.clear()
    module.token.put(keys["RSA-2048"], label="bare-rsa", public=False)
    module.token.put(keys["P-256"], label="bare-ec", id_=b"\7", public=False)

    assert good(providers.open(KEY.replace("P-256", "bare-rsa")))
    with pytest.raises(KeyUnusable, match="no public key beside it"):
        providers.open(KEY.replace("P-256", "bare-ec"))


def test_a_public_half_that_is_another_keys_is_found_out(
    providers: Providers, module: FakeModule
) -> None:
    from trust.authority import generate_key

    module.token.objects.clear()
    module.token.put(generate_key("P-256"), label="P-256")
    private = module.token.objects[0]
    module.token.objects.clear()
    module.token.put(generate_key("P-256"), label="P-256")
    module.token.objects[0] = private

    with pytest.raises(KeyUnusable, match="does not fit its public key"):
        providers.open(KEY)


@pytest.mark.parametrize(
    ("attribute", "value", "says"),
    [
        (pkcs11.Attribute.SIGN, False, "may not sign"),
        (pkcs11.Attribute.ALWAYS_AUTHENTICATE, True, "its PIN for each signature"),
    ],
)
def test_a_key_that_cannot_serve_is_refused_at_the_start(
    providers: Providers,
    module: FakeModule,
    attribute: pkcs11.Attribute,
    value: object,
    says: str,
) -> None:
    module.token.objects[0][attribute] = value

    with pytest.raises(KeyUnusable, match=says):
        providers.open(KEY)


def test_several_keys_of_one_label_need_the_id(
    providers: Providers, module: FakeModule, keys: dict[str, PrivateKey]
) -> None:
    module.token.put(keys["P-384"], label="P-256", id_=b"\x09")

    with pytest.raises(KeyUnusable, match="several private keys fit"):
        providers.open(KEY)
    assert providers.open(KEY.replace("P-256", "P-256;id=%09")).alg == "ES384"


def test_several_tokens_of_one_label_need_the_serial(
    providers: Providers, module: FakeModule, keys: dict[str, PrivateKey]
) -> None:
    second = FakeToken(module, "luxor", b"0002")
    second.put(keys["P-384"], label="P-256")
    module.tokens.append(second)

    with pytest.raises(KeyUnusable, match="several tokens fit"):
        providers.open(KEY)
    assert providers.open(KEY.replace("token=luxor", "serial=0002")).alg == "ES384"
    assert providers.open(KEY.replace("token=luxor", "slot-id=0")).alg == "ES256"


@pytest.mark.parametrize("other", ["token=other", "serial=9", "manufacturer=x", "model=y"])
def test_what_names_no_token_finds_none(providers: Providers, other: str) -> None:
    with pytest.raises(KeyUnusable, match="TokenNotPresent"):
        providers.open(KEY.replace("token=luxor", other))


def test_a_module_that_is_not_there_is_named(providers: Providers) -> None:
    with pytest.raises(KeyUnusable, match=r"/nowhere/else\.so"):
        providers.open(KEY.replace(MODULE, "/nowhere/else.so"))


def test_nobody_is_in_the_module_twice_at_once(providers: Providers, module: FakeModule) -> None:
    # Two signers, one module: PKCS #11 without locks of its own bears one call at a time.
    signers = [providers.open(KEY), providers.open(KEY.replace("P-256", "P-384"))]
    threads = [
        threading.Thread(target=lambda s=signer: [s.sign(b"m") for _ in range(30)])
        for signer in signers * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert not module.crowded
    assert module.token.signed == 2 + 4 * 30


def test_another_signer_of_the_token_is_logged_in_with_the_first(
    providers: Providers, module: FakeModule
) -> None:
    providers.open(KEY)
    providers.open(KEY.replace("P-256", "P-384"))

    assert module.token.pins == [PIN]


def test_sessions_that_a_softhsm_closes_are_opened_anew(softhsm: str, tmp_path: Path) -> None:
    signer = Providers(folder=tmp_path, environ={"PIN": PIN}).open(KEY.replace(MODULE, softhsm))
    before = signer.sign(b"message")
    slots = [slot.slot_id for slot in pkcs11.lib(softhsm).get_slots(token_present=True)]
    library = ctypes.CDLL(softhsm)

    closed = [library.C_CloseAllSessions(ctypes.c_ulong(slot)) for slot in slots]

    assert closed == [0] * len(slots)
    model = JWSRegistry.algorithms["ES256"]
    for signature in (before, signer.sign(b"message")):
        assert model.verify(b"message", signature, signer.public_key.key)


def test_a_softhsm_does_not_take_a_wrong_pin(softhsm: str, tmp_path: Path) -> None:
    # A process of its own would be logged in by nobody else: the login belongs to the process.
    for slot in pkcs11.lib(softhsm).get_slots(token_present=True):
        ctypes.CDLL(softhsm).C_CloseAllSessions(ctypes.c_ulong(slot.slot_id))

    with pytest.raises(KeyUnusable, match="PinIncorrect"):
        Providers(folder=tmp_path, environ={"PIN": "13579"}).open(KEY.replace(MODULE, softhsm))


def test_without_the_extra_the_package_to_install_is_named(tmp_path: Path) -> None:
    def absent() -> Modules:
        raise KeyUnusable("keys on tokens need python-pkcs11")

    with pytest.raises(KeyUnusable, match="python-pkcs11"):
        Providers(folder=tmp_path, environ={"PIN": PIN}, modules=absent).open(KEY)
