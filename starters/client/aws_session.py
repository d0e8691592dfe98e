"""AWS, for the few commands that read or write the record: with the caller's own rights."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from activities.action import Clients, RuleError
from activities.aws.shared.clients import AwsClients, assumed_session, own_session
from activities.aws.shared.error_mapping import as_application_error
from activities.aws.shared.sts import posting
from activities.witness import Witness
from domain.config.environment import Environment
from domain.config.organisation import Organisation
from domain.config.runbook import Runbook
from domain.config.schedule import Schedule
from starters.errors import RefusedError, UnseenError
from starters.files.organisation_folder import load_schedules
from starters.options import Options

if TYPE_CHECKING:
    from activities.preflight.check import Row
    from authority.approvals import Approval
    from authority.aws_iam import Post
    from authority.aws_requests import Credentials
    from authority.delegations import Entry as Delegated
    from authority.preauthorisations import Entry
    from authority.register import Register
    from domain.model.silence import Found


@contextmanager
def vault(options: Options, doing: str) -> Iterator[tuple[Clients, Environment]]:
    """Give the environment and clients in its region; what AWS or a rule refuses becomes one line that says `doing`."""
    environment = options.load_environment()
    try:
        yield AwsClients(boto3.Session(), environment.region), environment
    except RuleError as error:
        raise RefusedError(str(error)) from error
    except (ClientError, BotoCoreError) as error:
        raise RefusedError(as_application_error(error, doing).message) from error


def own_identity(region: str) -> "tuple[str, Credentials]":
    """The caller's ARN, as STS says (`sts:GetCallerIdentity`), and their credentials. Raises `RefusedError`."""
    try:
        session = boto3.Session()
        found = session.get_credentials()
        if found is None:
            raise NoCredentialsError
        arn: str = AwsClients(session, region).client("sts").get_caller_identity()["Arn"]
        return arn, found.get_frozen_credentials()
    except (ClientError, BotoCoreError) as error:
        why = as_application_error(error, "asking AWS who you are").message
        raise RefusedError(f"{why}; sign in first, such as by: aws sso login") from error


def witness(options: Options, clients: Clients) -> Witness:
    """A look at signatures by AWS, with the caller's own rights, for what they put on record themselves."""
    return Witness(clients, _Files(options))


def sts(region: str) -> "Post":
    """How STS is asked about a signature, by the way that the caller's clients have."""
    return posting(AwsClients(boto3.Session(), region))


def kms(key: str) -> Any:
    """A client of KMS where this key is: in the region of its ARN, else that of the caller's configuration."""
    session = boto3.Session()
    region = key.split(":")[3] if key.startswith("arn:") else session.region_name
    if region is None:
        raise RefusedError(f"INCIDENT_CODEC_KEY: {key} is in no region: set AWS_REGION, or give its ARN")
    return AwsClients(session, region).client("kms")


def told(error: Exception, doing: str) -> str:
    """What AWS refused, or did not answer, in one line that says `doing`; raises any other error."""
    if not isinstance(error, ClientError | BotoCoreError):
        raise error
    return as_application_error(error, doing).message


def preflight(options: Options, *, write: bool, assume: bool) -> "list[Row]":
    """Look at the whole environment with the caller's own rights, and at the status page with the workers' key if any.

    With `write`, leave a locked object too; with `assume`, ask EC2 and Lambda too: both under roles of workers.
    """
    from activities.preflight.check import Room
    from activities.preflight.run import run
    from activities.preflight.table import ASSUMED, CHECKS, WRITES
    from activities.statuspage_client import StatusPageClient

    environment = options.load_environment()
    region = environment.region
    organisation, now = options.load_organisation(), partial(datetime.now, UTC)

    def acting(role: str) -> Clients:
        return AwsClients(assumed_session(own_session(region), role, "incident-preflight", region), region)

    clients = AwsClients(boto3.Session(), region)
    page = StatusPageClient(
        os.environ.get("STATUSPAGE_URL", "https://api.statuspage.io"), os.environ.get("STATUSPAGE_API_KEY", "")
    )
    room = Room(clients, environment, organisation, now, acting, page)
    looked = run((*CHECKS, *(ASSUMED if assume else ()), *(WRITES if write else ())), room)
    return [*looked, *_signed(options, environment), *_stand_ins(options, environment)]


