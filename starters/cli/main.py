"""The `incident` command: a table of subcommands, each imported only when it is called."""

import importlib
import os
import sys

import click

# With the imports inside functions, this table keeps every call fast: no command loads what another one needs.
_COMMANDS: dict[str, tuple[str, str]] = {
    "start": ("starters.cli.start:start", "Declare an incident."),
    "list": ("starters.cli.listing:list_incidents", "List incidents, newest first."),
    "show": ("starters.cli.show:show", "Show an incident as it stands."),
    "watch": ("starters.cli.watch:watch", "Follow an incident: what is due, and what to type next."),
    "timeline": ("starters.cli.show:timeline", "Print everything that happened, oldest first."),
    "report": ("starters.cli.report:report", "Write the report of an incident."),
    "ack": ("starters.cli.respond:ack", "Acknowledge an incident; the first to do so commands it."),
    "hand-over": ("starters.cli.hand_over:hand_over", "Offer command to somebody, or take it."),
    "note": ("starters.cli.respond:note", "Add a note to the timeline."),
    "severity": ("starters.cli.respond:severity", "Change the severity."),
    "done": ("starters.cli.respond:done", "Mark a task done."),
    "waive": ("starters.cli.respond:waive", "Waive a task, with a reason."),
    "change": ("starters.cli.change:change", "Request a change and print its plan."),
    "approve": ("starters.cli.voting:approve", "Approve exactly the plan you were shown."),
    "reject": ("starters.cli.voting:reject", "Reject a plan."),
    "break-glass": ("starters.cli.voting:break_glass", "Decide alone on a plan, when nobody answers."),
    "undo": ("starters.cli.change:undo", "Request the undo of an applied change."),
    "mitigated": ("starters.cli.respond:mitigated", "Mark an incident mitigated: its symptoms are gone."),
    "resolve": ("starters.cli.respond:resolve", "Mark an incident resolved: its cause is gone."),
    "reopen": ("starters.cli.respond:reopen", "Reopen an incident: it is not over."),
    "false-alarm": ("starters.cli.respond:false_alarm", "End an incident as a false alarm."),
    "close": ("starters.cli.respond:close", "Close a resolved incident for good."),
    "facts": ("starters.cli.obligations:facts", "Show or record the facts that deadlines count from."),
    "obligations": ("starters.cli.obligations:obligations", "Show obligations: what is owed, to whom and by when."),
    "obligation": ("starters.cli.obligations:obligation", "Sign off an obligation, or prepare its drafts."),
    "register": ("starters.cli.register:register", "Show the breach register: suspected breaches and decisions."),
    "stats": ("starters.cli.stats:stats", "Show statistics: how many incidents, how long, how timely."),
    "evidence": ("starters.cli.evidence:evidence", "List and check evidence, and record its custody."),
    "codec": ("starters.cli.codec:codec", "Decode for Temporal's UI what is encrypted."),
    "audit": ("starters.cli.audit:audit", "Check the stored record, or export it as one file."),
    "restore": ("starters.cli.restore:restore", "Go on with incidents that Temporal has lost, from the ledger."),
    "watchdog": ("starters.cli.watchdog:watchdog", "Look once for incidents that nobody carries on, and page."),
    "simulate": (
        "starters.cli.simulate:simulate",
        "Show who would be paged, and when, before it happens.",
    ),
    "rehearse": (
        "starters.cli.rehearse:rehearse",
        "Run stored incidents again by the rules and runbooks of today.",
    ),
    "drill": ("starters.cli.drill:drill", "Start, list, score and stop drills."),
    "schedule": ("starters.cli.schedule:schedule", "Apply, list, run and pause schedules: drills, reviews, checks."),
    "contact": ("starters.cli.contact:contact", "See by what people are known to be reached, and confirm one."),
    "identity": ("starters.cli.identity:identity", "Enrol, list, revoke and try keys that prove who people are."),
    "preauthorise": (
        "starters.cli.preauthorise:preauthorise",
        "Let a change begin by itself in a P0, within bounds.",
    ),
    "delegate": ("starters.cli.delegate:delegate", "Have somebody stand in for a role until a time."),
    "preflight": ("starters.cli.preflight:preflight", "Check that an environment is ready, before it is needed."),
    "deploy": ("starters.cli.deploy:deploy", "Release amid incidents: builds, the current one, moving to it."),
    "runbook": ("starters.cli.runbook:runbook", "List, show, draw, check and compare runbooks."),
    "worker": ("worker.command:worker", "Run a worker."),
    "sandbox": ("sandbox.command:sandbox", "Run a complete sandbox on this machine, with faults to inject."),
    "demo": ("sandbox.demo:demo", "Play one incident from fault to report."),
}


class _Lazy(click.Group):
    """Knows its commands by name and one line of help; imports a command only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


incident = _Lazy(
    name="incident",
    help="Declare, run and close incidents. They live in Temporal: nothing is lost when this command exits.",
    epilog="Exit status: 0 done, 1 refused, 2 wrong usage or input, 3 Temporal or its workers do not answer.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
click.version_option(package_name="incident-orchestrator")(incident)


def invoke(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status; if that is not 0, stderr says why.

    0 done; 1 refused; 2 wrong usage or invalid input; 3 Temporal unreachable, or no worker answers.
    """
    try:
        _check(sys.argv[1:] if arguments is None else arguments)
        outcome = incident.main(arguments, prog_name="incident", standalone_mode=False)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  (the reader has gone, as with `| head`)
        return 0
    except click.Abort:
        click.echo("Aborted", err=True)
        return 1
    except click.ClickException as error:
        click.echo(_reason(error), err=True)
        return error.exit_code
    return outcome if isinstance(outcome, int) else 0


def _reason(error: click.ClickException) -> str:
    """Why, in one line; for an invalid file, one line for each problem."""
    if isinstance(error, click.UsageError) and not isinstance(error, click.exceptions.NoArgsIsHelpError):
        command = f"{error.ctx.command_path}: " if error.ctx else ""
        return command + " ".join(error.format_message().split())
    return error.format_message()


def _check(arguments: list[str]) -> None:
    """Refuse what no record can hold: bytes of another encoding, which Python reads as halves of characters."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            raise click.UsageError(f"{argument!r} is no text in UTF-8") from error


def main() -> None:
    """Run the command and exit without the interpreter's teardown, which the SDK's threads can crash."""
    try:
        status = invoke()
    except Exception:  # noqa: BLE001 - a bug: show the traceback, and still skip the teardown
        sys.excepthook(*sys.exc_info())
        status = 1
    if "workflows.tracing" in sys.modules:
        sys.modules["workflows.tracing"].flush()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            continue
    os._exit(status)


if __name__ == "__main__":
    main()
