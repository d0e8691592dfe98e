"""What a probe saw."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from domain.values import limits

_SUMMARY_MAX = 2000
_WRONG_MAX, _NAMES_MAX = 200, 100


class FindingStatus(StrEnum):
    OK = "ok"
    SUSPECT = "suspect"
    UNKNOWN = "unknown"


class Finding(BaseModel):
    """One observation: counts, ids and references, never log text or personal information.

    `wrong` says of each thing that is not as it should be, by its name, what it is; only probes of many things have it.
    """

    status: FindingStatus
    summary: str
    facts: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    evidence: str | None = None

    def bounded(self) -> "Finding":
        """The finding, or one that fits on record: of what is too big the facts give way, and the summary's end.

        The status stays: whatever it was made of can be asked for again.
        """
        found = limits.size(self.model_dump(mode="json"))
        if found <= limits.FINDING:
            return self
        cut = self.summary if len(self.summary) <= _SUMMARY_MAX else f"{self.summary[: _SUMMARY_MAX - 1]}…"
        left_out = {"left_out": f"facts of a finding of {found} bytes; {limits.FINDING} at most can go on record"}
        wrong = {name: said[:_WRONG_MAX] for name, said in list(self.wrong.items())[:_NAMES_MAX]}
        return self.model_copy(update={"summary": cut, "facts": left_out, "wrong": wrong})
