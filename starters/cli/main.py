"""The `incident` command: a table of subcommands, each imported only when it is called."""

import importlib
import os
import sys

import click

from starters.cli import exit_codes

_COMMANDS: dict[str, tuple[str, str]] = {
    "start": ("starters.cli.start:start", "Declare an incident."),
    "list": ("starters.cli.listing:list_incidents", "List incidents, newest first."),
    "show": ("starters.cli.show:show", "Show an incident as it stands."),
    "watch": ("starters.cli.watch:watch", "Follow an incident: what is due, and what to type next."),
    "timeline": ("starters.cli.show:timeline", "Print everything that happened, oldest first."),
    "report": ("starters.cli.report:report", "Write the account of an incident."),
    "ack": ("starters.cli.respond:ack", "Acknowledge an incident; the first to do so commands it."),
    "note": ("starters.cli.respond:note", "Put a note on record."),
    "severity": ("starters.cli.respond:severity", "Change the severity."),
    "done": ("starters.cli.respond:done", "Tell that a task is done."),
    "waive": ("starters.cli.respond:waive", "Waive a task, with a reason."),
    "change": ("starters.cli.change:change", "Ask for a change and print its plan."),
    "approve": ("starters.cli.change:approve", "Approve exactly the plan that you were shown."),
    "reject": ("starters.cli.change:reject", "Reject a plan."),
    "undo": ("starters.cli.change:undo", "Ask for the reverse of an applied change."),
    "mitigated": ("starters.cli.respond:mitigated", "Tell that the symptoms are gone."),
    "resolve": ("starters.cli.respond:resolve", "Tell that the cause is gone."),
    "reopen": ("starters.cli.respond:reopen", "Go back to declared: it is not over."),
    "false-alarm": ("starters.cli.respond:false_alarm", "End an incident that was none."),
    "close": ("starters.cli.respond:close", "Close a resolved incident for good."),
    "facts": ("starters.cli.obligations:facts", "Show or record the facts that clocks of the law count from."),
    "obligations": ("starters.cli.obligations:obligations", "Show what is owed to whom, and until when."),
    "obligation": ("starters.cli.obligations:obligation", "End a duty, or prepare what it asks for."),
    "register": ("starters.cli.register:register", "Show the breach register: what was decided of each suspicion."),
    "stats": ("starters.cli.stats:stats", "Count incidents: how many, how long, how often in time."),
    "evidence": ("starters.cli.evidence:evidence", "List, hand over and check what was preserved."),
    "audit": ("starters.cli.audit:audit", "Check the stored record, or take it along as one file."),
    "runbook": ("starters.cli.runbook:runbook", "List, show and check runbooks."),
    "worker": ("worker.command:worker", "Run a worker."),
    "sandbox": ("sandbox.command:sandbox", "Run everything on this machine, faults included."),
    "demo": ("sandbox.demo:demo", "Play one incident from fault to report."),
}


class _Lazy(click.Group):
    """Knows its commands by name and one line of help; imports one when it is called."""

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
    help="Declare, steer and close incidents. They live in Temporal: nothing is lost when this command ends.",
    epilog="Exit status: 0 done, 1 refused, 2 wrong usage or input, 3 Temporal or its workers do not answer.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
click.version_option(package_name="incident-orchestrator")(incident)


def invoke(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status; the reason for any other than 0 is on stderr."""
    try:
        outcome = incident.main(arguments, prog_name="incident", standalone_mode=False)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else exit_codes.REFUSED
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  (whoever read has had enough)
        return exit_codes.DONE
    except Exception as error:
        status = exit_codes.status(error)
        if status is None:
            raise
        click.echo(exit_codes.reason(error), err=True)
        return status
    return outcome if isinstance(outcome, int) else exit_codes.DONE


def main() -> None:
    """Run the command and leave without the interpreter's teardown, in which the SDK's threads can crash it."""
    try:
        status = invoke()
    except Exception:  # noqa: BLE001 - a fault of ours: its trace is shown, and teardown is still skipped
        sys.excepthook(*sys.exc_info())
        status = exit_codes.REFUSED
    if "starters.client.tracing" in sys.modules:
        sys.modules["starters.client.tracing"].flush()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            continue
    os._exit(status)


if __name__ == "__main__":
    main()
