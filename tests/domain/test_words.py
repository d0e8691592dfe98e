"""A digest in four words: the same everywhere, others for other 44 bits, and none of a plan that was altered."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.values.word_list import WORDS
from domain.values.words import in_words
from tests.domain.changing import plan

PUBLISHED = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"
"""SHA-256 of BIP-39's `english.txt`."""

DIGESTS = st.binary(min_size=32, max_size=32)


def first_bits(digest: bytes) -> str:
    return "".join(f"{byte:08b}" for byte in digest)[:44]


def bits_of(words: str) -> str:
    return "".join(f"{WORDS.index(word):011b}" for word in words.split(" "))


def test_the_list_is_the_published_one() -> None:
    assert hashlib.sha256("".join(f"{word}\n" for word in WORDS).encode()).hexdigest() == PUBLISHED
    assert len(set(WORDS)) == 2048


@pytest.mark.parametrize(
    ("digest", "words"),
    [
        ("0" * 64, "abandon abandon abandon abandon"),
        ("f" * 64, "zoo zoo zoo zoo"),
        ("8" + "0" * 63, "length abandon abandon abandon"),
        ("0" * 10 + "1" + "f" * 53, "abandon abandon abandon ability"),
        ("0" * 11 + "f" * 53, "abandon abandon abandon abandon"),
        ("00200400801" + "0" * 53, "ability ability ability ability"),
        # BIP-39 takes eleven bits for a word too, so its test vectors begin as ours
        ("9e885d952ad362caeb4efe34a8e91bd2" + "0" * 32, "ozone drill grab fiber"),
        ("77c2b00716cec7213839159e404db50d" + "0" * 32, "jelly better achieve collect"),
        ("0460ef47585604c5660618db2e6a7e7f" + "0" * 32, "afford alter spike radar"),
    ],
)
def test_words_of_a_digest(digest: str, words: str) -> None:
    assert in_words(digest) == in_words(digest.upper()) == words


@given(DIGESTS)
def test_words_and_the_first_44_bits_say_the_same(digest: bytes) -> None:
    """The one gives the other, both ways, as a second and simpler statement of the rule has it."""
    assert bits_of(in_words(digest.hex())) == first_bits(digest)


@given(DIGESTS, DIGESTS, st.booleans())
def test_two_digests_have_the_same_words_for_the_same_44_bits_alone(one: bytes, other: bytes, alike: bool) -> None:
    if alike:
        other = one[:5] + bytes([one[5] & 0xF0 | other[5] & 0x0F]) + other[6:]
    assert (in_words(one.hex()) == in_words(other.hex())) is (first_bits(one) == first_bits(other))


@pytest.mark.parametrize("text", ["", "0" * 11, "0" * 63, "0" * 62, "0" * 66, "g" * 64, "0x" + "0" * 62])
def test_what_is_no_sha_256_has_no_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"SHA-256|fromhex"):
        in_words(text)


def test_a_plan_has_the_words_of_its_digest() -> None:
    sealed = plan()
    assert sealed.words == in_words(sealed.digest)


@pytest.mark.parametrize(
    "changed",
    [
        {"action": "test.scale"},
        {"target": "another"},
        {"summary": "nothing much"},
        {"after": {"revision": 6}},
        {"impact": "none at all"},
        {"locks": ()},
        {"context": {"more": 1}},
        {"digest": "0" * 64},
        {"digest": ""},
    ],
)
def test_a_plan_that_is_not_of_its_digest_has_none(changed: dict[str, Any]) -> None:
    """Whatever field is another: the digest beside it is not believed. Sealed anew, its words are others."""
    altered = plan().model_copy(update=changed)
    assert altered.words is None
    assert altered.sealed().words == (plan().words if "digest" in changed else in_words(altered.sealed().digest))
    assert (altered.sealed().words == plan().words) is ("digest" in changed)
