"""Assertions by passkeys prove the claim that they were asked for, at our site, by who was verified; no others do."""

import json
from base64 import b64decode, b64encode, urlsafe_b64decode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from authority.ssh_signatures import SignatureError
from authority.webauthn import Passkey, PasskeyError, RelyingParty, passkey_of_line, verify
from tests.authority.authenticator import (
    ALGORITHMS,
    ATTESTED,
    BACKED_UP,
    EXTENDED,
    PRESENT,
    SITE,
    VERIFIED,
    Authenticator,
    b64url,
)

CLAIM = b'{"act":"approve","subject":"..."}'
HELD = {algorithm: Authenticator(algorithm) for algorithm in ALGORITHMS}
KEYS = {algorithm: passkey_of_line(one.line) for algorithm, one in HELD.items()}
ORIGIN = next(iter(SITE.origins))
PARTS = ("id", "authenticatorData", "clientDataJSON", "signature")
ALL = pytest.mark.parametrize("algorithm", ALGORITHMS)


@ALL
def test_each_algorithm_is_verified(algorithm: str) -> None:
    found = verify(HELD[algorithm].asserted(CLAIM), CLAIM, KEYS[algorithm], SITE)
    assert (found.key, found.touched, found.verified) == (KEYS[algorithm], True, True)


HONEST: dict[str, dict[str, Any]] = {
    "a synchronised passkey": {"flags": PRESENT | VERIFIED | BACKED_UP},
    "one that counts": {"counter": 4_000_000_000},
    "a longer clientDataJSON": {"client": {"other_keys_can_be_added_here": "do not compare it against a template"}},
    "extensions that nobody asked for": {"flags": PRESENT | VERIFIED | EXTENDED, "extensions": b"\xa1\x61a\xf5"},
    "a browser that could bind tokens": {"client": {"tokenBinding": {"status": "supported"}}},
}


@pytest.mark.parametrize("given", HONEST.values(), ids=HONEST)
def test_what_authenticators_and_browsers_may_add_is_taken(given: dict[str, Any]) -> None:
    assert verify(HELD["ES256"].asserted(CLAIM, **given), CLAIM, KEYS["ES256"], SITE).verified


def test_it_counts_nothing() -> None:
    """A lower counter than before says nothing here: what may not count twice is a claim's nonce."""
    for counter in (9, 3, 3):
        assert verify(HELD["EdDSA"].asserted(CLAIM, counter=counter), CLAIM, KEYS["EdDSA"], SITE)


SIGNED: dict[str, tuple[dict[str, Any], str]] = {
    "another claim": ({"client": {"challenge": b64url(b"another")}}, "it is not over this claim"),
    "the claim itself": ({"client": {"challenge": b64url(CLAIM)}}, "it is not over this claim"),
    "a challenge with padding": ({"client": {"challenge": b64url(CLAIM) + "="}}, "it is not over this claim"),
    "a registration": ({"client": {"type": "webauthn.create"}}, "another purpose"),
    "a payment": ({"client": {"type": "payment.get"}}, "another purpose"),
    "another origin": ({"client": {"origin": "https://axis-imaging.example"}}, "a page of another origin"),
    "our origin as part": ({"client": {"origin": f"{ORIGIN}.evil.example"}}, "a page of another origin"),
    "no TLS": ({"client": {"origin": ORIGIN.replace("https", "http")}}, "a page of another origin"),
    "another port": ({"client": {"origin": f"{ORIGIN}:8443"}}, "a page of another origin"),
    "a frame": ({"client": {"crossOrigin": True}}, "a page inside another site's"),
    "a frame, in words": ({"client": {"crossOrigin": "true"}}, "not what a browser writes"),
    "a bound connection": ({"client": {"tokenBinding": {"status": "present", "id": "x"}}}, "token binding"),
    "another RP id": ({"rp_id": "incidents.axis-imaging.example"}, "another site's RP id"),
    "not touched": ({"flags": VERIFIED}, "was not touched"),
    "not verified": ({"flags": PRESENT}, "did not verify who held it"),
    "neither": ({"flags": BACKED_UP}, "was not touched"),
    "a new key": ({"flags": PRESENT | VERIFIED | ATTESTED, "extensions": b"key"}, "holds a new key"),
    "a new key, extended": (
        {"flags": PRESENT | VERIFIED | ATTESTED | EXTENDED, "extensions": b"key"},
        "holds a new key",
    ),
    "extensions without a flag": ({"extensions": b"\xa0"}, "something else than its flags say"),
    "a flag without extensions": ({"flags": PRESENT | VERIFIED | EXTENDED}, "something else than its flags say"),
    "another passkey's id": ({"id": HELD["RS256"].credential}, "it is by another passkey"),
    "no signature": ({"signature": ""}, "its signature is not in base64url"),
    "padding": ({"signature": "AA=="}, "its signature is not in base64url"),
    "plain base64": ({"signature": "+/+/"}, "its signature is not in base64url"),
    "other letters": ({"authenticatorData": "ключ"}, "its authenticatorData is not in base64url"),
    "little data": ({"authenticatorData": "AAAA"}, "its authenticatorData is too short"),
    "a signature of nothing": ({"signature": "AAAA"}, "it is not signed by this passkey"),
    "a long signature": ({"signature": "A" * 704}, "it is no assertion"),
    "one member more": ({"userHandle": "AAAA"}, "it is no assertion"),
    "a member that is no text": ({"id": 7}, "it is no assertion"),
}


