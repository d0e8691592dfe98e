"""Where snapshots of databases are restored, to see that they can be: never where production is."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, Field

from domain.config.names import Flaw, mapping
from domain.values.frozen import Frozen

COPIES = "restore-test-"
"""What the names of restored copies, and of their snapshots, begin with: nothing else is deleted."""
PURPOSE = "recovery-test"
"""What their tag `purpose` says, beside the incident's id in `incident`."""
_DATABASE_ARN = re.compile(r"arn:[a-z-]+:rds:([a-z0-9-]+):(\w{12}):db:([A-Za-z][A-Za-z0-9-]*)")


def own_key(value: str) -> str:
    """Refuse a key that is not the account's own to share."""
    if "alias/aws/" in value:
        raise ValueError(f"{value} is AWS's own key, and what it encrypts cannot be shared: name a key of yours")
    return value


class Source(NamedTuple):
    """A database whose snapshots are restored: the account that it is in, and its identifier there."""

    account: str
    identifier: str


def _database_arn(value: str) -> str:
    if not _DATABASE_ARN.fullmatch(value):
        raise ValueError(
            f"{value!r} is no ARN of an RDS instance: write arn:PARTITION:rds:REGION:ACCOUNT:db:IDENTIFIER"
        )
    return value


class Recovery(Frozen):
    """Where snapshots are restored to see that they can be: an isolated subnet group, under a key of its own.

    `sources` are the databases that they are of, by ARN: those of another account must be shared with this one (RDS
    user guide, "Sharing a DB snapshot"). `count_function` is a Lambda function in that subnet, which counts what was
    restored.
    """

    sources: dict[str, Annotated[str, AfterValidator(_database_arn)]] = Field(min_length=1)
    subnet_group: str
    security_group: str = Field(pattern=r"^sg-")
    kms_key: Annotated[str, AfterValidator(own_key)]
    instance_class: str = Field(pattern=r"^db\.")
    count_function: str = Field(max_length=64)

    def source(self, name: str) -> Source:
        """The database of a logical name; `KeyError` for one that is not there."""
        _, _, _, _, account, _, identifier = self.sources[name].split(":")
        return Source(account, identifier)


def recovery_flaws(data: Mapping[str, Any]) -> Iterator[Flaw]:
    """Places where a copy of production's data must not be restored, and snapshots that cannot come there."""
    recovery = mapping(data.get("recovery"))
    if recovery and data.get("kind") == "production":
        yield Flaw(("recovery",), "nothing is restored in production; move this to staging's or a sandbox's file")
    for name, group in mapping(data.get("security_groups")).items():
        if group == recovery.get("security_group"):
            yield Flaw(("recovery", "security_group"), f"{group} is {name}'s own group; name one that isolates")
    for name, source in mapping(recovery.get("sources")).items():
        found = _DATABASE_ARN.fullmatch(str(source))
        if found and found[1] != data.get("region"):
            message = (
                f"{name} is in {found[1]}, and snapshots are restored in {data.get('region')}; copy them there first"
            )
            yield Flaw(("recovery", "sources", name), message)
