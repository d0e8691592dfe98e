"""What a probe may be shown that it cannot judge by: the cases that every probe is held to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from activities.action import Clients
from domain.model.activity_io import Scope
from tests.activities.scopes import NOW, scope


class Case(StrEnum):
    NO_SOURCE = "what it reads does not exist"
    EMPTY = "it exists and holds nothing"
    UNRECOGNISED = "it holds records, and none that the probe recognises"
    OLD = "all that it holds is older than the window"
    ONE_UNREADABLE = "one record among good ones cannot be read"
    CUT_OFF = "there are more pages than are read"
    TROUBLE_BESIDE_UNREADABLE = "there is trouble, and one record that cannot be read"


@dataclass(frozen=True)
class Look:
    """A probe's clients and what it is asked."""

    clients: Clients
    params: dict[str, Any] = field(default_factory=dict)
    scope: Scope = field(default_factory=scope)
    at: datetime = NOW


ProbeCases = dict[str, Mapping[Case, Callable[[], Look] | str]]
"""By the probe's name: what makes each case, called within moto's mock, or a sentence why it cannot be."""
