"""The command warns of what looks like a patient, and does as it is told all the same."""

import pytest

from tests.starters.conftest import Incident

TEXT = "jo@mail.example, card 2123 45670 1, cannot see the images"
START = ("start", "system-outage", "--severity", "P0")


@pytest.mark.parametrize(
    "arguments",
    [
        ("note", "inc-20261123-7f3k", TEXT),
        ("mitigated", "inc-20261123-7f3k", "--summary", TEXT),
        (*START, "--title", TEXT),
        (*START, "--title", "Portal down", "--description", TEXT),
    ],
    ids=lambda arguments: " ".join(one for one in arguments if one not in {TEXT, *START}),
)
def test_what_looks_like_a_patient_is_warned_of(incident: Incident, arguments: tuple[str, ...]) -> None:
    """One line on stderr says what it looks like, without repeating it; the command goes on to Temporal."""
    said = incident(*arguments)
    warning, *rest = said.err.splitlines()
    assert warning.startswith("Warning: this seems to contain an e-mail address and a number like a Medicare card's")
    assert "jo@" not in said.err
    assert (said.status, said.out, rest) == (3, "", ["Temporal is not reachable at 127.0.0.1:1"])


def test_our_own_people_are_no_patients(incident: Incident) -> None:
    """Who is in the organisation's file may be named by their address."""
    said = incident("note", "inc-20261123-7f3k", "devops-lead@axisimaging.com.au is on it")
    assert said.err == "Temporal is not reachable at 127.0.0.1:1\n"
