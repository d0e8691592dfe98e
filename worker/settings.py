"""What a worker is told by its environment: variables named `INCIDENT_…`.

How Temporal is reached is Temporal's own configuration (`temporal.toml`, `TEMPORAL_…`), how AWS is reached boto3's.
"""

import json
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, DirectoryPath, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from activities.permissions.roles import roles
from domain.values.durations import Duration
from domain.values.ids import QUEUES
from workflows import builds


def _known(name: str) -> str:
    if name not in QUEUES:
        raise ValueError(f"{name!r} is no task queue: there are {', '.join(QUEUES)}")
    return name


def _known_role(name: str) -> str:
    if name not in roles():
        raise ValueError(f"{name!r} is no role: there are {', '.join(roles())}")
    return name


Queue = Annotated[str, AfterValidator(_known)]
Role = Annotated[str, AfterValidator(_known_role)]


def _names(value: object) -> object:
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


class Settings(BaseSettings):
    """Read once, when the worker starts; an empty variable counts as one that is not set."""

    model_config = SettingsConfigDict(env_prefix="INCIDENT_", env_ignore_empty=True, frozen=True)

    queues: Annotated[tuple[Queue, ...], NoDecode] = QUEUES
    """The task queues to serve, with commas between them."""

    build_id: str | None = Field(default=None, pattern=builds.PATTERN)
    """The release that this worker runs: incidents that begin on it stay on it. Without one nothing is kept apart."""

    role_arns: Annotated[dict[Role, str], NoDecode] = {}
    """The ARN of each role to act under, as a JSON object; one not named acts as its queue's, or as the worker itself.
    """

    aws_region: str | None = Field(default=None, validation_alias=AliasChoices("AWS_REGION", "AWS_DEFAULT_REGION"))
    """The region of the environment that this worker serves."""

    runbooks: DirectoryPath | None = None
    """The organisation's folder, by which this worker acts; the shipped one where none is given."""

    environment: str = Field(min_length=1)
    """The environment that this worker serves, as a file of the folder describes it."""

    codec_key: Annotated[tuple[str, ...], NoDecode] = ()
    """The KMS key that what Temporal carries is encrypted under, and with commas after it earlier ones, to read by."""

    statuspage_url: str = Field(default="https://api.statuspage.io", validation_alias="STATUSPAGE_URL")
    statuspage_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="STATUSPAGE_API_KEY")
    """Without a key every notice to the status page is refused, and the incident says so."""

    heartbeat_namespace: str | None = Field(default=None, pattern=r"^[\w.#:/-]+$", max_length=255)
    """CloudWatch's namespace that a worker of `notify` gives signs of life in, every minute; without it there are none.
    """

    metrics_address: str | None = Field(default=None, pattern=r"^\S+:\d{1,5}$")
    """Where Prometheus finds `/metrics`, such as `127.0.0.1:9464`; without it there are no metrics."""

    max_concurrent_activities: int = Field(default=50, ge=1, le=1000)
    """Activities at once, for each queue; as many threads."""

    max_cached_workflows: int = Field(default=1000, ge=0)
    """Open incidents kept in memory; one beyond them is replayed when it wakes."""

    shutdown_grace: Duration = Field(default=timedelta(seconds=20))
    """How long running activities may go on after a signal to stop; then they are cut, to be taken up elsewhere."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("codec_key", mode="before")
    @classmethod
    def _keys(cls, value: object) -> object:
        return _names(value)

    @field_validator("queues", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        value = _names(value)
        if not value:
            raise ValueError("name at least one queue")
        return tuple(dict.fromkeys(value)) if isinstance(value, tuple | list) else value

    @field_validator("role_arns", mode="before")
    @classmethod
    def _decode(cls, value: object) -> object:
        # decoded here and not by pydantic-settings, whose own error does not say which field it is about
        return json.loads(value) if isinstance(value, str) else value
