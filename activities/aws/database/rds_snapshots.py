"""Snapshots of instances and of clusters, which RDS keeps apart under two sets of operations of the same form."""

from functools import partial
from typing import Any

from activities.action import Clients, RuleError
from activities.aws.shared.error_codes import code_of, is_already
from activities.aws.shared.pages import Pages
from domain.model.plan import State

_MISSING = frozenset({"DBSnapshotNotFound", "DBClusterSnapshotNotFoundFault"})


class Snapshots:
    """Manual snapshots of instances, or with `cluster` of clusters (`rds:*DBSnapshot*`, `rds:*DBClusterSnapshot*`).

    Their names have `longest` characters at most, and `kind` stands before one in an ARN.
    """

    def __init__(self, clients: Clients, cluster: bool) -> None:
        self._clients = clients
        self.kind, self.longest = ("cluster-snapshot", 63) if cluster else ("snapshot", 255)
        self._quota = "ManualClusterSnapshots" if cluster else "ManualSnapshots"
        self._encrypted = "StorageEncrypted" if cluster else "Encrypted"
        self._noun = "db_cluster_snapshot" if cluster else "db_snapshot"
        self._word = "DBClusterSnapshot" if cluster else "DBSnapshot"
        self._of = "DBClusterIdentifier" if cluster else "DBInstanceIdentifier"
        self._id = f"{self._word}Identifier"

    @property
    def _once(self) -> Any:
        return self._clients.once("rds")

    def found(self, name: str) -> dict[str, Any] | None:
        """Describe one; None where there is none. `Of` is the database that it is of."""
        try:
            answer = self._call("describe_{}s", **{self._id: name})
        except self._clients.client("rds").exceptions.ClientError as error:
            if code_of(error) not in _MISSING:
                raise
            return None
        one = dict(answer[f"{self._word}s"][0])
        return one | {"Of": str(one[self._of]), "Name": str(one[self._id]), "Encrypted": bool(one.get(self._encrypted))}

    def names(self, database: str) -> list[str]:
        """The names of all manual ones of a database."""
        describe = partial(self._call, "describe_{}s", SnapshotType="manual", **{self._of: database})
        pages = Pages(describe, cursor="Marker")
        return [str(one[self._id]) for one in pages.items(f"{self._word}s")]

    def take(self, database: str, name: str, tags: State) -> None:
        self._call("create_{}", self._once, **{self._of: database, self._id: name}, Tags=_tags(tags))

    def copy(self, name: str, to: str, key: str, tags: State) -> None:
        """Copy one under a key of ours: what AWS's own key encrypts can be shared with nobody. A copy there stays."""
        named = {f"Source{self._id}": name, f"Target{self._id}": to}
        try:
            self._call("copy_{}", self._once, **named, KmsKeyId=key, Tags=_tags(tags))
        except self._once.exceptions.ClientError as error:
            if not is_already(error) or self.found(to) is None:
                raise

    def shared_with(self, name: str) -> set[str]:
        """The accounts that may restore or copy one; `all` is everybody."""
        answer = self._call("describe_{}_attributes", **{self._id: name})[f"{self._word}AttributesResult"]
        attributes = answer.get(f"{self._word}Attributes", [])
        return {
            str(value)
            for one in attributes
            if one["AttributeName"] == "restore"
            for value in one.get("AttributeValues", [])
        }

    def share(self, name: str, account: str) -> None:
        """Let one account restore it; again does nothing."""
        self._call(
            "modify_{}_attribute", self._once, **{self._id: name}, AttributeName="restore", ValuesToAdd=[account]
        )

    def room(self) -> tuple[int, int] | None:
        """How many manual ones the account keeps, and may keep (`rds:DescribeAccountAttributes`); None if not told."""
        quotas = self._clients.client("rds").describe_account_attributes()["AccountQuotas"]
        found = (one for one in quotas if one["AccountQuotaName"] == self._quota)
        return next(((int(one["Used"]), int(one["Max"])) for one in found), None)

    def refuse_full(self, wanted: int) -> None:
        """Refuse when the account may keep no so many more."""
        used, most = self.room() or (0, wanted)
        if most - used < wanted:
            raise RuleError(
                f"{used} of at most {most} manual snapshots are there, and {wanted} more are needed: "
                "delete old ones, or ask AWS for more"
            )

    def _call(self, operation: str, client: Any = None, **asked: Any) -> dict[str, Any]:
        """Call an operation, in whose name `{}` stands for what snapshots of this kind are called."""
        client = client or self._clients.client("rds")
        return dict(getattr(client, operation.format(self._noun))(**asked))


def _tags(tags: State) -> list[dict[str, str]]:
    return [{"Key": key, "Value": str(value)} for key, value in tags.items()]
