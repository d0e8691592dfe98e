"""What an organisation drills: each scenario with the fault that makes it, and what is right and wrong to do."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from domain.config.names import ConfigFile, Flaw, doubled, items, parts
from domain.values.durations import Duration
from domain.values.frozen import Frozen
from domain.values.severity import Severity

DrillKind = Literal["response", "simulation"]
"""A response to a fault; or a simulation, which has a table-top beside: facts to be found, duties, letters."""

DrillCut = Literal["time-box", "stopped", "gave-way"]
"""Why a drill ended that people did not end: its time was up, somebody stopped it, something real came."""


class Scenario(Frozen):
    """One drill, and what its score asks for.

    An incident of `type` is declared once `fault`, by the name that environments give it, is injected. Somebody is to
    act on one of `findings`, one of the changes `right` is to be applied and none that is `harmful`; `facts` are to be
    recorded, and `duties` to begin and to end in time. After `time_box`, as policy time, the drill ends whatever
    happened. `announced` is one that people are told of beforehand.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    kind: DrillKind
    title: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=4000)
    type: str
    severity: Severity
    phi: bool = False
    fault: str | None = None
    findings: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    harmful: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    duties: tuple[str, ...] = ()
    time_box: Duration
    announced: bool = False


class Drills(ConfigFile):
    """An organisation's `drills.yaml`."""

    scenarios: tuple[Scenario, ...] = ()

    @staticmethod
    def flaws(data: Mapping[str, Any]) -> Iterator[Flaw]:
        """Ids that stand twice, changes that are right and harmful, what is nothing without a fault or a table-top."""
        rows = parts(data, "scenarios")
        yield from doubled(rows)
        for at, row in rows:
            for index, step in enumerate(items(row.get("harmful"))):
                if step in items(row.get("right")):
                    yield Flaw((*at, "harmful", index), f"{step!r} is right as well; leave it out here or there")
            if row.get("kind") == "response" and row.get("fault") is None:
                yield Flaw((*at, "fault"), "is missing; say what is injected, by its name in the environments' faults")
            if row.get("kind") == "simulation" and not (row.get("facts") or row.get("duties")):
                yield Flaw((*at, "duties"), "is missing; say what the table-top is about: duties, or facts to record")

    def scenario(self, id_: str) -> Scenario | None:
        return next((one for one in self.scenarios if one.id == id_), None)


class DrillChoice(Frozen):
    """Which drill a schedule starts: one scenario, or any of a kind, or any."""

    scenario: str | None = None
    kind: DrillKind | None = None


class Exercise(Frozen):
    """What stands in the declaration of a drill, so that it can be scored by its record alone.

    `knew` are those who knew of it beforehand, beside everybody where the scenario is announced.
    """

    scenario: Scenario
    knew: tuple[str, ...] = ()
