"""An organisation's folder loads whole, or is refused with every fault by file, line and key."""

from pathlib import Path

import pytest

from domain.config.runbook import Runbook
from starters.files.loading import lint, load_runbook
from starters.files.organisation_folder import (
    list_environments,
    list_runbooks,
    load_environment,
    load_organisation,
)
from starters.files.problems import InvalidFile
from tests.organisations.folders import RUNBOOK, written

ORGANISATION = "organisation.yaml"
ENVIRONMENT = "environments/docks.yaml"

BROKEN = [
    (ORGANISATION, "id: master", "id: west-watch", "13: contacts[2].id", "'west-watch' stands on line 9 already"),
    (
        ORGANISATION,
        "chain: [harbour-master]",
        "chain: [boss]",
        "19: chain[0]",
        "known: east, harbour-master, watchkeeper, west",
    ),
    (ORGANISATION, "on_call: [east, west]", "on_call: [north, west]", "20: on_call[0]", "unknown role 'north'"),
    (
        ORGANISATION,
        "A1: {roles: [watchkeeper,",
        "A1: {roles: [watchkeper,",
        "22: approval.A1.roles[0]",
        "did you mean 'watchkeeper'?",
    ),
    (ORGANISATION, "  A1: {", "  A4: {", "22: approval.A4", "'A0', 'A1', 'A2' or 'A3'"),
    (ORGANISATION, "Europe/Oslo", "Oslo", "3: timezone", "no time zone"),
    (ORGANISATION, '"+12025550143"', '"2025550143"', "8: contacts[0].channels[0].address", "E.164"),
    (ORGANISATION, "master@ferries.example", "master", "18: contacts[2].channels[1].address", "mail address"),
    (ORGANISATION, "duty@port.example", "+61-XXX-XXXX", "28: externals[0].contact", "placeholder"),
    (ORGANISATION, "respond: 36h", "respond: 36 hours", "35: severities.P3.respond", "such as 15m"),
    (ORGANISATION, "  P1: *p0\n", "", "29: severities", "no policy for P1"),
    (ORGANISATION, "  P2: *p0", "  P9: *p0", "32: severities.P9", "'P0', 'P1', 'P2' or 'P3'"),
    (ORGANISATION, "title: Blue Harbour Ferries", "titel: Blue Harbour Ferries", "2: titel", "did you mean 'title'?"),
    (ENVIRONMENT, "name: docks", "name: other", "1: name", "docks.yaml"),
    (ENVIRONMENT, '"444455556666"', '"1234"', "3: account", "twelve digits"),
    (ENVIRONMENT, '"444455556666"', "444455556666", "3: account", "quotes"),
    (ENVIRONMENT, "ledger_table: harbour-log", "ledger_table: YOUR_TABLE", "5: ledger_table", "placeholder"),
    (
        ENVIRONMENT,
        "targetgroup/booking/",
        f"targetgroup/{'w' * 33}/",
        "18: services.booking.target_group_arn",
        "33 characters",
    ),
    (ENVIRONMENT, "app/front/0123", f"app/{'f' * 33}/0123", "30: load_balancers.front.arn", "33 characters"),
    (
        ENVIRONMENT,
        "aws-waf-logs-harbour",
        "/aws/wafv2/harbour",
        "41: web_acls.front.log_group",
        "must start aws-waf-logs-",
    ),
    (
        ENVIRONMENT,
        "samples: [INFO tide read]",
        "samples: [INFO tide read, tide read]",
        "13: services.timetable.log_formats[1].samples[1]",
        "is not read by its format text: pattern does not fit",
    ),
    (
        ENVIRONMENT,
        "{format: json}",
        "{format: text, pattern: ^INFO}",
        "13: services.timetable.log_formats[1].samples[0]",
        "is read by format text before its own",
    ),
    (ENVIRONMENT, "{format: json}", "{format: jsn}", "13: services.timetable.log_formats[0].format", "'json'"),
    (
        ENVIRONMENT,
        "{format: json}",
        "{format: json, zone: UTC}",
        "13: services.timetable.log_formats[0].zone",
        "known:",
    ),
    (ENVIRONMENT, "csvlog, zone: Europe/Oslo", "csvlog, zone: AEST", "22: databases.main.log.zone", "no time zone"),
    (
        ENVIRONMENT,
        "csvlog, zone: Europe/Oslo",
        "postgres, samples: ['2026-11-23 03:25:00 UTC [381] ERROR:  no']",
        "22: databases.main.log.samples[0]",
        "is not read by its format postgres: prefix does not fit",
    ),
    (ENVIRONMENT, "replica_of: main", "replica_of: mian", "26: databases.copy.replica_of", "did you mean 'main'?"),
    (ENVIRONMENT, "bucket: pages", "bucket: page", "37: maintenance.bucket", "did you mean 'pages'?"),
    (ENVIRONMENT, "load_balancer: front", "load_balancer: back", "36: maintenance.load_balancer", "known: front"),
    (RUNBOOK, "id: timetable-down", "id: timetable", "1: id", "timetable-down.yaml"),
    (RUNBOOK, 'version: "1.0"', "version: 1.0", "3: version", "put it in quotes"),
    (RUNBOOK, 'version: "1.0"', "version: '[Current Date]'", "3: version", "placeholder"),
    (RUNBOOK, "owner: watchkeeper", "owner: watchkeepr", "5: owner", "did you mean 'watchkeeper'?"),
    (
        RUNBOOK,
        "on_call: [east, west]",
        "on_call: [port-authority]",
        "6: on_call[0]",
        "known: east, harbour-master, watchkeeper",
    ),
    (RUNBOOK, "on_call: [east, west]", "on_call: []", "6: on_call", "say who is on call"),
    (RUNBOOK, "page_at_once: [harbour-master]", "page_at_once: [cto]", "7: page_at_once[0]", "unknown role 'cto'"),
    (RUNBOOK, "within: 15m", "within: 15", "11: phases[0].within", "no unit"),
    (RUNBOOK, "id: services", "id: errors", "17: phases[0].steps[1].id", "on line 13 already"),
    (RUNBOOK, "id: act", "id: grow", "30: phases[1].steps[0].id", "on line 27 already"),
    (
        RUNBOOK,
        "title: Errors",
        "titel: Errors",
        "15: phases[0].steps[0].titel",
        "known: id, key, opens, probe, raises_to, title, with",
    ),
    (RUNBOOK, "title: Errors", "title: Errors\n        title: E", "16: phases[0].steps[0].title", "first on line 15"),
    (RUNBOOK, "probe: logs.errors", "probe: logs.error", "14: phases[0].steps[0].probe", "did you mean 'logs.errors'?"),
    (RUNBOOK, "probe: logs.errors", "task: logs.errors\n        probe: x", "13: phases[0].steps[0]", "exactly one"),
    (
        RUNBOOK,
        "probe: logs.errors",
        "prboe: logs.errors",
        "14: phases[0].steps[0].prboe",
        "is no kind of step; did you mean probe?",
    ),
    (
        RUNBOOK,
        "change: ecs.scale_service",
        "chnage: ecs.scale_service",
        "31: phases[1].steps[0].chnage",
        "is no kind of step; did you mean change?",
    ),
    (
        RUNBOOK,
        "change: ecs.rollback_service",
        "probe: ecs.rollback_service",
        "37: phases[1].steps[1].probe",
        "a change",
    ),
    (RUNBOOK, "with: {count: 4}", "with: {count: many}", "33: phases[1].steps[0].with.count", "integer"),
    (RUNBOOK, "with: {count: 4}", "with: {cuont: 4}", "33: phases[1].steps[0].with.cuont", "did you mean 'count'?"),
    (RUNBOOK, "with: {count: 4}", "params: {count: 4}", "33: phases[1].steps[0].params", "known: with"),
    (RUNBOOK, "ask: [service]", "ask: [servce]", "34: phases[1].steps[0].ask[0]", "did you mean 'service'?"),
    (RUNBOOK, "ask: [service]", "ask: []", "33: phases[1].steps[0].with.service", "is missing"),
    (
        RUNBOOK,
        "            - timetable",
        "            - timtable",
        "22: phases[0].steps[1].with.services[0]",
        "environment docks",
    ),
    (
        RUNBOOK,
        "suggested_by: [errors]",
        "suggested_by: [grow]",
        "35: phases[1].steps[0].suggested_by[0]",
        "known: deployments, errors",
    ),
    (RUNBOOK, "unless: [errors]", "unless: [error]", "51: phases[1].steps[3].unless[0]", "did you mean 'errors'?"),
    (
        RUNBOOK,
        "incident-commander, watchkeeper, harbour-master",
        "watchkeeper, cto",
        "45: phases[1].steps[2].approval.roles[1]",
        "unknown role 'cto'",
    ),
    (
        RUNBOOK,
        "incident-commander, watchkeeper, harbour-master",
        "port-authority",
        "45: phases[1].steps[2].approval.roles[0]",
        "unknown role 'port-authority'",
    ),
    (RUNBOOK, "quorum: 1", "quorum: 3", "46: phases[1].steps[2].approval.quorum", "as no role counts twice"),
    (RUNBOOK, "on: mitigated", "on: closed", "50: phases[1].steps[3].on", "not 'closed'"),
    (RUNBOOK, "owner: port-authority", "owner: nobody", "54: phases[1].steps[4].owner", "unknown role 'nobody'"),
    (RUNBOOK, "due: 2d", "due: 2 days", "55: phases[1].steps[4].due", "such as 15m"),
    (
        RUNBOOK,
        "probe: ecs.recent_deployments",
        "probe: elbv2.target_health",
        "26: phases[0].steps[2].with.service",
        "'timetable' has no target_group_arn in environment docks; add it there, or leave this step out",
    ),
    (
        RUNBOOK,
        "notice: support.open_case",
        "notice: statuspage.investigating",
        "48: phases[1].steps[3].notice",
        "'statuspage.investigating' needs status_page, which environment docks lacks; add it there",
    ),
    (RUNBOOK, "due: 2d", "due: [2d", "56", "is not YAML"),
]


