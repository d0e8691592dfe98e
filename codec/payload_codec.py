"""Temporal's payloads as AES-256-GCM under data keys of KMS: the envelope, and what is no envelope of ours.

An encrypted payload holds the whole original, its metadata too. Beside it stand, in the clear and authenticated, which
KMS key wraps the data key and the wrapped data key itself.
"""

import asyncio
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from codec.data_keys import DataKey, DataKeys
from codec.encoding import ENCODING

_NONCE = 12  # bytes; drawn, as NIST SP 800-38D allows for 2^32 messages of a key
_KEY, _WRAPPED = "kms-key", "data-key"
_WRAPPED_MAX, _KEY_MAX = 6144, 2048
"""As long as KMS takes them (Decrypt, CiphertextBlob and KeyId)."""


class EnvelopeCodec(PayloadCodec):
    """Encrypts every payload. Decodes those of ours, and passes everything else on as it is.

    `decode` raises for nothing that a payload holds: what cannot be decrypted stays as it came, encoded as
    `binary/encrypted`, which no converter reads. Where KMS itself does not answer for a key of ours it raises
    botocore's error: what cannot be read only now must not be taken for what can never be read, or a replay would see
    it differently. The task is tried again.
    """

    def __init__(self, keys: DataKeys) -> None:
        self._keys = keys

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt each; raises botocore's error where KMS has never given this process a data key."""
        if not payloads:
            return []
        key = self._keys.fresh
        if key is None:
            key = await asyncio.to_thread(self._keys.current)
        return [_sealed(key, payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt what is ours."""
        if all(self._is_at_hand(payload) for payload in payloads):
            return [self.opened(payload) for payload in payloads]
        return await asyncio.to_thread(lambda: [self.opened(payload) for payload in payloads])

    def _is_at_hand(self, payload: Payload) -> bool:
        """Whether KMS need not be asked about it."""
        if not _is_sealed(payload):
            return True
        return self._keys.known(payload.metadata[_KEY].decode(errors="replace"), payload.metadata[_WRAPPED])[0]

    def is_under_another_key(self, payload: Payload) -> bool:
        """Whether it has the form of an envelope, under a key that is none of ours. May ask KMS what an alias names."""
        return _is_sealed(payload) and not self._keys.is_ours(payload.metadata[_KEY].decode(errors="replace"))

    def opened(self, payload: Payload) -> Payload:
        """What an envelope holds, or the payload as it is. May ask KMS."""
        if not _is_sealed(payload):
            return payload
        key, wrapped = payload.metadata[_KEY], payload.metadata[_WRAPPED]
        try:
            cipher = self._keys.find(key.decode(), wrapped)
            if cipher is None:
                return payload
            clear = cipher.decrypt(payload.data[:_NONCE], payload.data[_NONCE:], _bound(key, wrapped))
            return Payload.FromString(clear)
        except (InvalidTag, UnicodeDecodeError, ValueError, DecodeError):
            return payload


def _sealed(key: DataKey, payload: Payload) -> Payload:
    nonce, name = os.urandom(_NONCE), key.key.encode()
    data = nonce + key.cipher.encrypt(nonce, payload.SerializeToString(), _bound(name, key.wrapped))
    return Payload(metadata={"encoding": ENCODING, _KEY: name, _WRAPPED: key.wrapped}, data=data)


def _is_sealed(payload: Payload) -> bool:
    """Whether it has the form of an envelope; nothing else is looked at any further."""
    key, wrapped = payload.metadata.get(_KEY, b""), payload.metadata.get(_WRAPPED, b"")
    sized = 0 < len(key) <= _KEY_MAX and 0 < len(wrapped) <= _WRAPPED_MAX and len(payload.data) > _NONCE
    return payload.metadata.get("encoding") == ENCODING and sized


def _bound(key: bytes, wrapped: bytes) -> bytes:
    """What is authenticated beside the content."""
    return b"\0".join((ENCODING, key, wrapped))
