"""The record cannot be changed without it showing."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.model.timeline import GENESIS, Entry, Timeline, bounded
from tests.builders import T0

Written = list[tuple[int, str, str, dict[str, Any]]]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
WRITTEN = st.lists(
    st.tuples(
        st.integers(0, 10**9), st.text(max_size=9), st.text(max_size=9), st.dictionaries(st.text(max_size=3), VALUES)
    ),
    min_size=2,
    max_size=6,
)


def chain(written: Written) -> Timeline:
    timeline = Timeline()
    for microseconds, actor, text, data in written:
        timeline.append(T0 + timedelta(microseconds=microseconds), actor, "note", text, data)
    return timeline


def replaced(timeline: Timeline, position: int, entry: Entry) -> Timeline:
    entries = list(timeline.entries)
    entries[position] = entry
    return Timeline(entries=entries)


@given(WRITTEN)
def test_a_chain_as_written_is_whole(written: Written) -> None:
    """Every chain that only grew is unbroken, numbered from 1, and the same after a trip through JSON."""
    timeline = chain(written)
    assert timeline.first_broken() is None
    assert [entry.seq for entry in timeline.entries] == list(range(1, len(written) + 1))
    assert timeline.entries[0].prev == GENESIS
    read = Timeline.model_validate_json(timeline.model_dump_json())
    assert read == timeline
    assert read.first_broken() is None


ALTERED: dict[str, Any] = {
    "seq": lambda entry: entry.seq + 1,
    "at": lambda entry: entry.at + timedelta(microseconds=1),
    "actor": lambda entry: entry.actor + "x",
    "kind": lambda entry: entry.kind + "x",
    "text": lambda entry: entry.text + "x",
    "data": lambda entry: {**entry.data, "more": len(entry.data)},
    "v": lambda entry: entry.v + 1,
    "cause": lambda entry: {**entry.cause, "more": len(entry.cause)},
    "prev": lambda entry: "f" + entry.prev[1:] if entry.prev[0] != "f" else "0" + entry.prev[1:],
    "hash": lambda entry: "f" + entry.hash[1:] if entry.hash[0] != "f" else "0" + entry.hash[1:],
}


@given(WRITTEN, st.sampled_from(sorted(ALTERED)), st.data())
def test_an_altered_entry_is_found(written: Written, field: str, data: st.DataObject) -> None:
    """Whatever field of whatever entry is altered, that entry is the first broken one."""
    timeline = chain(written)
    position = data.draw(st.integers(0, len(written) - 1))
    entry = timeline.entries[position]
    altered = entry.model_copy(update={field: ALTERED[field](entry)})
    assert replaced(timeline, position, altered).first_broken() == position + 1


def test_every_field_is_covered() -> None:
    """The chain binds every field that an entry has."""
    assert set(ALTERED) == set(Entry.model_fields)


@given(WRITTEN, st.data())
def test_a_forged_entry_breaks_its_follower_or_the_head(written: Written, data: st.DataObject) -> None:
    """An entry rewritten with a fitting hash breaks the next one; of the last one the head tells."""
    timeline = chain(written)
    position = data.draw(st.integers(0, len(written) - 1))
    forged = timeline.entries[position].model_copy(update={"text": timeline.entries[position].text + "x"})
    forged = forged.model_copy(update={"hash": forged.computed_hash()})
    changed = replaced(timeline, position, forged)
    if position < len(written) - 1:
        assert changed.first_broken() == position + 2
    else:
        assert changed.first_broken() is None
    assert (changed.head == timeline.head) is (position < len(written) - 1)


@given(WRITTEN)
def test_a_forged_number_is_found(written: Written) -> None:
    """An entry cannot take another number, even the last one with a fitting hash."""
    timeline = chain(written)
    forged = timeline.entries[-1].model_copy(update={"seq": len(written) + 1})
    forged = forged.model_copy(update={"hash": forged.computed_hash()})
    assert replaced(timeline, len(written) - 1, forged).first_broken() == len(written)


@given(WRITTEN, st.data())
def test_a_dropped_entry_is_found(written: Written, data: st.DataObject) -> None:
    """A gap is found where it is; a chain cut short has another head."""
    timeline = chain(written)
    position = data.draw(st.integers(0, len(written) - 1))
    cut = Timeline(entries=[entry for index, entry in enumerate(timeline.entries) if index != position])
    if position < len(written) - 1:
        assert cut.first_broken() == position + 1
    else:
        assert cut.head != timeline.head


@given(WRITTEN, st.data())
def test_swapped_entries_are_found(written: Written, data: st.DataObject) -> None:
    """Two entries in each other's place are found at the first of the two."""
    timeline = chain(written)
    one = data.draw(st.integers(0, len(written) - 2))
    other = data.draw(st.integers(one + 1, len(written) - 1))
    entries = list(timeline.entries)
    entries[one], entries[other] = entries[other], entries[one]
    assert Timeline(entries=entries).first_broken() == one + 1


@given(WRITTEN, st.integers(0, 9), st.integers(0, 9))
def test_a_shortened_chain_goes_on(written: Written, upto: int, keep: int) -> None:
    """Without its oldest entries a chain has the same head and length, is unbroken, and grows on from there."""
    whole, short = chain(written), chain(written)
    short.drop(upto, keep)
    assert (short.head, short.length, short.first_broken()) == (whole.head, whole.length, None)
    assert short.entries == whole.entries[min(upto, max(len(written) - keep, 0)) :]
    assert short.append(T0, "a", "note", "t") == whole.append(T0, "a", "note", "t")
    assert short.first_broken() is None


def test_what_has_no_canonical_form_is_told_as_text() -> None:
    """A number that canonical JSON cannot hold stands as text and never stops an incident; forged, it breaks."""
    timeline = Timeline()
    timeline.append(T0, "a", "note", "t", {"observed": {"n": 2**60, "sizes": (1, -(2**53))}, "rate": float("inf")})
    assert timeline.entries[0].data == {"observed": {"n": str(2**60), "sizes": [1, str(-(2**53))]}, "rate": "inf"}
    assert timeline.first_broken() is None
    forged = timeline.entries[0].model_copy(update={"data": {"n": 2**60}})
    assert Timeline(entries=[forged]).first_broken() == 1


def test_the_same_instant_in_another_zone_is_another_text() -> None:
    """The hash is over what is written: the instants of the record are UTC."""
    entry = Timeline().append(T0, "a", "note", "t")
    local = entry.model_copy(update={"at": datetime.fromisoformat("2026-11-23T14:00:00+11:00")})
    assert local.at == entry.at
    assert local.computed_hash() != entry.hash


def test_the_actor_of_an_unreadable_message_is_bounded() -> None:
    """Whatever stands where a name should is short text, or nobody's."""
    assert bounded("x" * 1000) == "x" * 100
    assert [bounded(value) for value in ("", None, 3, {"a": 1})] == ["unknown"] * 4