def _load(folder: Path) -> Runbook:
    organisation = load_organisation(folder)
    return load_runbook(folder, "timetable-down", organisation, load_environment(folder, "docks"))


@pytest.mark.parametrize(("file", "old", "new", "where", "said"), BROKEN)
def test_a_fault_is_named_by_file_line_and_key(
    tmp_path: Path, file: str, old: str, new: str, where: str, said: str
) -> None:
    """A fault is told once, at its own file, line and key, with a word on what would be right."""
    folder = written(tmp_path, {file: (old, new)})
    with pytest.raises(InvalidFile) as refused:
        _load(folder)
    told = [str(problem) for problem in refused.value.problems]
    expected = [line for line in told if line.startswith(f"{folder / file}:{where}: ") and said in line]
    assert len(expected) == 1, told
    assert all(str(folder / file) in line for line in told)


def test_another_organisation_loads_without_code(tmp_path: Path) -> None:
    """Roles, environments and runbooks of another organisation need nothing but their files."""
    runbook = _load(written(tmp_path))
    assert [step.id for step in runbook.steps()][:5] == ["errors", "services", "deployments", "grow", "back"]
    assert list_runbooks(tmp_path) == ["maintenance", "timetable-down"]
    assert lint(tmp_path) == []


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    """A file with several faults of different kinds is refused once, with all of them, in order of lines."""
    folder = written(tmp_path, {RUNBOOK: ("owner: watchkeeper\non_call: [east, west]", "owner: x\non_call: [y]")})
    text = (folder / RUNBOOK).read_text()
    for old, new in (("title: Look", "tilte: Look"), ("logs.errors", "logs.eror"), ("quorum: 1", "quorum: 9")):
        text = text.replace(old, new)
    (folder / RUNBOOK).write_text(text)
    with pytest.raises(InvalidFile) as refused:
        _load(folder)
    assert [(problem.line, problem.field) for problem in refused.value.problems] == [
        (5, "owner"),
        (6, "on_call[0]"),
        (9, "phases[0].title"),
        (10, "phases[0].tilte"),
        (14, "phases[0].steps[0].probe"),
        (46, "phases[1].steps[2].approval.quorum"),
    ]


