"""Telephone numbers in E.164, and the countries that they are told apart by."""

import re

_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}")
_CALLING = {"61": "AU", "64": "NZ", "44": "GB", "65": "SG", "49": "DE", "47": "NO", "33": "FR", "1": "US"}


def is_number(value: str) -> bool:
    """Whether it is a telephone number in E.164, such as +61491570006."""
    return _NUMBER.fullmatch(value) is not None


def country_of(number: str) -> str | None:
    """The country of a number in E.164, as ISO 3166-1 has it, of those that are told apart here."""
    return next((country for code, country in _CALLING.items() if number.startswith(f"+{code}")), None)
