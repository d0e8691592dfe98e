"""What a run of a schedule declares by an organisation's files."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.action import RuleError
from authority.delegations import Withdrawal
from domain.config.runbook import NoticeStep
from domain.model.declaration import Declaration
from domain.model.scheduled import ScheduledCall, ScheduledRun
from starters.files.delegations import grown
from starters.files.identities import load_identities
from starters.files.scheduled import declared
from starters.files.shipped import shipped_folder
from tests.delegating import HOUR, delegation

NIGHT, DAY = datetime(2026, 11, 23, 17, tzinfo=UTC), timedelta(days=1)  # 04:00 in Sydney, when the shipped drift is due
EXAMPLE = shipped_folder().parent / "example"


def run(folder: Path | None = None, **given: Any) -> Declaration:
    fields = {"schedule": "drift", "environment": "sandbox", "declares": "drift", **given.pop("run", {})}
    call = {"at": NIGHT, "now": NIGHT + timedelta(seconds=1), **given}
    return declared(folder or shipped_folder(), ScheduledCall(run=ScheduledRun.model_validate(fields), **call))


@pytest.mark.parametrize(
    ("given", "missed", "said"),
    [
        ({}, 0, ""),
        ({"after": NIGHT - DAY}, 0, ""),
        ({"after": NIGHT - 2 * DAY}, 1, " There was no run on 2026-11-23 04:00:00 +11:00."),
        (
            {"after": NIGHT - 4 * DAY},
            3,
            " There was no run 3 times, from 2026-11-21 04:00:00 +11:00 to 2026-11-23 04:00:00 +11:00.",
        ),
        ({"after": NIGHT - DAY, "now": NIGHT + DAY}, 1, " There was no run on 2026-11-25 04:00:00 +11:00."),
        ({"after": NIGHT - 9 * DAY, "run": {"schedule": "not-in-the-file"}}, 0, ""),
    ],
)
def test_what_was_missed_is_told(given: dict[str, Any], missed: int, said: str) -> None:
    """Since the run before, until this one begins; a schedule that is not in the file is not guessed at."""
    made = run(**given)
    assert made.scheduled is not None
    name = made.scheduled.schedule
    assert (len(made.scheduled.missed), made.description) == (
        missed,
        f"By schedule {name}, due 2026-11-24 04:00:00 +11:00.{said}",
    )


def test_a_speed_is_for_sandboxes_alone(tmp_path: Path) -> None:
    """Anywhere else it is refused, so that nobody is given minutes to answer."""
    assert run(run={"speed": 60}).speed == 60
    environment = next((EXAMPLE / "environments").glob("*.yaml"))
    folder = tmp_path / "example"
    for file in EXAMPLE.rglob("*.yaml"):
        copy = folder / file.relative_to(EXAMPLE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(file.read_text(encoding="utf-8").replace("kind: sandbox", "kind: staging"), encoding="utf-8")
    with pytest.raises(RuleError, match=r"a speed is for sandboxes only; .* is staging"):
        run(folder, run={"environment": environment.stem, "speed": 60})


def test_who_stands_in_is_declared(tmp_path: Path) -> None:
    """Now, or later; upkeep and what it opens have them as any incident. What is over is left out, or was ended."""
    folder = Path(shutil.copytree(shipped_folder(), tmp_path / "axis"))
    register = load_identities(folder, "axis-imaging")
    over, now = (delegation(at=NIGHT - 2 * HOUR, since=NIGHT - 2 * HOUR, until=until) for until in (NIGHT, NIGHT + DAY))
    later = delegation(role="cto", by="cto", at=NIGHT - HOUR, since=NIGHT + DAY, until=NIGHT + 2 * DAY)
    ended = delegation(role="security-lead", by="security-lead", at=NIGHT - HOUR, since=NIGHT, until=NIGHT + DAY)
    end = Withdrawal(ends=ended.id, reason="back", by="security-lead", at=NIGHT - HOUR)
    for one in (over, now, later, ended, end):
        (folder / "delegations.yaml").write_text(grown(folder, "axis-imaging", register, one), encoding="utf-8")
    assert run(folder).delegations == (now, later)


def test_a_validation_asks_everybody_by_every_channel() -> None:
    """Each contact's channels, each external party, under the key of whom it asks."""
    made = run(run={"schedule": "contacts", "declares": "contact-validation"})
    organisation, steps = made.organisation, made.runbook.steps()
    keys = {getattr(step, "key", None) for step in steps} - {None}
    asked = [*(one.id for one in organisation.contacts), *(one.id for one in organisation.externals)]
    assert keys == {f"contact:{one}" for one in asked}
    sent = [step.params["channel"] for step in steps if isinstance(step, NoticeStep)]
    assert sent == [channel.model_dump() for contact in organisation.contacts for channel in contact.channels]
    assert set(made.related) == {"maintenance"}
