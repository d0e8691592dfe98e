"""How everything of ours speaks to Temporal where payloads are encrypted: one place for workers and the command."""

import dataclasses

from temporalio.converter import DataConverter, PayloadCodec

from codec.payload_codec import EnvelopeCodec
from codec.seals import SealedFailures, SealingCodec


def encrypted(plain: DataConverter, codec: PayloadCodec | None) -> DataConverter:
    """The converter with a codec, if one is given: failures are encoded too, as are summaries, memos and heartbeats.

    Names, ids and search attributes are not: Temporal works with them.
    """
    if codec is None:
        return plain
    sealing = SealingCodec(codec) if isinstance(codec, EnvelopeCodec) else codec
    return dataclasses.replace(plain, payload_codec=sealing, failure_converter_class=SealedFailures)
