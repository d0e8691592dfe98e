"""`incident demo`: one incident from fault to report, on this machine, with AWS itself asked at the end."""

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

from sandbox.scenarios.scenario import Check, Story
from starters.cli.shared_options import shared
from starters.errors import RefusedError
from starters.options import Options

_SPEED = 60
_STORIES = {
    "security": "sandbox.scenarios.security:Security",
    "system-outage": "sandbox.scenarios.outage:SystemOutage",
    "data-breach": "sandbox.scenarios.breach:DataBreach",
    "database": "sandbox.scenarios.database:DatabaseDown",
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
@click.option("--scenario", default="system-outage", show_default=True, metavar="NAME", help="Which story to play.")
@click.option("--keep", is_flag=True, help="Leave the sandbox running afterwards, to look around in it.")
@shared
def demo(options: Options, scenario: str, keep: bool) -> None:
    """Play one incident from fault to report; exits 0 when it ended as it should."""
    from sandbox.command import end_on_signals
    from sandbox.runtime import supervisor
    from sandbox.runtime.state import Files

    end_on_signals()
    story = _story(scenario)
    files = Files(Path(tempfile.mkdtemp(prefix="incident-demo-")))
    if options.as_json:
        sys.stdout, answer_to = sys.stderr, sys.stdout
    try:
        answer = _played(story, files, options)
    finally:
        if not keep:
            supervisor.stop(files)
            shutil.rmtree(files.data_dir, ignore_errors=True)
    if keep:
        click.echo(f'Look around: eval "$(incident sandbox env --data-dir {files.data_dir})"')
        click.echo(f"Then: incident sandbox stop --data-dir {files.data_dir}")
    if options.as_json:
        sys.stdout = answer_to
        click.echo(json.dumps(answer))
    failed = [check for check in answer["checks"] if not check["holds"]]
    if failed:
        raise RefusedError(f"the story did not end as it should: {'; '.join(check['what'] for check in failed)}")


def _story(scenario: str) -> Story:
    if scenario not in _STORIES:
        raise click.UsageError(f"there is no scenario {scenario!r}; there are {', '.join(_STORIES)}")
    module, name = _STORIES[scenario].split(":")
    story: Story = getattr(importlib.import_module(module), name)()
    return story


def _played(story: Story, files: Any, options: Options) -> dict[str, Any]:
    """Start a sandbox, break it, play the story in it and look at what came of it."""
    from temporalio.service import RPCError

    from sandbox.runtime import supervisor
    from sandbox.runtime.launch import StartError
    from sandbox.runtime.services import MissingCommandError
    from sandbox.scenarios.actors import StoryError

    try:
        sandbox, _ = supervisor.start(
            files,
            options.folder(),
            options.environment or "sandbox",
            port_base=None,
            worker=True,
            supervised=False,
        )
        os.environ.update(sandbox.variables())
        return asyncio.run(_tell(story, files, sandbox))
    except (StartError, MissingCommandError, StoryError) as error:
        raise RefusedError(str(error)) from error
    except RPCError as error:
        raise RefusedError(f"the sandbox's Temporal server or worker does not answer: {error}") from error


async def _tell(story: Story, files: Any, sandbox: Any) -> dict[str, Any]:
    import boto3

    from sandbox.scenarios.actors import Stage
    from starters.client.connection import connect
    from starters.files.organisation_folder import load_environment

    environment = load_environment(sandbox.runbooks, sandbox.environment)
    session = boto3.Session(region_name=environment.region)

    def aws(service: str) -> Any:
        made: Any = session.client(service)  # type: ignore[call-overload]
        return made

    before = story.look(aws, environment)
    click.secho(f"\n{story.opening}", bold=True)
    click.echo(f"Temporal's UI: {sandbox.ui_url}")
    if story.fault:
        _incident("sandbox", "break", story.fault, "--data-dir", str(files.data_dir))
    started = json.loads(
        _incident(
            *("start", story.type, "--severity", story.severity, "--title", story.title),
            *("--speed", str(_SPEED), "--json"),
            shown=False,
        )
    )
    incident = started["incident_id"]
    click.echo(f"{incident} is declared, its clocks {_SPEED} times as fast: {started['ui']}")
    stage = Stage(await connect(), incident, files, sandbox)
    await stage.play(story)
    checks = [*story.checks(aws, environment, before), *_outside(files, incident)]
    click.secho("\nThe closing account", bold=True)
    _incident("report", incident)
    click.secho("\nAWS, the status page and the outbox, asked directly", bold=True)
    for check in checks:
        click.secho(f"  {'yes' if check.holds else 'NO '}  {check.what}", fg="green" if check.holds else "red")
    state = await stage.state()
    return {
        "scenario": story.type,
        "incident_id": incident,
        "status": state["status"],
        "checks": [check._asdict() for check in checks],
    }


def _outside(files: Any, incident: str) -> list[Check]:
    """What people and the public were told: pages to roles, and exactly one story on the status page."""
    from sandbox.runtime.outbox import Outbox

    entries = [entry for entry in Outbox(files.outbox).entries() if entry["incident"] == incident]
    pages = [entry for entry in entries if entry["channel"] in {"sms", "email"}]
    posts = [entry for entry in entries if entry["channel"] == "statuspage"]
    checks = [Check(f"{len(pages)} pages were delivered, none without a role", all(page["role"] for page in pages))]
    if posts:
        subjects = " → ".join(str(post["subject"]) for post in posts)
        checks.append(Check(f"the status page told: {subjects}", "resolved" in str(posts[-1]["subject"]).lower()))
    return checks


def _incident(*arguments: str, shown: bool = True) -> str:
    """Run one `incident` command as a person would type it, and return what it printed."""
    if shown:
        click.secho(f"$ incident {' '.join(arguments[:3])}", fg="cyan")
    done = subprocess.run(
        [sys.executable, "-m", "starters.cli.main", *arguments], text=True, capture_output=True, check=False
    )
    if done.returncode:
        raise RefusedError(f"incident {arguments[0]} failed: {done.stderr.strip()}")
    if shown:
        click.echo(done.stdout.rstrip())
    return done.stdout
