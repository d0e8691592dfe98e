"""Lint refuses a change that nobody could approve, for every class that its plan can turn out to have."""

from pathlib import Path

import pytest

from starters.files.loading import lint, load_runbook
from starters.files.organisation_folder import load_environment, load_organisation
from starters.files.problems import InvalidFile
from tests.organisations.folders import RUNBOOK, without_cto, written

ORGANISATION = "organisation.yaml"
REMEDY = "in organisation.yaml, or write an approval: for this step"
A3 = "roles: [east, west, harbour-master]\n    quorum: 2"


def _told(folder: Path) -> list[str]:
    return [str(problem).removeprefix(f"{folder}/") for problem in lint(folder)]


GROW = """        change: ecs.scale_service
        title: Grow
        with: {count: 4}
        ask: [service]
"""


def _instead(change: str, given: str, asked: str = "") -> dict[str, tuple[str, str]]:
    """The runbook with another change in place of one of its own."""
    step = f"        change: {change}\n        title: Other\n        with: {{{given}}}\n        ask: [{asked}]\n"
    return {RUNBOOK: (GROW, step)}


RESIZE = _instead("rds.resize_instance", "database: main, instance_class: db.r6g.2xlarge")
BLOCK = _instead("wafv2.block_addresses", "web_acl: front", "addresses")


def test_a_renamed_role_is_told_wherever_its_approval_is_missed(tmp_path: Path) -> None:
    """With the CTO's role renamed one voter is left for a quorum of two: every step that this stops is named."""
    told = _told(without_cto(tmp_path))
    for start in (
        "organisation.yaml:75: approval.A3.roles[0]: unknown role 'cto'; ",
        "database.yaml:157: phases[2].steps[2].approval.roles[0]: unknown role 'cto'; ",
        (
            "security.yaml:149: phases[2].steps[2].change: 'cognito.reset_passwords' can be of class A3: 2 of cto, "
            f"devops-lead must approve, but when devops-lead asks, only technical-manager can; mend approval.A3 "
            f"{REMEDY}"
        ),
        "security.yaml:157: phases[2].steps[3].change: 'cognito.require_mfa' can be of class A3: ",
    ):
        assert len([line for line in told if line.startswith(start)]) == 1, told


def test_no_incident_starts_from_what_lint_refuses(tmp_path: Path) -> None:
    """A runbook with a change that nobody could approve does not load; a rule that it does not use does not matter."""
    unreachable = {ORGANISATION: (A3, A3.replace("2", "4"))}
    for number, more in enumerate((RESIZE, {})):
        folder = written(tmp_path / str(number), unreachable | more)
        organisation, environment = load_organisation(folder), load_environment(folder, "docks")
        if more:
            with pytest.raises(InvalidFile, match="can be of class A3: 4 of east, west, harbour-master must approve"):
                load_runbook(folder, "timetable-down", organisation, environment)
        else:
            assert load_runbook(folder, "timetable-down", organisation, environment)


def test_every_class_within_reach_counts(tmp_path: Path) -> None:
    """A change that is usually A1 is refused for the A2 that it becomes when it asks for much."""
    unnamed = {ORGANISATION: ("  A2: {roles: [incident-commander, watchkeeper, harbour-master], quorum: 1}\n", "")}
    assert _told(written(tmp_path, unnamed | BLOCK)) == [
        f"timetable-down.yaml:{line}.change: '{action}' can be of class A2: nobody is named to approve it; add A2 "
        f"under approval: {REMEDY}"
        for line, action in (
            ("31: phases[1].steps[0]", "wafv2.block_addresses"),
            ("37: phases[1].steps[1]", "ecs.rollback_service"),
        )
    ]


@pytest.mark.parametrize(
    ("roles", "quorum", "said"),
    [
        ("watchkeeper", 1, None),
        ("east", 1, None),
        ("harbour-master", 1, "when master asks, nobody can"),
        ("east, west", 2, None),
        ("east, west, watchkeeper, harbour-master", 3, "when east-watch asks, only master, west-watch can"),
        ("watchkeeper, incident-commander", 2, "when master asks and commands, only 1 of east-watch, west-watch can"),
        ("watchkeeper", 2, "when master asks, only 1 of east-watch, west-watch can"),
    ],
)
def test_the_one_who_is_missed_most_asks(tmp_path: Path, roles: str, quorum: int, said: str | None) -> None:
    """Enough people must be left whoever asks; a stand-in counts, and neither a person nor a role counts twice."""
    rule = A3.replace("east, west, harbour-master", roles).replace("2", str(quorum))
    told = _told(written(tmp_path, {ORGANISATION: (A3, rule)} | RESIZE))
    if said is None:
        assert told == []
    else:
        assert len(told) == 1
        assert said in told[0]


def test_what_only_the_one_who_asks_can_say_stands_in_no_runbook(tmp_path: Path) -> None:
    """That a primary is lost is said by whoever asks, for all who approve to read, and never beforehand."""
    places = "replica: main, fence: back, endpoint: main"
    told = _told(
        written(tmp_path / "given", _instead("rds.promote_replica", f"{places}, primary_is_lost: it always is"))
    )
    assert next(one for one in told if "primary_is_lost" in one).endswith(
        "'primary_is_lost' is for whoever asks for the change to say, not for a runbook; write ask: [primary_is_lost]"
    )
    asked = _told(written(tmp_path / "asked", _instead("rds.promote_replica", places, "primary_is_lost")))
    assert [one for one in asked if "primary_is_lost" in one] == []
