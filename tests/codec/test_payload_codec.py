"""Payloads are encrypted under data keys of KMS; what is no envelope of ours passes as it is, and never as ours."""

import asyncio
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes

from codec import data_keys
from codec.converter import encrypted
from codec.data_keys import DataKeys
from codec.encoding import ENCODING
from codec.payload_codec import EnvelopeCodec
from codec.seals import SealingCodec
from tests.codec.kms import CountedKms

HOUR = 3600.0
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'{"by": "cto"}')


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def kms() -> Iterator[CountedKms]:
    with mock_aws():
        yield CountedKms()


@pytest.fixture(autouse=True)
def counted(kms: CountedKms) -> None:
    kms.calls.clear()
    kms.away = kms.denies = False


def codec(kms: CountedKms, *keys: str, clock: Clock | None = None) -> EnvelopeCodec:
    return EnvelopeCodec(DataKeys(kms, keys or ("alias/new",), clock or Clock()))


def encoded(by: EnvelopeCodec, *payloads: Payload) -> list[Payload]:
    return asyncio.run(by.encode(payloads))


def decoded(by: EnvelopeCodec, payloads: Sequence[Payload]) -> list[Payload]:
    return asyncio.run(by.decode(payloads))


@given(st.binary(max_size=2000), st.dictionaries(st.text(max_size=20), st.binary(max_size=50), max_size=4))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_encoded_is_decoded_by_whoever_may_ask_kms(
    kms: CountedKms, data: bytes, metadata: dict[str, bytes]
) -> None:
    """Another process reads it; nothing of it can be seen, and no two encodings are alike."""
    payload = Payload(metadata=metadata, data=data)
    one = codec(kms)
    first, second = encoded(one, payload, payload)
    assert first.data != second.data
    assert len(data) < 8 or data not in first.data
    assert first.metadata["encoding"] == ENCODING
    assert decoded(codec(kms), [first, second]) == [payload, payload]


def test_kms_is_asked_once_for_many(kms: CountedKms) -> None:
    """One data key for all that a process encodes, unwrapped once by whoever reads it."""
    writer, reader = codec(kms), codec(kms)
    sealed = encoded(writer, *[PLAIN] * 50) + encoded(writer, PLAIN)
    assert kms.calls == ["generate_data_key"]
    assert decoded(writer, sealed) == [PLAIN] * 51
    assert kms.calls == ["generate_data_key"]
    assert decoded(reader, sealed) == [PLAIN] * 51
    assert kms.calls == ["generate_data_key", "describe_key", "decrypt"]


def test_keys_are_rotated(kms: CountedKms) -> None:
    """What an earlier key wrapped is read while that key is listed; new payloads name the new one."""
    old = encoded(codec(kms, "alias/old"), PLAIN)
    both = codec(kms, "alias/new", "alias/old")
    assert decoded(both, old) == [PLAIN]
    (new,) = encoded(both, PLAIN)
    assert new.metadata["kms-key"].decode() == kms.arns["alias/new"]
    assert decoded(codec(kms, kms.arns["alias/new"]), [new]) == [PLAIN]


def test_a_key_that_is_not_ours_never_reaches_kms(kms: CountedKms) -> None:
    """A payload may name any key: only ours is asked about, and by its own name."""
    reader = codec(kms)
    encoded(reader, PLAIN)
    kms.calls.clear()
    theirs = encoded(codec(kms, "alias/theirs"), PLAIN)
    kms.calls.clear()
    stranger = Payload(metadata={**theirs[0].metadata, "kms-key": b"arn:aws:kms:x:1:key/2"}, data=theirs[0].data)
    assert decoded(reader, [*theirs, stranger]) == [*theirs, stranger]
    assert set(kms.calls) <= {"describe_key"}
    (swapped,) = encoded(codec(kms, "alias/theirs"), PLAIN)
    swapped.metadata["kms-key"] = kms.arns["alias/new"].encode()
    assert decoded(reader, [swapped]) == [swapped]


