"""Severities, the gravest first."""

from enum import StrEnum


class Severity(StrEnum):
    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"

    def above(self, other: "Severity") -> bool:
        """Tell whether this is the graver of the two."""
        return self.value < other.value
