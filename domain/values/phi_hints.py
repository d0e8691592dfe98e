"""Whether what somebody writes looks as if it held something about a patient. A hint, never a verdict."""

import re
from collections.abc import Collection

_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"(?<![\w.+-])\d{4}[ -]?\d{5}[ -]?\d(?:[ /-]?\d)?(?![\w-]|\.\d)")
"""As a Medicare card has it: ten digits, and one more for the person, together or as 4-5-1-1."""
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_DATE = rf"(?:\d{{1,2}}[./-]\d{{1,2}}[./-]|\d{{1,2}}\s+(?:{_MONTHS})[a-z]*\s+)(?:19|20)\d\d|(?:19|20)\d\d-\d\d-\d\d"
_BORN = re.compile(rf"\b(?:born|birth|d\.?o\.?b)\b.{{0,20}}?(?:{_DATE})", re.IGNORECASE)
_LONG_AGO = re.compile(
    rf"(?<!\d)(?:\d{{1,2}}[./-]\d{{1,2}}[./-]|\d{{1,2}}\s+(?:{_MONTHS})[a-z]*\s+)19\d\d(?!\d)", re.IGNORECASE
)


def signs(text: str, known: Collection[str] = ()) -> list[str]:
    """Say what a text seems to hold; `known` are mail addresses and telephone numbers of our own people.

    A date of birth is one that is called so, or any of the last century: incidents are of this one.
    """
    ours = {one.lower().removeprefix("+") for one in known}
    found = []
    if any(one.lower() not in ours for one in _MAIL.findall(text)):
        found.append("an e-mail address")
    if any(re.sub(r"\D", "", one) not in ours for one in _NUMBER.findall(text)):
        found.append("a number like a Medicare card's")
    if _BORN.search(text) or _LONG_AGO.search(text):
        found.append("a date of birth")
    return found
