"""A copy of the second organisation whose schedules stand in an environment of their own, and the command in it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from temporalio.client import Schedule, ScheduleHandle, ScheduleUpdate, ScheduleUpdateInput

from tests.organisations.folders import written
from tests.starters.backstage import Backstage

if TYPE_CHECKING:
    from tests.starters.conftest import Incident, Said

IDS = ["night-watch", "storm-drill", "call-round", "trials"]


class Docks(NamedTuple):
    """Calls `incident schedule` where nobody else has schedules."""

    folder: Path
    environment: str
    incident: "Incident"
    backstage: Backstage

    def __call__(self, *arguments: str) -> "Said":
        return self.incident("schedule", *arguments, "--runbooks", str(self.folder), "--environment", self.environment)

    def applied(self) -> "Docks":
        assert self("apply", "--yes").status == 0
        return self

    def rewrite(self, old: str, new: str) -> None:
        file = self.folder / "schedules.yaml"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def handle(self, id_: str) -> ScheduleHandle:
        return self.backstage.client.get_schedule_handle(f"{self.environment}.{id_}")

    def by_hand(self, id_: str, change: Callable[[Schedule], Schedule]) -> None:
        """Change a schedule as somebody does in Temporal's UI."""

        def update(found: ScheduleUpdateInput) -> ScheduleUpdate:
            return ScheduleUpdate(change(found.description.schedule))

        self.backstage.run(self.handle(id_).update(update))

    def one(self, id_: str) -> dict[str, Any]:
        document: dict[str, Any] = self("show", id_, "--json").json
        return document


def docked(folder: Path, environment: str, incident: "Incident", backstage: Backstage) -> Docks:
    """Write the organisation into a folder, with that one environment."""
    written(folder, {"environments/docks.yaml": ("name: docks", f"name: {environment}")})
    (folder / "environments" / "docks.yaml").rename(folder / "environments" / f"{environment}.yaml")
    return Docks(folder, environment, incident, backstage)
