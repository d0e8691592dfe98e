"""`incident demo`: play one incident from fault to report on this machine, then check AWS directly."""

import asyncio
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from sandbox.scenarios.scenario import Check, Scenario
from starters.cli.shared_options import shared
from starters.errors import RefusedError
from starters.options import Options

_SPEED = 60
_ALL = "all"
_SCENARIOS = {
    "security": "sandbox.scenarios.security:Security",
    "system-outage": "sandbox.scenarios.outage:SystemOutage",
    "outage-beside-breaker": "sandbox.scenarios.outage:OutageBesideBreaker",
    "data-breach": "sandbox.scenarios.breach:DataBreach",
    "database": "sandbox.scenarios.database:DatabaseDown",
    "database-cluster": "sandbox.scenarios.database:DatabaseCluster",
    "performance": "sandbox.scenarios.performance:Performance",
    "audit-logging-failure": "sandbox.scenarios.plain:AuditLogging",
    "authentication-failure": "sandbox.scenarios.plain:Authentication",
    "backup-failure": "sandbox.scenarios.plain:Backup",
    "certificate-warning": "sandbox.scenarios.plain:CertificateWarning",
    "alert-storm": "sandbox.scenarios.plain:AlertStorm",
    "feature-failure": "sandbox.scenarios.plain:FeatureFailure",
    "maintenance": "sandbox.scenarios.plain:Maintenance",
}


@click.command()
@click.option(
    "--scenario",
    "name",
    default="system-outage",
    show_default=True,
    metavar="NAME",
    help="Which scenario to play; `all` plays every one.",
)
@click.option("--keep", is_flag=True, help="Leave the sandbox running, to look around in it.")
@shared
def demo(options: Options, name: str, keep: bool) -> None:
    """Play one incident from fault to report; exits 0 if it ended as expected."""
    from sandbox.command import end_on_signals

    end_on_signals()
    if keep and name == _ALL:
        raise click.UsageError("--keep leaves one sandbox running: name its scenario")
    if options.as_json:
        sys.stdout, answer_to = sys.stderr, sys.stdout  # stdout is for the one JSON document
    answer, failed = _every(options) if name == _ALL else _one(_scenario(name), options, keep)
    if options.as_json:
        sys.stdout = answer_to
        click.echo(json.dumps(answer))
    if failed:
        raise RefusedError(f"not as expected: {'; '.join(failed)}")


def _every(options: Options) -> tuple[list[dict[str, Any]], list[str]]:
    """Play every scenario; how each ended, and which did not end as expected."""
    from sandbox import every_demo

    given = {"--runbooks": options.runbooks, "--environment": options.environment}
    ended = every_demo.play([*_SCENARIOS], [word for item in given.items() if item[1] for word in map(str, item)])
    return ended, [one["scenario"] for one in ended if not one["as_expected"]]


def _one(scenario: Scenario, options: Options, keep: bool) -> tuple[dict[str, Any], list[str]]:
    """Play a scenario in a sandbox, which is left running only to look around in; its checks that do not hold."""
    from sandbox.runtime import supervisor
    from sandbox.runtime.state import Files

    files = Files(Path(tempfile.mkdtemp(prefix="incident-demo-")))
    try:
        answer = _run_in_sandbox(scenario, files, options)
    finally:
        if not keep:
            supervisor.stop(files)
            shutil.rmtree(files.data_dir, ignore_errors=True)
    if keep:
        click.echo(f'Look around: eval "$(incident sandbox env --data-dir {files.data_dir})"')
        click.echo(f"Then: incident sandbox stop --data-dir {files.data_dir}")
    return answer, [check["what"] for check in answer["checks"] if not check["holds"]]


def _scenario(name: str) -> Scenario:
    if name not in _SCENARIOS:
        raise click.UsageError(f"there is no scenario {name!r}; choose from {', '.join(_SCENARIOS)}, {_ALL}")
    module, class_name = _SCENARIOS[name].split(":")
    scenario: Scenario = getattr(importlib.import_module(module), class_name)()
    return scenario