@given(st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_decoding_never_raises_whatever_comes(kms: CountedKms, data: st.DataObject) -> None:
    """Cut, flipped, swapped, of other encodings or of bytes alone: it passes as it came, and is not taken for ours."""
    one = codec(kms)
    (sealed,) = encoded(one, PLAIN)
    field = data.draw(st.sampled_from(["data", "kms-key", "data-key", "encoding", "all"]))
    if field == "all":
        names = st.sampled_from(["encoding", "kms-key", "data-key", "other"])
        metadata = data.draw(st.dictionaries(names, st.binary(max_size=40) | st.just(ENCODING)))
        sealed = Payload(metadata=metadata, data=data.draw(st.binary(max_size=60)))
    elif field == "data":
        at = data.draw(st.integers(0, 10**6)) % len(sealed.data)
        cut = data.draw(st.booleans())
        sealed.data = (
            sealed.data[:at] if cut else sealed.data[:at] + bytes([sealed.data[at] ^ 1]) + sealed.data[at + 1 :]
        )
    else:
        was = sealed.metadata[field]
        at = data.draw(st.integers(0, 10**6)) % len(was)
        sealed.metadata[field] = was[:at] + bytes([was[at] ^ data.draw(st.integers(1, 255))]) + was[at + 1 :]
    assert decoded(one, [sealed, PLAIN]) == [sealed, PLAIN]


def test_what_cannot_be_read_only_now_is_not_taken_for_unreadable(kms: CountedKms) -> None:
    """Where KMS is away, or denies us our own key, decoding fails and is tried again: a replay would read it."""
    sealed = encoded(codec(kms), PLAIN)
    one = codec(kms)
    encoded(one, PLAIN)
    for trouble in ("away", "denies"):
        setattr(kms, trouble, True)
        with pytest.raises(Exception, match=r"kms|AccessDenied"):
            decoded(one, sealed)
        setattr(kms, trouble, False)
    assert decoded(one, sealed) == [PLAIN]


def test_plain_payloads_pass_without_kms(kms: CountedKms) -> None:
    """What people signal from Temporal's UI is plain JSON, and stays readable while KMS is away."""
    kms.away = True
    assert decoded(codec(kms), [PLAIN]) == [PLAIN]
    assert kms.calls == []


def test_kms_may_be_away_for_half_a_day(kms: CountedKms) -> None:
    """What a process has had stays good for a day; past half of it another is asked for once a minute."""
    clock = Clock()
    one = codec(kms, clock=clock)
    others = encoded(codec(kms), PLAIN)
    sealed = encoded(one, PLAIN)
    assert decoded(one, others) == [PLAIN]
    kms.away = True
    kms.calls.clear()
    for hours in (1, 11, 13, 13, 23):
        clock.now = hours * HOUR
        assert decoded(one, [*others, *sealed, *encoded(one, PLAIN)]) == [PLAIN] * 3
    assert kms.calls == ["generate_data_key"] * 2
    clock.now = 25 * HOUR
    with pytest.raises(Exception, match="kms"):
        encoded(one, PLAIN)
    with pytest.raises(Exception, match="kms"):
        decoded(one, others)
    kms.away = False
    clock.now += 61
    assert decoded(one, [*others, *encoded(one, PLAIN)]) == [PLAIN] * 2


def test_a_key_is_renewed_while_kms_answers(kms: CountedKms) -> None:
    """Half a day is as old as a data key gets; what it encrypted is read all the same."""
    clock = Clock()
    one = codec(kms, clock=clock)
    (first,) = encoded(one, PLAIN)
    clock.now = 13 * HOUR
    (second,) = encoded(one, PLAIN)
    assert first.metadata["data-key"] != second.metadata["data-key"]
    clock.now = 30 * HOUR
    assert decoded(one, [first, second]) == [PLAIN] * 2


def test_kms_is_asked_once_about_what_it_cannot_unwrap(kms: CountedKms) -> None:
    """A flood of forged data keys under our own name is asked about once, whoever repeats it or replays it."""
    one = codec(kms)
    (sealed,) = encoded(one, PLAIN)
    forged = [Payload(metadata={**sealed.metadata, "data-key": b"x%d" % n}, data=sealed.data) for n in range(20)]
    kms.calls.clear()
    for _ in range(3):
        assert decoded(one, forged) == forged
    assert kms.calls == ["decrypt"] * 20


def test_what_is_kept_is_bounded(kms: CountedKms, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ever so many data keys the latest are kept."""
    monkeypatch.setattr(data_keys, "_KEPT", 3)
    several = [encoded(codec(kms), PLAIN)[0] for _ in range(6)]
    reader = codec(kms)
    assert decoded(reader, several) == [PLAIN] * 6
    kms.calls.clear()
    assert decoded(reader, several[3:]) == [PLAIN] * 3
    assert kms.calls == []
    assert decoded(reader, several[:1]) == [PLAIN]
    assert kms.calls == ["decrypt"]


def test_converters_are_made_in_one_place(kms: CountedKms) -> None:
    """With a codec failures are encoded too; without one they are Temporal's own."""
    for plain in (DataConverter.default, pydantic_data_converter):
        assert encrypted(plain, None) is plain
        made = encrypted(plain, codec(kms))
        assert made.payload_converter_class is plain.payload_converter_class
        assert isinstance(made.failure_converter, DefaultFailureConverterWithEncodedAttributes)
        assert isinstance(made.payload_codec, SealingCodec)
