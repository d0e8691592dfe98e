"""Which instance classes AWS offers for a database here, and what each can do there."""

from typing import Any

from activities.action import Clients
from activities.aws.shared.pages import Pages


def offered(clients: Clients, instance: dict[str, Any], wanted: str) -> list[dict[str, Any]] | None:
    """The options of a class for an instance's engine (`rds:DescribeOrderableDBInstanceOptions`).

    Empty where AWS does not offer it; None where it lists no class of that engine at all, which says nothing.
    """
    engine = {"Engine": instance["Engine"], "EngineVersion": instance["EngineVersion"]}
    describe = clients.client("rds").describe_orderable_db_instance_options
    listed = list(
        Pages(describe, cursor="Marker", **engine, DBInstanceClass=wanted).items("OrderableDBInstanceOptions")
    )
    if found := [one for one in listed if one["DBInstanceClass"] == wanted]:
        return found
    return [] if listed or describe(**engine, MaxRecords=20)["OrderableDBInstanceOptions"] else None
