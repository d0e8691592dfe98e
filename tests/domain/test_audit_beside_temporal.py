"""A record beside what Temporal has of the same incident."""

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.audit.verdict import beside
from tests.domain.test_audit import LENGTH, audit, with_items
from tests.records import record


@given(st.integers(1, LENGTH), st.integers(1, LENGTH + 3))
@settings(max_examples=20)
def test_a_record_that_ends_before_temporals_is_told(kept: int, length: int) -> None:
    """Temporal may have less than the record, never more, and never another entry."""
    copy = with_items(record().items[1][:kept])
    head = record().items[1][min(length, LENGTH) - 1].hash
    found = beside(audit(copy), copy, length, head)
    assert (found is None) == (length <= kept)
    other = beside(audit(copy), copy, min(length, kept), "0" * 64)
    assert other is not None
    assert (other.kind, other.seq) == ("behind", min(length, kept))
    if found is not None:
        assert (found.kind, found.seq) == ("behind", kept + 1)