def _run_in_sandbox(scenario: Scenario, files: Any, options: Options) -> dict[str, Any]:
    """Start a sandbox, break it, play the scenario in it and check the outcome."""
    from temporalio.service import RPCError

    from sandbox.runtime import supervisor
    from sandbox.runtime.launch import StartError
    from sandbox.runtime.organisation_copy import copy_organisation
    from sandbox.runtime.services import MissingCommandError
    from sandbox.scenarios.actors import ScenarioError

    environment = options.environment or "sandbox"
    try:
        sandbox, _ = supervisor.start(
            files,
            copy_organisation(options.folder(), files.runbooks, environment, databases=scenario.databases),
            environment,
            port_base=None,
            worker=True,
            supervised=False,
        )
        os.environ.update(sandbox.variables())  # boto3, the client and the commands run below find the sandbox by it
        return asyncio.run(_play(scenario, files, sandbox, options))
    except (StartError, MissingCommandError, ScenarioError) as error:
        raise RefusedError(str(error)) from error
    except RPCError as error:
        raise RefusedError(f"the sandbox's Temporal server or worker does not answer: {error}") from error


async def _play(scenario: Scenario, files: Any, sandbox: Any, options: Options) -> dict[str, Any]:
    import boto3

    from sandbox.scenarios.actors import Actors, show
    from starters.cli.terminal import clock
    from starters.client.connection import connect
    from starters.files.organisation_folder import load_environment

    environment = load_environment(sandbox.runbooks, sandbox.environment)
    session = boto3.Session(region_name=environment.region)

    def aws(service: str) -> Any:
        made: Any = session.client(service)  # type: ignore[call-overload]
        return made

    before = scenario.look(aws, environment)
    click.echo()
    show(scenario.opening, bold=True)
    click.echo(f"Temporal's UI: {sandbox.ui_url}")
    if scenario.fault:
        _incident("sandbox", "break", scenario.fault, "--data-dir", str(files.data_dir))
    started = json.loads(
        _incident(
            *("start", scenario.type, "--severity", scenario.severity, "--title", scenario.title),
            *("--speed", str(_SPEED), "--json"),
            shown=False,
        )
    )
    incident = started["incident_id"]
    times = clock(options)
    show(f"{incident} is declared, with clocks that run {_SPEED} times as fast: {started['ui']}")
    show(f"Times are those of {times.name}, except where a text names a zone itself.")
    actors = Actors(await connect(), incident, files, sandbox, times)
    await actors.play(scenario)
    checks = [*scenario.checks(aws, environment, before), *_outside(files, incident)]
    click.secho("\nThe report", bold=True)
    _incident("report", incident)
    click.secho("\nChecked directly in AWS, on the status page and in the outbox", bold=True)
    for check in checks:
        show(f"  {'yes' if check.holds else 'NO '}  {check.what}", fg="green" if check.holds else "red")
    state = await actors.state()
    return {
        "scenario": scenario.type,
        "incident_id": incident,
        "status": state["status"],
        "checks": [check._asdict() for check in checks],
    }


def _outside(files: Any, incident: str) -> list[Check]:
    """What was sent to people and to the public: every page names a role, and the status page ends resolved."""
    from sandbox.runtime.outbox import Outbox

    entries = [entry for entry in Outbox(files.outbox).entries() if entry["incident"] == incident]
    pages = [entry for entry in entries if entry["channel"] in {"sms", "voice", "email"}]
    posts = [entry for entry in entries if entry["channel"] == "statuspage"]
    told = (
        "1 page was delivered, to a role" if len(pages) == 1 else f"{len(pages)} pages were delivered, each to a role"
    )
    checks = [Check(told, bool(pages) and all(page["role"] for page in pages))]
    if posts:
        subjects = " → ".join(str(post["subject"]) for post in posts)
        checks.append(Check(f"the status page said: {subjects}", "resolved" in str(posts[-1]["subject"]).lower()))
    return checks


def _incident(*arguments: str, shown: bool = True) -> str:
    """Run one `incident` command as a person would type it, and return what it printed."""
    from sandbox.scenarios.actors import show

    if shown:
        click.secho(f"$ incident {' '.join(arguments[:3])}", fg="cyan")
    done = subprocess.run(
        [sys.executable, "-m", "starters.cli.main", *arguments], text=True, capture_output=True, check=False
    )
    if done.returncode:
        raise RefusedError(f"incident {arguments[0]} failed: {done.stderr.strip()}")
    if shown:
        for line in done.stdout.rstrip().splitlines():
            show(line)
    return done.stdout
