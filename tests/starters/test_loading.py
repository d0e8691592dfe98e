"""An organisation's folder loads whole, or is refused with every fault by file, line and key."""

import subprocess
import sys
from pathlib import Path

import pytest

from domain.config.approval import DEFAULT_RULES, ApprovalClass, ApprovalRule
from domain.config.organisation import Organisation
from domain.config.runbook import ChangeStep, ProbeStep, Runbook
from domain.values.placeholders import placeholders
from starters.files.loading import lint, load_runbook
from starters.files.organisation_folder import (
    list_environments,
    list_runbooks,
    load_environment,
    load_organisation,
    shipped_folder,
)
from starters.files.problems import InvalidFile
from starters.files.yaml_lines import read
from tests.starters import clinic

ORGANISATION = "organisation.yaml"
ENVIRONMENT = "environments/test.yaml"
RUNBOOK = "slow-site.yaml"

BROKEN = [
    (ORGANISATION, "id: head", "id: ops", "9: contacts[1].id", "'ops' stands twice"),
    (ORGANISATION, "chain: [head]", "chain: [boss]", "14: chain[0]", "known: head, operations"),
    (ORGANISATION, "Australia/Perth", "Perth", "3: timezone", "no time zone"),
    (ORGANISATION, '"+61491570110"', '"0491570110"', "8: contacts[0].channels[0].address", "E.164"),
    (ORGANISATION, "head@example.com", "head", "13: contacts[1].channels[0].address", "mail address"),
    (ORGANISATION, "insurer@example.com", "+61-XXX-XXXX", "16: externals[0].contact", "placeholder"),
    (ORGANISATION, "respond: 24h", "respond: 24 hours", "23: severities.P3.respond", "such as 15m"),
    (ORGANISATION, "  P1: *p0\n", "", "17: severities", "no policy for P1"),
    (ORGANISATION, "  P2: *p0", "  P9: *p0", "20: severities.P9", "'P0', 'P1', 'P2' or 'P3'"),
    (ORGANISATION, "title: A clinic", "titel: A clinic", "2: titel", "did you mean 'title'?"),
    (ENVIRONMENT, "name: test", "name: other", "1: name", "test.yaml"),
    (ENVIRONMENT, '"123456789012"', '"1234"', "3: account", "twelve digits"),
    (ENVIRONMENT, '"123456789012"', "123456789012", "3: account", "quotes"),
    (ENVIRONMENT, "page_id: page", "page_id: YOUR_PAGE_ID", "7: status_page.page_id", "placeholder"),
    (ENVIRONMENT, "targetgroup/web/", f"targetgroup/{'w' * 33}/", "13: services.web.target_group_arn", "33 characters"),
    (ENVIRONMENT, "app/front/0123", f"app/{'f' * 33}/0123", "23: load_balancers.front.arn", "33 characters"),
    (
        ENVIRONMENT,
        "aws-waf-logs-clinic",
        "/aws/wafv2/clinic",
        "33: web_acls.front.log_group",
        "must start aws-waf-logs-",
    ),
    (ENVIRONMENT, "replica_of: main", "replica_of: mian", "20: databases.copy.replica_of", "did you mean 'main'?"),
    (ENVIRONMENT, "bucket: pages", "bucket: page", "29: maintenance.bucket", "did you mean 'pages'?"),
    (ENVIRONMENT, "load_balancer: front", "load_balancer: back", "28: maintenance.load_balancer", "known: front"),
    (RUNBOOK, "id: slow-site", "id: slow", "1: id", "slow-site.yaml"),
    (RUNBOOK, 'version: "1.0"', "version: 1.0", "3: version", "put it in quotes"),
    (RUNBOOK, 'version: "1.0"', "version: '[Current Date]'", "3: version", "placeholder"),
    (RUNBOOK, "owner: operations", "owner: opperations", "5: owner", "did you mean 'operations'?"),
    (RUNBOOK, "on_call: [operations]", "on_call: [insurer]", "6: on_call[0]", "known: head, operations"),
    (RUNBOOK, "on_call: [operations]\n", "", "1: on_call", "devops-lead, development-lead, security-lead"),
    (RUNBOOK, "page_at_once: [head]", "page_at_once: [cto]", "7: page_at_once[0]", "unknown role 'cto'"),
    (RUNBOOK, "within: 15m", "within: 15", "11: phases[0].within", "no unit"),
    (RUNBOOK, "id: services", "id: errors", "17: phases[0].steps[1].id", "on line 13 already"),
    (RUNBOOK, "id: act", "id: grow", "26: phases[1].steps[0].id", "on line 23 already"),
    (
        RUNBOOK,
        "title: Errors",
        "titel: Errors",
        "15: phases[0].steps[0].titel",
        "known: id, opens, probe, raises_to, title, with",
    ),
    (RUNBOOK, "title: Errors", "title: Errors\n        title: E", "16: phases[0].steps[0].title", "first on line 15"),
    (RUNBOOK, "probe: logs.errors", "probe: logs.error", "14: phases[0].steps[0].probe", "did you mean 'logs.errors'?"),
    (RUNBOOK, "probe: logs.errors", "task: logs.errors\n        probe: x", "13: phases[0].steps[0]", "exactly one"),
    (
        RUNBOOK,
        "change: ecs.rollback_service",
        "probe: ecs.rollback_service",
        "33: phases[1].steps[1].probe",
        "a change",
    ),
    (RUNBOOK, "with: {count: 4}", "with: {count: many}", "29: phases[1].steps[0].with.count", "integer"),
    (RUNBOOK, "with: {count: 4}", "with: {cuont: 4}", "29: phases[1].steps[0].with.cuont", "did you mean 'count'?"),
    (RUNBOOK, "with: {count: 4}", "params: {count: 4}", "29: phases[1].steps[0].params", "known: with"),
    (RUNBOOK, "ask: [service]", "ask: [servce]", "30: phases[1].steps[0].ask[0]", "did you mean 'service'?"),
    (RUNBOOK, "ask: [service]", "ask: []", "29: phases[1].steps[0].with.service", "is missing"),
    (RUNBOOK, "            - web", "            - wbe", "22: phases[0].steps[1].with.services[0]", "environment test"),
    (
        RUNBOOK,
        "suggested_by: [errors]",
        "suggested_by: [grow]",
        "31: phases[1].steps[0].suggested_by[0]",
        "known: errors",
    ),
    (RUNBOOK, "unless: [errors]", "unless: [error]", "43: phases[1].steps[2].unless[0]", "did you mean 'errors'?"),
    (
        RUNBOOK,
        "incident-commander, head",
        "head, cto",
        "37: phases[1].steps[1].approval.roles[1]",
        "unknown role 'cto'",
    ),
    (
        RUNBOOK,
        "incident-commander, head",
        "insurer",
        "37: phases[1].steps[1].approval.roles[0]",
        "unknown role 'insurer'",
    ),
    (RUNBOOK, "quorum: 2", "quorum: 3", "38: phases[1].steps[1].approval.quorum", "2 people hold"),
    (RUNBOOK, "on: mitigated", "on: closed", "42: phases[1].steps[2].on", "not 'closed'"),
    (RUNBOOK, "owner: insurer", "owner: nobody", "46: phases[1].steps[3].owner", "unknown role 'nobody'"),
    (RUNBOOK, "due: 2d", "due: 2 days", "47: phases[1].steps[3].due", "such as 15m"),
    (RUNBOOK, "due: 2d", "due: [2d", "48", "is not YAML"),
]


