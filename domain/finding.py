"""What a probe saw."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel


class FindingStatus(StrEnum):
    OK = "ok"
    SUSPECT = "suspect"
    UNKNOWN = "unknown"


class Finding(BaseModel):
    """One observation: counts, ids and references, never log text or personal information."""

    status: FindingStatus
    summary: str
    facts: dict[str, Any] = {}
    evidence: str | None = None
