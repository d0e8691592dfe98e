"""The codec of a worker's payloads, with a data key in hand before it serves anything."""

import asyncio

from activities.action import Clients
from activities.aws.shared.error_mapping import as_application_error
from codec.data_keys import DataKeys
from codec.payload_codec import EnvelopeCodec
from domain.config.environment import Environment
from worker.errors import SettingsError, StartError


def refuse_in_the_clear(keys: tuple[str, ...], environment: Environment) -> None:
    """Raise `SettingsError` for a worker without a key, but in a sandbox: Temporal would carry all in the clear."""
    if environment.kind != "sandbox" and not keys:
        raise SettingsError(
            f"INCIDENT_CODEC_KEY: {environment.name} is {environment.kind}: name the KMS key to encrypt with"
        )


async def codec_of(keys: tuple[str, ...], clients: Clients) -> EnvelopeCodec:
    """The codec under these KMS keys (`kms:GenerateDataKey`).

    Raises `StartError` where KMS gives no data key: such a worker could not answer anything.
    """
    own = DataKeys(clients.client("kms"), keys)
    try:
        await asyncio.to_thread(own.current)
    except Exception as error:
        told = as_application_error(error, f"asking KMS for a data key of {keys[0]}").message
        raise StartError(f"INCIDENT_CODEC_KEY: {told}") from error
    return EnvelopeCodec(own)
