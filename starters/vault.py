"""AWS, for the few commands that read or write the record: with the caller's own rights."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from activities.action import Clients, RefusedError
from activities.aws.clients import AwsClients
from activities.aws.errors import as_application_error
from starters import exits

if TYPE_CHECKING:
    from domain.environment import Environment


@contextmanager
def vault(environment: "Environment", doing: str) -> Iterator[Clients]:
    """Give clients in the environment's region; what AWS or a rule refuses becomes one line that says `doing`."""
    try:
        yield AwsClients(boto3.Session(), environment.region)
    except RefusedError as error:
        raise exits.RefusedError(str(error)) from error
    except (ClientError, BotoCoreError) as error:
        raise exits.RefusedError(as_application_error(error, doing).message) from error