def _load(folder: Path) -> Runbook:
    organisation = load_organisation(folder)
    return load_runbook(folder, "slow-site", organisation, load_environment(folder, "test"))


def _shipped_organisation() -> Organisation:
    return load_organisation(shipped_folder())


@pytest.mark.parametrize(("file", "old", "new", "where", "said"), BROKEN)
def test_a_fault_is_named_by_file_line_and_key(
    tmp_path: Path, file: str, old: str, new: str, where: str, said: str
) -> None:
    """A fault is told once, at its own file, line and key, with a word on what would be right."""
    folder = clinic.write(tmp_path, {file: (old, new)})
    with pytest.raises(InvalidFile) as refused:
        _load(folder)
    told = [str(problem) for problem in refused.value.problems]
    expected = [line for line in told if line.startswith(f"{folder / file}:{where}: ") and said in line]
    assert len(expected) == 1, told
    assert all(str(folder / file) in line for line in told)


def test_another_organisation_loads_without_code(tmp_path: Path) -> None:
    """Roles, environments and runbooks of another organisation need nothing but their files."""
    runbook = _load(clinic.write(tmp_path))
    assert [step.id for step in runbook.steps()] == ["errors", "services", "grow", "back", "told", "write-down"]
    assert list_runbooks(tmp_path) == ["slow-site"]
    assert lint(tmp_path) == []


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    """A file with several faults of different kinds is refused once, with all of them, in order of lines."""
    folder = clinic.write(tmp_path, {RUNBOOK: ("owner: operations\non_call: [operations]", "owner: x\non_call: [y]")})
    text = (folder / RUNBOOK).read_text()
    for old, new in (("title: Look", "tilte: Look"), ("logs.errors", "logs.eror"), ("quorum: 2", "quorum: 9")):
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
        (38, "phases[1].steps[1].approval.quorum"),
    ]


def test_a_default_approval_that_nobody_can_give_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the runbook is silent the class's default counts, and enough people must be able to give it."""
    approval = "        approval:\n          roles: [incident-commander, head]\n          quorum: 2\n"
    folder = clinic.write(tmp_path, {RUNBOOK: (approval, "")})
    assert lint(folder) == []
    monkeypatch.setitem(DEFAULT_RULES, ApprovalClass.A2, ApprovalRule(roles=("head", "cto"), quorum=2))
    (problem,) = lint(folder)
    assert (problem.line, problem.field) == (33, "phases[1].steps[1].change")
    assert "by default 2 must approve, but 1 person holds head, cto" in problem.message


