"""Whatever bytes come in are read as a model or refused, and nothing else is raised."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from domain.model.commands import CHANGE_COMMANDS, INCIDENT_COMMANDS
from domain.model.declaration import Alert, KeyHold, KeyRelease
from domain.model.drill import DrillEnd
from domain.model.reading import Input, UnreadableError, read
from domain.rules.change_messages import ChangeNews, Commander, Nothing
from domain.values import limits

MODELS: list[type[BaseModel]] = [
    *INCIDENT_COMMANDS.values(),
    *CHANGE_COMMANDS.values(),
    ChangeNews,
    Alert,
    DrillEnd,
    KeyHold,
    KeyRelease,
    Commander,
    Nothing,
]
_FIELDS = ["by", "text", "step", "at", "fact", "set", "proof", "reason", "digest", "events", "workflow_id", "commander"]
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str)
VALUES: st.SearchStrategy[Any] = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_FIELDS) | st.text(), inner, max_size=6)
    ),
    max_leaves=20,
)
_JSON = VALUES.map(lambda value: json.dumps(value).encode(errors="surrogatepass"))
INPUTS = st.builds(
    Input,
    st.sampled_from(
        [b"json/plain"] * 6 + [b"", b"binary/null", b"binary/plain", b"json/protobuf", b"binary/encrypted"]
    ),
    _JSON | st.binary(max_size=200),
)


@given(model=st.sampled_from(MODELS), inputs=st.lists(INPUTS, max_size=3))
def test_anything_is_read_or_refused(model: type[BaseModel], inputs: list[Input]) -> None:
    """A refusal has a short reason and a short name; what is read can be written as JSON and read again."""
    refused: UnreadableError | None = None
    try:
        made = read(model, inputs)
    except UnreadableError as error:
        refused = error
    if refused is None:
        assert model.model_validate_json(made.model_dump_json()) == made
    else:
        assert len(str(refused)) < 500
        assert len(refused.by) <= 100


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"[" * 5000 + b"]" * 5000, "no JSON that can be read", id="depth"),
        pytest.param(b"[" * 33 + b"]" * 33, "more than 32 levels deep", id="a little too deep"),
        pytest.param(b'{"by": ' + b"9" * 5000 + b"}", "no JSON that can be read", id="digits"),
        pytest.param(b'{"by": ' + b"9" * 400 + b"}", "a number that is too great", id="fewer digits"),
        pytest.param(b'{"by": 1e400}', "a number that is too great", id="infinite"),
        pytest.param(b'"' + b"x" * limits.MESSAGE + b'"', "say it in parts", id="size"),
        pytest.param(b'{"by": "\\ud800"}', "no JSON that can be read", id="a surrogate"),
    ],
)
def test_what_is_bounded(data: bytes, reason: str) -> None:
    """Depth, size and numbers are refused before anything is made of them."""
    with pytest.raises(UnreadableError, match=reason):
        read(INCIDENT_COMMANDS["acknowledge"], [Input(b"json/plain", data)])


def test_what_people_send_is_read_as_before() -> None:
    """Unknown fields and proofs of any kind are ignored; no input and `null` are the same."""
    said = {"by": "cto", "text": "é 漢 😀", "proof": {"kind": "ssh", "sig": ["x"] * 20}, "unheard_of": 1}
    note = read(INCIDENT_COMMANDS["note"], [Input(b"json/plain", json.dumps(said).encode())])
    assert note.model_dump(include={"by", "text"}) == {"by": "cto", "text": "é 漢 😀"}
    for nothing in ([], [Input(b"binary/null", b"")], [Input(b"json/plain", b"null")]):
        with pytest.raises(UnreadableError):
            read(INCIDENT_COMMANDS["note"], nothing)
        read(Nothing, nothing)