def test_a_runbook_that_names_nobody_on_call_has_the_organisations(tmp_path: Path) -> None:
    """Who is on call everywhere is written once; what a runbook says of it goes before."""
    folder = written(tmp_path, {RUNBOOK: ("on_call: [east, west]\n", "")})
    assert _load(folder).on_call == ("east", "west")
    assert lint(folder) == []
    named = written(tmp_path, {RUNBOOK: ("on_call: [east, west]", "on_call: [watchkeeper]")})
    assert _load(named).on_call == ("watchkeeper",)


def test_an_unknown_type_names_the_known_ones(tmp_path: Path) -> None:
    """Who mistypes a type or an environment is told which there are; a path is no type."""
    folder = written(tmp_path)
    organisation, environment = load_organisation(folder), load_environment(folder, "docks")
    for name in ("timetable-dow", "organisation", "../timetable-down"):
        with pytest.raises(InvalidFile, match="known: maintenance, timetable-down"):
            load_runbook(folder, name, organisation, environment)
    with pytest.raises(InvalidFile, match="known: docks"):
        load_environment(folder, "prod")


def test_every_environment_must_know_a_runbooks_names(tmp_path: Path) -> None:
    """Lint checks logical names against every environment of the folder, those to be filled in too."""
    folder = written(tmp_path)
    other = (
        (folder / ENVIRONMENT).read_text().replace("name: docks", "name: next").replace("  timetable:\n", "  site:\n")
    )
    (folder / "environments/next.yaml").write_text(other.replace("444455556666", "XXX", 1))
    assert list_environments(folder) == ["docks", "next"]
    assert [(problem.line, problem.message.split(" among ")[1]) for problem in lint(folder)] == [
        (16, "services of environment next"),
        (22, "services of environment next"),
        (26, "services of environment next"),
        (39, "services of environment next"),
    ]


def test_what_is_no_folder_is_said(tmp_path: Path) -> None:
    """A missing path, an empty folder and a missing file are problems with a name, not tracebacks."""
    assert "is not there" in str(lint(tmp_path / "nowhere")[0])
    assert "organisation.yaml" in str(lint(tmp_path)[0])
    with pytest.raises(InvalidFile, match="cannot be read"):
        load_organisation(tmp_path)


def test_a_log_whose_format_nobody_declared_is_read_by_no_step(tmp_path: Path) -> None:
    """The step is named, and what the environment's file lacks."""
    declared = (
        '    log_formats: [{format: json}, {format: text, pattern: "^(?<level>[A-Z]+) ", samples: [INFO tide read]}]\n'
    )
    folder = written(tmp_path, {ENVIRONMENT: (declared, "")})
    said = [str(problem) for problem in lint(folder)]
    assert len(said) == 1, said
    assert "with.service: 'timetable' has no log_formats in environment docks; add it there" in said[0]
