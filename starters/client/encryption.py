"""What Temporal carries, for people at a command: encrypted where INCIDENT_CODEC_KEY names KMS keys, and read again."""

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from codec.encoding import ENCODING
from starters.errors import RefusedError

if TYPE_CHECKING:
    from codec.payload_codec import EnvelopeCodec

_VARIABLE = "INCIDENT_CODEC_KEY"


def codec() -> PayloadCodec:
    """The codec of the settings. KMS is not asked for anything until there is something to encrypt or decrypt."""
    keys = _keys()
    return _Keyed(keys) if keys else _Unkeyed()


def opened() -> Callable[[Payload], Payload]:
    """What decodes a payload by the keys of the settings. Raises `UsageError` without any."""
    keys = _keys()
    if not keys:
        raise click.UsageError(f"set {_VARIABLE} to the KMS key to decrypt with")
    return _envelope(keys).opened


def _keys() -> list[str]:
    return [key.strip() for key in os.environ.get(_VARIABLE, "").split(",") if key.strip()]


def _envelope(keys: list[str]) -> "EnvelopeCodec":
    from codec.data_keys import DataKeys
    from codec.payload_codec import EnvelopeCodec
    from starters.client.aws_session import kms

    return EnvelopeCodec(DataKeys(kms(keys[0]), keys))


class _Unkeyed(PayloadCodec):
    """Encrypts nothing, and says so where it meets something encrypted."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raises `RefusedError` for what is encrypted."""
        _refuse_sealed(payloads, f"set {_VARIABLE} to the KMS key of this namespace")
        return list(payloads)


class _Keyed(PayloadCodec):
    """Encrypts and decrypts with the caller's own AWS credentials; loads what that takes when it is asked to.

    Where KMS does not answer, or denies, what is said goes out in the clear, with a warning: a page is acknowledged and
    an incident declared while AWS is in trouble too. What comes in encrypted is refused then.
    """

    def __init__(self, keys: list[str]) -> None:
        self._keys = keys
        self._codec: PayloadCodec | None = None

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        if not payloads:
            return []
        try:
            return await (await self._own()).encode(payloads)
        except Exception as error:  # noqa: BLE001 - `_told` raises what is not AWS's
            click.echo(f"Warning: not encrypted, as {_told(error, 'asking KMS for a data key')}", err=True)
            return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raises `RefusedError` for what cannot be decrypted."""
        if not any(payload.metadata.get("encoding") == ENCODING for payload in payloads):
            return list(payloads)
        try:
            found = await (await self._own()).decode(payloads)
        except Exception as error:
            raise RefusedError(_told(error, "asking KMS to decrypt what Temporal has")) from error
        _refuse_sealed(found, f"{_VARIABLE} names no key that it is encrypted under")
        return found

    async def _own(self) -> PayloadCodec:
        if self._codec is None:
            self._codec = await asyncio.to_thread(_envelope, self._keys)
        return self._codec


def _refuse_sealed(payloads: Sequence[Payload], why: str) -> None:
    if any(payload.metadata.get("encoding") == ENCODING for payload in payloads):
        raise RefusedError(f"what Temporal has is encrypted: {why}")


def _told(error: Exception, doing: str) -> str:
    """An error of AWS in one line; raises any other."""
    from starters.client.aws_session import told

    return told(error, doing)
