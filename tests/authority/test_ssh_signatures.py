"""Signatures by the system's `ssh-keygen` prove what they were made over, and nothing else does."""

import subprocess
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authority.ssh_keys import SK_ED25519, SK_P256, SshKey, SshKeyError, key_of_line
from authority.ssh_signatures import SignatureError, verify
from tests.authority.signing import TOUCHED, TOUCHED_AND_VERIFIED, Token, armoured, generated, public, signed

CLAIM = b'{"act":"approve","subject":"..."}'
KINDS = {"ed25519": 0, "ecdsa": 256, "rsa": 3072}
TOKENS = (SK_ED25519, SK_P256)


class Signature(NamedTuple):
    key: SshKey
    text: str


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def files(folder: Path) -> dict[str, Path]:
    return {kind: generated(folder, kind, bits) for kind, bits in KINDS.items()}


@pytest.fixture(scope="module")
def signatures(files: dict[str, Path]) -> dict[str, Signature]:
    """One of each kind over the claim."""
    found = {kind: Signature(public(file), signed(file, CLAIM)) for kind, file in files.items()}
    tokens = {kind: Token(kind) for kind in TOKENS}
    return found | {kind: Signature(one.key, one.signed(CLAIM, TOUCHED)) for kind, one in tokens.items()}


ALL = pytest.mark.parametrize("kind", [*KINDS, *TOKENS])


@ALL
def test_each_kind_is_verified(signatures: dict[str, Signature], kind: str) -> None:
    key, text = signatures[kind]
    found = verify(text, CLAIM, key)
    told = (True, False) if kind in TOKENS else (None, None)
    assert (found.key, found.touched, found.verified) == (key, *told)


@ALL
def test_another_claim_or_key_is_not(signatures: dict[str, Signature], kind: str) -> None:
    key, text = signatures[kind]
    with pytest.raises(SignatureError, match="not over this claim"):
        verify(text, CLAIM + b" ", key)
    for other, (another, _) in signatures.items():
        if other != kind:
            with pytest.raises(SignatureError, match="by another key: SHA256:"):
                verify(text, CLAIM, another)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_signed_for_something_else_is_no_claim(files: dict[str, Path], kind: str) -> None:
    with pytest.raises(SignatureError, match="another purpose: sign with -n incident-claim"):
        verify(signed(files[kind], CLAIM, "git"), CLAIM, public(files[kind]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_shorter_hash_of_ssh_keygen_is_taken(files: dict[str, Path], kind: str) -> None:
    text = signed(files[kind], CLAIM, "incident-claim", "-O", "hashalg=sha256")
    assert verify(text, CLAIM, public(files[kind])).key == public(files[kind])


@pytest.mark.parametrize("kind", TOKENS)
@pytest.mark.parametrize("flags", [0x00, 0x04, 0xFE])
def test_a_token_that_nobody_touched_proves_nothing(kind: str, flags: int) -> None:
    """`ssh-keygen -Y verify` calls such a signature good."""
    token = Token(kind)
    with pytest.raises(SignatureError, match="was not touched"):
        verify(token.signed(CLAIM, flags), CLAIM, token.key)
    assert verify(token.signed(CLAIM, TOUCHED_AND_VERIFIED), CLAIM, token.key).verified is True


def test_ssh_keygen_agrees(folder: Path, signatures: dict[str, Signature]) -> None:
    """What a stranger checks with OpenSSH alone is what we check."""
    allowed, file = folder / "allowed", folder / "claim.sig"
    for kind, (key, text) in signatures.items():
        line = f"{key.kind} {_base64(key)}"
        allowed.write_text(f"responder {line}\n")
        file.write_text(text)
        run = ["ssh-keygen", "-Y", "verify", "-f", str(allowed), "-I", "responder", "-n", "incident-claim"]
        done = subprocess.run([*run, "-s", str(file)], check=False, input=CLAIM, capture_output=True)
        assert done.returncode == 0, (kind, done.stderr)


def _base64(key: SshKey) -> str:
    return "".join(armoured(key.blob).splitlines()[1:-1])


@ALL
@settings(max_examples=400)
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_other_bytes_are_taken(signatures: dict[str, Signature], kind: str, at: int, bit: int) -> None:
    """One bit of the signature turned, wherever it stands."""
    key, text = signatures[kind]
    blob = bytearray(_blob(text))
    blob[at % len(blob)] ^= 1 << bit
    with pytest.raises(SignatureError):
        verify(armoured(bytes(blob)), CLAIM, key)


@ALL
@settings(max_examples=200)
@given(cut=st.integers(0, 10_000), more=st.binary(max_size=6), at=st.integers(0, 10_000))
def test_none_is_longer_or_shorter(signatures: dict[str, Signature], kind: str, cut: int, more: bytes, at: int) -> None:
    key, text = signatures[kind]
    blob = _blob(text)
    shorter, longer = blob[: cut % len(blob)], blob[: at % len(blob)] + b"!" + more + blob[at % len(blob) :]
    for changed in (shorter, longer):
        with pytest.raises(SignatureError):
            verify(armoured(changed), CLAIM, key)


@settings(max_examples=300)
@given(text=st.text(max_size=200) | st.binary(max_size=200).map(armoured))
def test_rubbish_is_refused(signatures: dict[str, Signature], text: str) -> None:
    with pytest.raises(SignatureError):
        verify(text, CLAIM, signatures["ed25519"].key)


def _blob(text: str) -> bytes:
    return b64decode("".join(text.splitlines()[1:-1]))


REFUSED = {
    "ssh-dss AAAAB3NzaC1kc3MAAAABAA==": "its kind is 'ssh-dss'",
    "ssh-ed25519 no base64": "write a public key as its .pub file has it",
    "": "write a public key|it ends too early",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAAQA=": "this is no public key that is taken",
}


@pytest.mark.parametrize(("line", "why"), REFUSED.items())
def test_other_keys_are_refused_with_the_reason(line: str, why: str) -> None:
    with pytest.raises(SshKeyError, match=why):
        key_of_line(line)


def weak(folder: Path) -> Iterator[tuple[str, int, str]]:
    yield "rsa", 2048, "an RSA key of 2048 bits; from 3072 bits on it is taken"
    yield "ecdsa", 384, "its kind is 'ecdsa-sha2-nistp384'"


def test_weak_keys_and_other_curves_are_refused(folder: Path) -> None:
    for kind, bits, why in weak(folder):
        with pytest.raises(SshKeyError, match=why):
            public(generated(folder, kind, bits))


def test_a_line_says_what_it_is(files: dict[str, Path]) -> None:
    line = files["ed25519"].with_name("ed25519.pub").read_text()
    assert key_of_line(line).fingerprint in _listed(files["ed25519"])
    with pytest.raises(SshKeyError, match="it says 'ssh-rsa' and is ssh-ed25519"):
        key_of_line(line.replace("ssh-ed25519", "ssh-rsa", 1))


def _listed(file: Path) -> str:
    return subprocess.run(["ssh-keygen", "-l", "-f", file], check=True, capture_output=True).stdout.decode()
