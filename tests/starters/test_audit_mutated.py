"""However a signed record or the register beside it is altered, neither program calls it good, though the chain holds.

The archive's own program and `incident audit verify` share no code: each is a check of the other.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.mutated_records import MUTATIONS, Mutate
from tests.proving import fingerprint, proved_here
from tests.records import signer
from tests.signed_records import archived, identities, told
from tests.starters.conftest import Incident

CALM = settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def _name(mutate: Callable[..., object]) -> str:
    return mutate.__name__.strip("_")


@pytest.mark.parametrize("mutate", MUTATIONS, ids=_name)
@given(st.data())
@CALM
def test_nothing_that_was_altered_is_called_good(incident: Incident, mutate: Mutate, data: st.DataObject) -> None:
    entries, register = told(), identities()
    mutate(data.draw, entries, register)
    with TemporaryDirectory() as folder:
        file = archived(Path(folder, "a.zip"), entries, register)
        with ZipFile(file) as zipped:
            zipped.extractall(Path(folder, "unpacked"))
        key = fingerprint(signer().pem)
        good, said = proved_here(Path(folder, "unpacked"), key)
        ours = incident("audit", "verify", "--file", str(file), "--fingerprint", key)
    assert not good, said
    assert ours.status == 1, ours.out
