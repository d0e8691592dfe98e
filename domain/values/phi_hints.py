"""Whether what somebody writes looks as if it named somebody whose data is at stake. A hint, never a verdict."""

import re
from collections.abc import Collection, Mapping

_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_DATE = rf"(?:\d{{1,2}}[./-]\d{{1,2}}[./-]|\d{{1,2}}\s+(?:{_MONTHS})[a-z]*\s+)(?:19|20)\d\d|(?:19|20)\d\d-\d\d-\d\d"
_BORN = re.compile(rf"\b(?:born|birth|d\.?o\.?b)\b.{{0,20}}?(?:{_DATE})", re.IGNORECASE)
_LONG_AGO = re.compile(
    rf"(?<!\d)(?:\d{{1,2}}[./-]\d{{1,2}}[./-]|\d{{1,2}}\s+(?:{_MONTHS})[a-z]*\s+)19\d\d(?!\d)", re.IGNORECASE
)


def signs(text: str, numbers: Mapping[str, str | re.Pattern[str]], known: Collection[str] = ()) -> list[str]:
    """Say what a text seems to hold: `numbers` are those that stand for people, by what to call them.

    `known` are mail addresses and telephone numbers of our own people.

    A date of birth is one that is called so, or any of the last century: incidents are of this one.
    """
    ours = {one.lower().removeprefix("+") for one in known}
    found = []
    if any(one.lower() not in ours for one in _MAIL.findall(text)):
        found.append("an e-mail address")
    for called, pattern in numbers.items():
        if any(re.sub(r"\D", "", one[0]) not in ours for one in re.finditer(pattern, text)):
            found.append(called)
    if _BORN.search(text) or _LONG_AGO.search(text):
        found.append("a date of birth")
    return found