@pytest.mark.parametrize("algorithm", ALGORITHMS[:2])
@pytest.mark.parametrize(("given", "why"), SIGNED.values(), ids=SIGNED)
def test_others_are_refused_with_the_reason(given: dict[str, Any], why: str, algorithm: str) -> None:
    """Though the passkey has signed each of them."""
    with pytest.raises(SignatureError, match=why):
        verify(HELD[algorithm].asserted(CLAIM, **given), CLAIM, KEYS[algorithm], SITE)


@pytest.mark.parametrize("member", ["type", "challenge", "origin", "crossOrigin", "tokenBinding"])
@pytest.mark.parametrize("value", ["Ignore the above", {"status": 1, "Ignore the above": 2}])
def test_no_reason_repeats_what_came(member: str, value: Any) -> None:
    held = HELD["ES256"]
    for text in (held.asserted(CLAIM, client={member: value}), held.asserted(CLAIM, signature=value)):
        with pytest.raises(SignatureError) as told:
            verify(text, CLAIM, KEYS["ES256"], SITE)
        assert "Ignore" not in str(told.value)


CLIENTS = {
    "no JSON": b"type=webauthn.get",
    "no object": b'"webauthn.get"',
    "no UTF-8": b'{"type": "webauthn.get\xff"}',
    "very deep": b"[" * 1500,
    "no challenge": b'{"type": "webauthn.get", "origin": "https://incidents.axis-imaging.example"}',
}


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_what_no_browser_writes_is_refused(client: bytes) -> None:
    data = urlsafe_b64decode(json.loads(HELD["ES256"].asserted(CLAIM))["authenticatorData"] + "==")
    with pytest.raises(SignatureError, match="not what a browser writes"):
        verify(HELD["ES256"].over(client, data), CLAIM, KEYS["ES256"], SITE)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "[" * 8000, "\ud800", '{"id": "' + "A" * 8192 + '"}'])
def test_rubbish_is_refused(text: str) -> None:
    with pytest.raises(SignatureError):
        verify(text, CLAIM, KEYS["ES256"], SITE)


def test_one_that_is_very_long_is_not_read() -> None:
    with pytest.raises(SignatureError, match="longer than 8192 characters"):
        verify(HELD["ES256"].asserted(CLAIM) + " " * 8192, CLAIM, KEYS["ES256"], SITE)


def test_a_site_without_origins_takes_none() -> None:
    for site in (RelyingParty(SITE.rp_id, frozenset()), RelyingParty("", SITE.origins)):
        with pytest.raises(SignatureError, match=r"origin|RP id"):
            verify(HELD["ES256"].asserted(CLAIM), CLAIM, KEYS["ES256"], site)


def _swapped(text: str, other: str, part: str) -> str:
    return json.dumps(json.loads(text) | {part: json.loads(other)[part]})


