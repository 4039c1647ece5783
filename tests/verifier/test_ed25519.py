"""Ed25519 in the verifier: the vectors of others, another implementation, and what is refused though others take it."""

import hashlib
import json
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.archive import private_key
from verifier import verify

VECTORS = json.loads((Path(__file__).parents[1] / "fixtures/proof/ed25519_wycheproof.json").read_text())
#: What the keys of RFC 8032, section 7.1, begin with: tests 1, 2, 3 and 1024; and the test of SHA(abc).
RFC_8032 = ("d75a9801", "3d4017c3", "fc51cd8e", "278117fc")
KEY_OF_ABC = "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf"
SIGNATURE_OF_ABC = (
    "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
    "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"
)
PRIVATE = private_key()
PUBLIC = PRIVATE.public_key().public_bytes_raw()
MESSAGE = b"bucket/proof\n7\n"
#: The points of order 1, 2, 4 and 8, each in every encoding that some decoder takes.
SMALL = (
    *("01" + 31 * "00", "01" + 30 * "00" + "80", "ec" + 30 * "ff" + "7f", "ec" + 31 * "ff"),
    *(32 * "00", 31 * "00" + "80", "ee" + 30 * "ff" + "7f", "ee" + 31 * "ff"),
    *("ed" + 30 * "ff" + "7f", "ed" + 31 * "ff"),
    *("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03" + end for end in ("7a", "fa")),
    *("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc" + end for end in ("05", "85")),
)


def accepted_by_openssl(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def test_the_vectors_of_wycheproof_are_decided_as_they_should_be() -> None:
    decided = {
        one["about"]: verify.ed25519(*(bytes.fromhex(one[name]) for name in ("key", "message", "signature")))
        for one in VECTORS
    }
    assert len(decided) == 151
    assert decided == {one["about"]: one["valid"] for one in VECTORS}


def test_the_vectors_of_the_rfc_are_accepted() -> None:
    """All but the last are among those of Wycheproof."""
    assert all(any(one["valid"] and one["key"].startswith(begin) for one in VECTORS) for begin in RFC_8032)
    message = hashlib.sha512(b"abc").digest()
    assert verify.ed25519(bytes.fromhex(KEY_OF_ABC), message, bytes.fromhex(SIGNATURE_OF_ABC))


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 3), message=st.binary(max_size=300), bit=st.integers(0, 511))
def test_what_openssl_signs_is_accepted_and_with_one_bit_more_it_is_not(seed: int, message: bytes, bit: int) -> None:
    private = private_key(seed + 1)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert verify.ed25519(public, message, signature)
    changed = (int.from_bytes(signature, "little") ^ 1 << bit).to_bytes(64, "little")
    assert not verify.ed25519(public, message, changed)
    assert not accepted_by_openssl(public, message, changed)
    assert not verify.ed25519(public, message + b"\0", signature)


def test_a_signature_with_another_number_of_the_same_rest_is_refused() -> None:
    """S + the order fits the equation as well: without this rule anybody could make a second signature of one."""
    signature = PRIVATE.sign(MESSAGE)
    scalar = int.from_bytes(signature[32:], "little") + verify.ORDER
    assert not verify.ed25519(PUBLIC, MESSAGE, signature[:32] + scalar.to_bytes(32, "little"))


@pytest.mark.parametrize("length", [0, 1, 31, 63, 65, 128])
def test_a_signature_of_another_length_is_refused(length: int) -> None:
    assert not verify.ed25519(PUBLIC, MESSAGE, (PRIVATE.sign(MESSAGE) * 2)[:length])


@pytest.mark.parametrize("point", SMALL)
def test_a_key_of_small_order_is_refused(point: str) -> None:
    """With such a key one signature fits many messages; OpenSSL accepts some of these."""
    public = bytes.fromhex(point)
    identity = bytes.fromhex("01" + 31 * "00")
    fits = [message for number in range(20) if (message := b"%d" % number) and accepted(public, identity, message)]
    assert fits or verify.decoded(public) is None
    assert not any(verify.ed25519(public, message, identity + bytes(32)) for message in fits)


def accepted(public: bytes, encoded: bytes, message: bytes) -> bool:
    """Say whether the equation of the RFC holds for S = 0, if its conditions on points are left out."""
    key = verify.decoded(public)
    digest = int.from_bytes(hashlib.sha512(encoded + public + message).digest(), "little") % verify.ORDER
    total = verify.NEUTRAL
    for _ in range(digest % 8 if key else 0):
        total = verify.add(total, key or verify.NEUTRAL)
    return key is not None and total[0] % verify.P == 0 and (total[1] - total[2]) % verify.P == 0


@pytest.mark.parametrize("y", [verify.P, verify.P + 1, verify.P + 18, 2**255 - 1])
def test_an_encoding_that_is_not_the_shortest_is_refused(y: int) -> None:
    assert verify.decoded(y.to_bytes(32, "little")) is None
    assert not verify.ed25519(PUBLIC, MESSAGE, y.to_bytes(32, "little") + PRIVATE.sign(MESSAGE)[32:])


def test_a_signature_that_is_right_only_up_to_a_point_of_small_order_is_refused() -> None:
    """R with such a point added fits the equation that is multiplied by eight; RFC 8032 allows to take it or not."""
    nonce, secret = 1234567, 7654321
    table = verify.base_table()
    base = verify.decoded((4 * pow(5, -1, verify.P) % verify.P).to_bytes(32, "little")) or verify.NEUTRAL
    torsion = verify.decoded(bytes.fromhex(SMALL[-1])) or verify.NEUTRAL
    public = encoded(times(secret, base))
    assert len(table) == 32
    for extra, right in ((verify.NEUTRAL, True), (torsion, False)):
        first = encoded(verify.add(times(nonce, base), extra))
        digest = int.from_bytes(hashlib.sha512(first + public + MESSAGE).digest(), "little")
        scalar = (nonce + digest * secret) % verify.ORDER
        assert verify.ed25519(public, MESSAGE, first + scalar.to_bytes(32, "little")) is right


def times(number: int, point: verify.Point) -> verify.Point:
    total = verify.NEUTRAL
    for bit in f"{number:b}":
        total = verify.add(total, total)
        total = verify.add(total, point) if bit == "1" else total
    return total


def encoded(point: verify.Point) -> bytes:
    inverse = pow(point[2], -1, verify.P)
    x, y = point[0] * inverse % verify.P, point[1] * inverse % verify.P
    return (y | (x & 1) << 255).to_bytes(32, "little")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is not of the form name+id+base64"),
        ("nowhere", "--key nowhere: no key, and no file that holds one"),
        ("a+b", "is not of the form"),
        ("a+b+c", "is not of the form"),
        ("bucket/proof+00000000+AY/PKdoGt164gNf84f4R20/LKRRUQ6AXHu6SRbaEYyM0", "its id does not belong"),
        ("bucket/proof+00000000+BI/PKdoGt164gNf84f4R20/LKRRUQ6AXHu6SRbaEYyM0", "not an Ed25519 key"),
        ("bucket/proof+00000000+AQ==", "not an Ed25519 key"),
    ],
)
def test_a_key_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(verify.CannotCheckError) as raised:
        verify.Key.read(text)
    assert said in str(raised.value)


def test_a_key_with_which_anybody_could_sign_is_refused() -> None:
    body = bytes([1]) + bytes.fromhex(SMALL[0])
    key_id = hashlib.sha256(b"log\n" + body).digest()[:4]
    text = verify.Key("log", key_id, body[1:]).text
    with pytest.raises(verify.CannotCheckError, match="anybody could sign"):
        verify.Key.read(text)
