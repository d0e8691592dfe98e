"""What Temporal carries, for people at a command: encrypted where INCIDENT_CODEC_KEY names KMS keys, and read again."""

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import PayloadCodec

from codec.encoding import ENCODING, IN_THE_CLEAR, SEALED_BY
from starters.errors import RefusedError

if TYPE_CHECKING:
    from codec.payload_codec import EnvelopeCodec

_VARIABLE = "INCIDENT_CODEC_KEY"
_ENDPOINT, _TOKEN = "TEMPORAL_CODEC_ENDPOINT", "TEMPORAL_CODEC_AUTH"  # as the temporal command has them
_SECONDS = 10


def codec() -> PayloadCodec:
    """The codec of the settings. KMS is not asked for anything until there is something to encrypt or decrypt."""
    if keys := _keys():
        return Keyed(keys)
    endpoint = os.environ.get(_ENDPOINT)
    return _Remote(endpoint.rstrip("/"), os.environ.get(_TOKEN, "")) if endpoint else _Unkeyed()


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
        _refuse_sealed(payloads, f"set {_VARIABLE} to the KMS key of this namespace, or {_ENDPOINT}")
        return list(payloads)


class _Remote(PayloadCodec):
    """Has a codec server decrypt, for people without AWS credentials; what they say goes out in the clear."""

    def __init__(self, endpoint: str, authorization: str) -> None:
        self._endpoint, self._authorization = endpoint, authorization

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raises `RefusedError` where the server does not answer, or refuses; `POST /decode`."""
        if not any(payload.metadata.get("encoding") == ENCODING for payload in payloads):
            return list(payloads)
        found = await asyncio.to_thread(self._decoded, payloads)
        _refuse_sealed(found, f"{self._endpoint} cannot decrypt it")
        return found

    def _decoded(self, payloads: Sequence[Payload]) -> list[Payload]:
        import requests
        from google.protobuf.json_format import MessageToDict, Parse, ParseError

        headers = {"Authorization": self._authorization} if self._authorization else {}
        asked = MessageToDict(Payloads(payloads=payloads))
        try:
            answer = requests.post(f"{self._endpoint}/decode", json=asked, headers=headers, timeout=_SECONDS)
            answer.raise_for_status()
            return list(Parse(answer.content, Payloads()).payloads)
        except requests.HTTPError as error:
            raise RefusedError(f"{self._endpoint} does not decrypt: HTTP {error.response.status_code}") from error
        except (requests.RequestException, ParseError) as error:
            raise RefusedError(f"{self._endpoint} does not decrypt ({type(error).__name__})") from error


class Keyed(PayloadCodec):
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
        """Decrypt what is ours, and mark what none of our workflows has sealed, as workers do.

        Raises `RefusedError` for what cannot be decrypted.
        """
        found = list(payloads)
        if any(payload.metadata.get("encoding") == ENCODING for payload in payloads):
            try:
                found = await (await self._own()).decode(payloads)
            except Exception as error:
                raise RefusedError(_told(error, "asking KMS to decrypt what Temporal has")) from error
            _refuse_sealed(found, f"{_VARIABLE} names no key that it is encrypted under")
        return [_marked(one, was) for one, was in zip(found, payloads, strict=True)]

    async def _own(self) -> PayloadCodec:
        if self._codec is None:
            self._codec = await asyncio.to_thread(_envelope, self._keys)
        return self._codec


def _marked(found: Payload, came: Payload) -> Payload:
    """What was decrypted, and says inside who sealed it, as it is; else a copy that says of itself that it does not."""
    if came.metadata.get("encoding") == ENCODING and SEALED_BY in found.metadata:
        return found
    made = Payload()
    made.CopyFrom(found)
    made.metadata.pop(SEALED_BY, None)
    made.metadata[IN_THE_CLEAR] = b"true"
    return made


def _refuse_sealed(payloads: Sequence[Payload], why: str) -> None:
    if any(payload.metadata.get("encoding") == ENCODING for payload in payloads):
        raise RefusedError(f"what Temporal has is encrypted: {why}")


def _told(error: Exception, doing: str) -> str:
    """An error of AWS in one line; raises any other."""
    from starters.client.aws_session import told

    return told(error, doing)
