"""A claim is taken in the one form that is signed, so that whoever has the record can check it as it stands there."""

from datetime import timedelta
from typing import Any

import pytest

from authority.proofs import UnprovenError
from authority.signed import signed
from domain.values.canonical import digest
from tests.builders import T0
from tests.signed_records import claim, keys


def proof(**changes: Any) -> dict[str, Any]:
    """What the technical manager claims, as it is written otherwise; the signature is over what it says."""
    made = claim("technical-manager", "note", digest("x"), T0)
    return {**keys().proof(made), "claim": {**made, **changes}}


def test_as_it_is_signed_it_is_taken() -> None:
    raw = proof()
    found = signed(raw)
    assert found.claim.model_dump(mode="json") == raw["claim"]
    assert (found.proof.key, found.proof.signature) == (raw["key"], raw["signature"])


@pytest.mark.parametrize(
    "changes",
    [
        {"at": T0.isoformat()},
        {"at": int(T0.timestamp())},
        {"expires": (T0 + timedelta(days=1)).isoformat()},
        {"v": True},
    ],
)
def test_written_otherwise_it_is_refused(changes: dict[str, Any]) -> None:
    """Times with an offset or as numbers: they mean the same, and are not what the signature is over."""
    with pytest.raises(UnprovenError, match=r"not written as claims are signed|cannot be read"):
        signed(proof(**changes))


def test_with_a_field_left_out_it_is_refused() -> None:
    """Though it would mean the same."""
    raw = proof()
    del raw["claim"]["decision"]
    with pytest.raises(UnprovenError, match="all fields"):
        signed(raw)
