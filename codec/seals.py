"""Who sealed a payload: stands inside the envelope, so that nobody else can write it there.

A payload that is encrypted may still be copied out of a history and said again elsewhere. So each says whose it is:

    what a workflow sends     its workflow's id
    what an activity answers  its workflow's id and its own, which is drawn: the answer to this call, and to no other
    what a client sends       the id of the workflow that it speaks to

What is decoded carries that in its metadata, and what came in the clear a mark that it did. Both are for those who ask,
such as `answers`; converters do not look at them. Without a codec there is neither, and everything is taken.
"""

from collections.abc import Sequence

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import (
    ActivitySerializationContext,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
    PayloadConverter,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from codec.encoding import ANOTHER_KEY, IN_THE_CLEAR, KIND, SEALED_BY, answer_seal, kind_of
from codec.payload_codec import EnvelopeCodec

_NOTHING = Payload(metadata={"encoding": b"binary/null"})


class SealingCodec(PayloadCodec, WithSerializationContext):
    """An `EnvelopeCodec` that says whose a payload is, by the workflow or activity in whose context it is used."""

    def __init__(self, envelopes: EnvelopeCodec, context: SerializationContext | None = None) -> None:
        self._envelopes = envelopes
        self._context = context

    def with_context(self, context: SerializationContext) -> "SealingCodec":
        return SealingCodec(self._envelopes, context)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Seal and encrypt each; raises what `EnvelopeCodec.encode` raises."""
        return await self._envelopes.encode([_marked(payload, SEALED_BY, self._own()) for payload in payloads])

    def _own(self) -> bytes:
        if isinstance(self._context, WorkflowSerializationContext):
            return self._context.workflow_id.encode()
        if isinstance(self._context, ActivitySerializationContext):
            return answer_seal(self._context.workflow_id or "", self._context.activity_id or "")
        return b""

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt what is ours, and mark the rest; an activity reads nothing that was not sealed for it."""
        opened = await self._envelopes.decode(payloads)
        return [self._looked_at(came, found) for came, found in zip(payloads, opened, strict=True)]

    def _looked_at(self, came: Payload, found: Payload) -> Payload:
        own = found is not came and SEALED_BY in found.metadata
        if isinstance(self._context, ActivitySerializationContext):
            return found if own and self._is_for(found.metadata[SEALED_BY], self._context) else _NOTHING
        if own:
            return found
        is_others = found is came and self._envelopes.is_under_another_key(came)
        return _marked(found, IN_THE_CLEAR, ANOTHER_KEY if is_others else b"true")

    @staticmethod
    def _is_for(seal: bytes, context: ActivitySerializationContext) -> bool:
        """Whether the activity's workflow asks it, or an earlier attempt of the same activity tells how far it came."""
        asking = context.workflow_id or ""
        return seal in (asking.encode(), answer_seal(asking, context.activity_id or ""))


def _marked(payload: Payload, name: str, mark: bytes) -> Payload:
    """A copy with this mark, and no other of ours."""
    made = Payload()
    made.CopyFrom(payload)
    for own in (SEALED_BY, IN_THE_CLEAR):
        made.metadata.pop(own, None)
    made.metadata[name] = mark
    return made


class SealedFailures(DefaultFailureConverterWithEncodedAttributes):
    """Seals with a failure its kind, and whether it is final: what is done about it hangs on both."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        super().to_failure(exception, payload_converter, failure)
        if failure.HasField("application_failure_info"):
            info = failure.application_failure_info
            failure.encoded_attributes.metadata[KIND] = kind_of(info.type, final=info.non_retryable)