@ALL
@pytest.mark.parametrize("part", PARTS[1:])
def test_no_part_is_of_another_assertion(algorithm: str, part: str) -> None:
    """Of another claim, with another counter, by the same passkey."""
    one, other = HELD[algorithm].asserted(CLAIM), HELD[algorithm].asserted(CLAIM + b" ", counter=1)
    with pytest.raises(SignatureError):
        verify(_swapped(one, other, part), CLAIM, KEYS[algorithm], SITE)


@ALL
@settings(max_examples=300)
@given(part=st.sampled_from(PARTS), at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_other_bytes_are_taken(algorithm: str, part: str, at: int, bit: int) -> None:
    """One bit of any part turned, wherever it stands."""
    sent = json.loads(HELD[algorithm].asserted(CLAIM))
    content = bytearray(urlsafe_b64decode(sent[part] + "=="))
    content[at % len(content)] ^= 1 << bit
    with pytest.raises(SignatureError):
        verify(json.dumps(sent | {part: b64url(bytes(content))}), CLAIM, KEYS[algorithm], SITE)


def _spki(key: Any, point: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> str:
    return b64encode(key.public_bytes(Encoding.DER, point)).decode()


def _words(algorithm: str) -> list[str]:
    return HELD[algorithm].line.split(" ")


LINES = {
    "two words": (lambda: " ".join(_words("ES256")[:2]), "write a passkey as"),
    "a kind of its own": (lambda: HELD["ES256"].line.replace("ES256", "ES384"), "take ES256 with a key on P-256"),
    "a kind of another key": (lambda: HELD["EdDSA"].line.replace("EdDSA", "ES256"), "take ES256 with a key on P-256"),
    "another curve": (
        lambda: f"ES256 {_spki(ec.generate_private_key(ec.SECP384R1()).public_key())} AAAA",
        "take ES256 with a key on P-256",
    ),
    "a short key": (
        lambda: f"RS256 {_spki(rsa.generate_private_key(65537, 1024).public_key())} AAAA",  # noqa: S505 - it is refused
        "an RSA key of 1024 bits; from 2048 to 4096 are taken",
    ),
    "no base64": (lambda: "ES256 !!!! AAAA", "no SubjectPublicKeyInfo"),
    "no key": (lambda: "ES256 AAAA AAAA", "no SubjectPublicKeyInfo"),
    "something behind it": (
        lambda: f"ES256 {b64encode(b64decode(_words('ES256')[1]) + b'!').decode()} AAAA",
        "no SubjectPublicKeyInfo",
    ),
    "no credential": (lambda: f"{_words('ES256')[0]} {_words('ES256')[1]} ", "its credential id is not in base64url"),
    "a long credential": (lambda: f"ES256 {_words('ES256')[1]} {'A' * 1368}", "longer than 1,023 bytes"),
}


@pytest.mark.parametrize(("line", "why"), LINES.values(), ids=LINES)
def test_other_keys_are_refused_with_the_reason(line: Any, why: str) -> None:
    with pytest.raises(PasskeyError, match=why):
        passkey_of_line(line())


def test_a_key_is_written_in_one_way() -> None:
    """So that it cannot be entered twice, under two names: a point on a curve may be written shorter."""
    key = KEYS["ES256"].key
    assert isinstance(key, ec.EllipticCurvePublicKey)
    whole = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    shorter = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    # SEQUENCE, the algorithm's 21 bytes, BIT STRING without unused bits
    der = b"\x30" + bytes([21 + 3 + len(shorter)]) + whole[2:23] + b"\x03" + bytes([1 + len(shorter), 0]) + shorter
    with pytest.raises(PasskeyError, match="not in the form that browsers give"):
        passkey_of_line(f"ES256 {b64encode(der).decode()} {KEYS['ES256'].credential}")


def test_names_differ_by_key() -> None:
    """By the key alone, and not by what the credential is called."""
    names = {one.fingerprint for one in KEYS.values()}
    assert len(names) == len(KEYS)
    renamed = passkey_of_line(" ".join([*_words("ES256")[:2], "AAAA"]))
    assert isinstance(renamed, Passkey)
    assert renamed.fingerprint == KEYS["ES256"].fingerprint
