"""AWS, for the few commands that read or write the record: with the caller's own rights."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from activities.action import Clients, RuleError
from activities.aws.shared.clients import AwsClients
from activities.aws.shared.error_mapping import as_application_error
from starters.errors import RefusedError

if TYPE_CHECKING:
    from domain.config.environment import Environment


@contextmanager
def vault(environment: "Environment", doing: str) -> Iterator[Clients]:
    """Give clients in the environment's region; what AWS or a rule refuses becomes one line that says `doing`."""
    try:
        yield AwsClients(boto3.Session(), environment.region)
    except RuleError as error:
        raise RefusedError(str(error)) from error
    except (ClientError, BotoCoreError) as error:
        raise RefusedError(as_application_error(error, doing).message) from error