def _signed(options: Options, environment: Environment) -> "Iterator[Row]":
    """Whether production's runbooks are signed: a row each, where somebody has to sign them."""
    from activities.preflight.check import Row
    from starters.files.unapproved import lacking_by_type

    if environment.kind != "production" or not options.load_organisation().runbook_approvers:
        return
    for type_, left in lacking_by_type(options.folder()).items():
        if left:
            detail = f"{' and '.join(left)} must sign it; incident runbook approve {type_}"
            yield Row("runbooks", type_, "missing", detail)
        else:
            yield Row("runbooks", type_, "ok", "signed by all that approve it")


def _stand_ins(options: Options, environment: Environment) -> "Iterator[Row]":
    """Who stands in for whom, a row each, and what of that counts for nothing."""
    from activities.preflight.check import Row
    from domain.values.timestamps import stamp_to_second
    from starters.files.delegations import known, lint

    folder, now = options.folder(), datetime.now(UTC)
    unsigned = environment.kind == "sandbox"
    for one in known(folder, unsigned=unsigned):
        if one.ends > now:
            span = f"from {stamp_to_second(one.since)} until {stamp_to_second(one.ends)}"
            yield Row("stand-ins", one.role, "ok", f"{one.to}, {span}")
    for problem in lint(folder, options.load_organisation(), now, unsigned=unsigned):
        yield Row("stand-ins", f"{problem.file.name}:{problem.line}", "wrong", problem.message)


class _Files:
    """The caller's folder, as the hands know theirs."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._environment, self._organisation = options.load_environment(), options.load_organisation()
        self._schedules = load_schedules(options.folder(), self._organisation.timezone).of(self._environment.name)

    def environment(self) -> Environment:
        return self._environment

    def organisation(self) -> Organisation:
        return self._organisation

    def register(self) -> "Register":
        from starters.files.identities import load_identities

        return load_identities(self._options.folder(), self._organisation.id)

    def approvals(self) -> "tuple[Approval, ...]":
        from starters.files.approvals import load_approvals

        return load_approvals(self._options.folder(), self._organisation.id, self.register())

    def preauthorisations(self) -> "tuple[Entry, ...]":
        from starters.files.preauthorisations import load_preauthorisations

        return load_preauthorisations(self._options.folder(), self._organisation.id, self.register())

    def delegations(self) -> "tuple[Delegated, ...]":
        from starters.files.delegations import load_delegations

        return load_delegations(self._options.folder(), self._organisation.id, self.register())

    def schedules(self) -> dict[str, Schedule]:
        return self._schedules

    def runbook(self, digest: str) -> Runbook | None:  # noqa: ARG002 - an incident's own is in its record
        return None


def watched(options: Options) -> "list[Found]":
    """Look at every open incident once, and page about those that are silent, with the caller's own rights.

    Raises `UnseenError` where they could not be looked at.
    """
    from activities.channels.paging import Pager
    from activities.ledger.store_time import ClockError
    from activities.watching.watcher import Watcher

    files = _Files(options)
    clients = AwsClients(boto3.Session(), files.environment().region)
    try:
        with redirect_stdout(sys.stderr):  # what is logged meanwhile is no part of the answer
            return Watcher(clients, files, Pager(clients)).look()
    except ClockError as error:
        raise UnseenError(str(error)) from error
    except (ClientError, BotoCoreError) as error:
        doing = f"looking at the incidents of {options.named_environment()}"
        raise UnseenError(as_application_error(error, doing).message) from error