def test_an_unknown_type_names_the_known_ones(tmp_path: Path) -> None:
    """Who mistypes a type or an environment is told which there are; a path is no type."""
    folder = clinic.write(tmp_path)
    organisation, environment = load_organisation(folder), load_environment(folder, "test")
    for name in ("slow-sit", "organisation", "../slow-site"):
        with pytest.raises(InvalidFile, match="known: slow-site"):
            load_runbook(folder, name, organisation, environment)
    with pytest.raises(InvalidFile, match="known: test"):
        load_environment(folder, "prod")


def test_the_shipped_sandbox_loads_with_every_runbook() -> None:
    """What is shipped works as it is: organisation, sandbox, and every runbook against it."""
    folder = shipped_folder()
    environment = load_environment(folder, "sandbox")
    runbooks = [load_runbook(folder, name, _shipped_organisation(), environment) for name in list_runbooks(folder)]
    outage = next(runbook for runbook in runbooks if runbook.id == "system-outage")
    assert [step.id for step in outage.steps() if isinstance(step, ChangeStep)] == [
        "rollback",
        "scale-up",
        "maintenance-page",
    ]
    assert {step.probe for step in outage.steps() if isinstance(step, ProbeStep)} >= {
        "elbv2.target_health",
        "rds.status",
    }
    assert lint(folder) == []
    assert lint(folder.parent) == []


@pytest.mark.parametrize("name", ["staging", "production"])
def test_an_environment_to_fill_in_is_refused_with_every_placeholder(name: str) -> None:
    """What nobody has filled in yet cannot be used, and each such value is named with its line."""
    folder = shipped_folder()
    file = folder / "environments" / f"{name}.yaml"
    lines = file.read_text().splitlines()
    expected = [n for n, line in enumerate(lines, start=1) if not line.lstrip().startswith("#") and "XX" in line]
    expected += [n for n, line in enumerate(lines, start=1) if not line.lstrip().startswith("#") and "YOUR_" in line]
    with pytest.raises(InvalidFile) as refused:
        load_environment(folder, name)
    found = [problem.line for problem in refused.value.problems if problem.file == file]
    assert found == sorted(expected)
    assert len(found) == len(list(placeholders(read(file).data))) > 10
    assert load_environment(folder, name, allow_placeholders=True).account == "000000000000"
    assert {problem.file for problem in lint(file)} >= {file}


def test_production_never_pages_numbers_reserved_for_fiction(tmp_path: Path) -> None:
    """A production whose contacts cannot be reached by telephone is refused; a sandbox is not."""
    folder = clinic.write(tmp_path, {ENVIRONMENT: ("kind: sandbox", "kind: production")})
    with pytest.raises(InvalidFile) as refused:
        load_environment(folder, "test")
    assert [str(problem).split(": ")[:2] for problem in refused.value.problems] == [
        [f"{folder / ORGANISATION}:8", "contacts[0].channels[0].address"]
    ]


def test_every_environment_must_know_a_runbooks_names(tmp_path: Path) -> None:
    """Lint checks logical names against every environment of the folder, those to be filled in too."""
    folder = clinic.write(tmp_path)
    other = clinic.ENVIRONMENT.replace("name: test", "name: next").replace("  web:\n", "  site:\n")
    (folder / "environments/next.yaml").write_text(other.replace("123456789012", "XXX", 1))
    assert list_environments(folder) == ["next", "test"]
    assert [(problem.line, problem.message.split(" among ")[1]) for problem in lint(folder)] == [
        (16, "services of environment next"),
        (22, "services of environment next"),
        (35, "services of environment next"),
    ]


def test_what_is_no_folder_is_said(tmp_path: Path) -> None:
    """A missing path, an empty folder and a missing file are problems with a name, not tracebacks."""
    assert "is not there" in str(lint(tmp_path / "nowhere")[0])
    assert "organisation.yaml" in str(lint(tmp_path)[0])
    with pytest.raises(InvalidFile, match="cannot be read"):
        load_organisation(tmp_path)


def test_loading_imports_no_library_of_aws_or_temporal() -> None:
    """The command starts fast and light: to load and lint needs neither boto3 nor Temporal's SDK."""
    program = (
        "import sys; from starters.files.loading import lint, schema;"
        "from starters.files.organisation_folder import shipped_folder;"
        "lint(shipped_folder()); schema();"
        "print([m for m in sys.modules if m.split('.')[0] in ('boto3', 'botocore')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_who_and_where_are_read_without_any_action() -> None:
    """Nearly every command reads the organisation; what can be done takes far longer to load than all of that."""
    program = (
        "import sys; from starters.files import organisation_folder as folder; shipped_folder = folder.shipped_folder;"
        "folder.load_organisation(shipped_folder()); folder.load_environment(shipped_folder(), 'sandbox');"
        "print([m for m in sys.modules if m.split('.')[0] in ('activities', 'temporalio', 'requests')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
