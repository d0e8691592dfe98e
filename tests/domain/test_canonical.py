import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.values.canonical import canonical_json, digest

_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner),
)


@given(_VALUES)
def test_a_value_read_back_has_the_same_digest(value: Any) -> None:
    """Whoever wrote a value as JSON, in the order of its keys or another, canonical or not: the digest is the same."""
    assert digest(json.loads(json.dumps(value))) == digest(value)
    assert digest(json.loads(json.dumps(value, sort_keys=True, indent=1))) == digest(value)
    assert digest(json.loads(canonical_json(value))) == digest(value)


def test_what_json_does_not_tell_apart_has_one_digest() -> None:
    """A whole number is the same with and without its fraction, and a list is the same as a tuple; 5 is not `5`."""
    assert digest({"count": 5.0, "names": ("a",)}) == digest({"names": ["a"], "count": 5})
    assert digest({"count": 5}) != digest({"count": "5"})
    assert canonical_json({"b": 1, "a": 5.0}) == '{"a":5,"b":1}'
