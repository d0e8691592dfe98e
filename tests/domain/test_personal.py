"""What looks like somebody's data in what people write, and what does not."""

import pytest

from domain.values.phi_hints import signs
from starters.files.organisation_folder import load_organisation
from starters.files.shipped import shipped_folder

MAIL, NUMBER, BORN = "an e-mail address", "a number like a Medicare card's", "a date of birth"
OURS = ("devops-lead@axisimaging.com.au", "+61491570006")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("jo.citizen+scan@mail.example cannot sign in", [MAIL]),
        ("asked Devops-Lead@axisimaging.com.au to look", []),
        ("devops-lead@axisimaging.com.au says that jo@mail.example called", [MAIL]),
        ("card 2123456701", [NUMBER]),
        ("card 21234567011.", [NUMBER]),
        ("card 2123 45670 1/1", [NUMBER]),
        ("card 2123-45670-1", [NUMBER]),
        ("account 123456789012", []),
        ("call +61 or +61491570006", []),
        ("call 61491570006", []),
        ("inc-20261123-7f3k began at 2026-11-23T03:30:00Z", []),
        ("arn:aws:rds:ap-southeast-2:123456789012:db:axis-imaging-db-1", []),
        ("from 198.51.100.23 and 2001:db8::9, 1200 requests, 4.25 s", []),
        ("study 5f0c1234567890ab of 0123456789-abc", []),
        ("born 3 April 1971", [BORN]),
        ("DOB: 03/04/2009", [BORN]),
        ("date of birth is 2009-04-03", [BORN]),
        ("the patient of 3.4.1971", [BORN]),
        ("deployed on 23/11/2026, again on 2026-11-24", []),
        ("jo@mail.example, 2123 45670 1, born 1/2/1980", [MAIL, NUMBER, BORN]),
        ("", []),
    ],
)
def test_signs(text: str, found: list[str]) -> None:
    """Mail addresses, card numbers and dates of birth are seen; our own people, ids and times are not."""
    assert signs(text, load_organisation(shipped_folder()).personal_numbers, OURS) == found
