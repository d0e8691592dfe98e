import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.ec2.models import ec2_backends
from moto.logs.models import logs_backends

from activities.aws.network.ec2_flow_traffic import FlowTraffic, FlowTrafficParams
from activities.aws.shared.clients import AwsClients
from activities.aws.shared.error_mapping import kind_of
from domain.model.finding import Finding, FindingStatus
from domain.values.errors import ErrorKind
from domain.values.timestamps import stamp_to_second
from sandbox.runtime.aws_world import World
from sandbox.traffic import flow_log
from sandbox.traffic.flow_log import Flow
from tests.activities.given import moto
from tests.activities.scopes import ACCOUNT, REGION, environment, scope

AT = datetime.now(UTC).replace(microsecond=0)
"""CloudWatch Logs takes no line that is older than two weeks, so these are of today."""

PARAMS = FlowTrafficParams(network="main")
TASKS, DATABASE, STRANGER = "10.0.1.20", "10.0.2.40", "198.51.100.140"


class Watched:
    """A VPC of 10.0.0.0/16 with flow logs, and what is written to them."""

    def __init__(self, aws: AwsClients) -> None:
        self.aws = aws
        self.vpc = str(aws.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])
        self.scope = scope(environment=environment(networks={"main": {"vpc_id": self.vpc}}))
        self.group = flow_log.log_group(self.vpc)

    def keeps(self, traffic: str = "ALL", group: str | None = None, **more: Any) -> None:
        """Keep a flow log of it in CloudWatch Logs."""
        name = group or self.group
        self.aws.client("logs").create_log_group(logGroupName=name)
        logs_backends[ACCOUNT][REGION].groups[name].creation_time = (AT - timedelta(days=1)).replace(tzinfo=None)
        self._keeps(traffic, LogGroupName=name, DeliverLogsPermissionArn="arn:aws:iam::123456789012:role/flows", **more)

    def keeps_in_a_bucket(self) -> None:
        place = {"LocationConstraint": "ap-southeast-2"}
        self.aws.client("s3").create_bucket(Bucket="flows", CreateBucketConfiguration=place)
        self._keeps("ALL", LogDestinationType="s3", LogDestination="arn:aws:s3:::flows")

    def _keeps(self, traffic: str, **where: Any) -> None:
        ec2 = self.aws.client("ec2")
        made = ec2.create_flow_logs(ResourceIds=[self.vpc], ResourceType="VPC", TrafficType=traffic, **where)
        assert not made["Unsuccessful"]
        for one in ec2_backends[ACCOUNT][REGION].flow_logs.values():
            one.creation_time = (AT - timedelta(days=1)).replace(tzinfo=None)

    def saw(self, *flows: Flow) -> None:
        flow_log.write(World(self.scope.environment, self.aws.client), self.vpc, list(flows))

    def wrote(self, *lines: str) -> None:
        logs, where = self.aws.client("logs"), {"logGroupName": self.group, "logStreamName": "eni-0-all"}
        logs.create_log_stream(**where)
        moment = int((AT - timedelta(minutes=20)).timestamp() * 1000)
        logs.put_log_events(**where, logEvents=[{"timestamp": moment, "message": line} for line in lines])

    def look(self, params: FlowTrafficParams = PARAMS) -> Finding:
        return FlowTraffic(self.aws).observe(self.scope, params, AT)


@pytest.fixture
def network() -> Iterator[Watched]:
    with moto() as aws:
        yield Watched(aws)


def flow(source: str, target: str, port: int, action: str = "ACCEPT", minutes_ago: float = 20, **more: Any) -> Flow:
    return Flow(AT - timedelta(minutes=minutes_ago), source, target, port, action, **more)


def test_traffic_is_counted_by_what_became_of_it(network: Watched) -> None:
    """Strangers who are refused are ordinary: all is well, with both counts and where they stand."""
    network.keeps()
    network.saw(flow(TASKS, DATABASE, 5432), flow(TASKS, DATABASE, 5432), flow(STRANGER, TASKS, 22, "REJECT"))
    finding = network.look()
    assert finding.status is FindingStatus.OK
    assert finding.summary == (
        f"main ({network.vpc}): of the flows of the last 1h, 2 let through and 1 refused; "
        "none refused between its own addresses"
    )
    assert (finding.facts["accepted"], finding.facts["rejected"], finding.facts["rejected_inside"]) == (2, 1, 0)
    assert (
        finding.evidence == f"{network.group} from {stamp_to_second(AT - timedelta(hours=1))} to {stamp_to_second(AT)}"
    )


def test_what_is_refused_between_its_own_addresses_is_suspect(network: Watched) -> None:
    """A rule keeps the tasks from the database; answers that are refused count for the port that they come from."""
    network.keeps()
    network.saw(*[flow(TASKS, DATABASE, 5432, "REJECT")] * 9, flow(STRANGER, TASKS, 22, "REJECT"))
    assert network.look().status is FindingStatus.OK
    network.saw(flow(DATABASE, TASKS, 49152, "REJECT", source_port=5432))
    finding = network.look()
    assert finding.status is FindingStatus.SUSPECT
    assert finding.summary.endswith("refused between its own addresses: 10 to port 5432")
    assert finding.facts["rejected_inside_by_port"] == {"5432": 10}


def test_no_address_leaves_the_probe(network: Watched) -> None:
    """Only counts, ports and references do."""
    network.keeps()
    network.saw(flow(STRANGER, TASKS, 443), *[flow(TASKS, DATABASE, 5432, "REJECT")] * 12)
    words = json.dumps(network.look().model_dump(mode="json"))
    assert not [address for address in (STRANGER, TASKS, DATABASE) if address in words]


def test_only_the_window_counts(network: Watched) -> None:
    """What lies before it does not."""
    network.keeps()
    network.saw(flow(TASKS, DATABASE, 5432, minutes_ago=20), flow(TASKS, DATABASE, 5432, minutes_ago=40))
    assert network.look(FlowTrafficParams(network="main", window=timedelta(minutes=30))).facts["accepted"] == 1


def test_a_format_of_ones_own_is_read(network: Watched) -> None:
    """Fields stand where the flow log's format puts them; a word that stands elsewhere is no verdict."""
    network.keeps(LogFormat="${action} ${dstport} ${srcport} ${dstaddr} ${srcaddr} ${pkt-src-aws-service}")
    network.wrote(*[f"REJECT 5432 49152 {DATABASE} {TASKS} -"] * 10, f"ACCEPT 5432 49152 {DATABASE} {TASKS} REJECT")
    finding = network.look()
    assert finding.status is FindingStatus.SUSPECT
    assert (finding.facts["rejected"], finding.facts["accepted"]) == (10, 1)


def test_lines_of_another_format_in_the_same_group_are_unread(network: Watched) -> None:
    """A flow log that was made anew may write as many fields in another order, or other ones, into the same group."""
    network.keeps(LogFormat="${srcaddr} ${dstaddr} ${dstport} ${action} ${log-status}")
    network.wrote(f"{TASKS} {DATABASE} 5432 ACCEPT OK", f"REJECT 5432 {DATABASE} {TASKS} OK", "7 SKIPDATA")
    finding = network.look()
    assert (finding.status, finding.facts["unread"]) == (FindingStatus.UNKNOWN, 2)


def test_lines_without_a_flow_are_left_out(network: Watched) -> None:
    """An interface that saw nothing writes NODATA, with dashes; a silent log is unknown, not well."""
    network.keeps()
    network.wrote("2 123456789012 eni-0 - - - - - - - 1795404600 1795404660 - NODATA")
    assert network.look().status is FindingStatus.UNKNOWN


def test_the_addresses_of_packets_do_as_well(network: Watched) -> None:
    """A format may name those of the packets alone: what is refused between them is seen all the same."""
    network.keeps(LogFormat="${action} ${pkt-srcaddr} ${pkt-dstaddr} ${srcport} ${dstport} ${log-status}")
    network.wrote(*[f"REJECT {TASKS} {DATABASE} 49152 5432 OK"] * 10)
    finding = network.look()
    assert finding.status is FindingStatus.SUSPECT
    assert finding.facts["rejected_inside_by_port"] == {"5432": 10}


@pytest.mark.parametrize(
    ("lacks", "fields"),
    [
        ("source", "${action} ${dstaddr} ${log-status}"),
        ("action", "${srcaddr} ${dstaddr} ${log-status}"),
        ("log-status", "${action} ${srcaddr} ${dstaddr}"),
    ],
)
def test_a_format_without_what_it_takes_is_unknown(network: Watched, lacks: str, fields: str) -> None:
    """Who was refused, that somebody was, or that AWS left records out, would not be seen."""
    network.keeps(LogFormat=fields)
    network.wrote(f"{'ACCEPT ' if 'action' in fields else ''}{TASKS} {DATABASE} OK")
    finding = network.look()
    assert finding.status is FindingStatus.UNKNOWN
    assert finding.facts["lacks"] == [lacks]
    assert f"its format lacks {lacks}" in finding.summary


def test_records_that_aws_left_out_are_counted(network: Watched) -> None:
    """What stands nowhere may have been refused: unknown, with how often."""
    network.keeps()
    network.saw(flow(TASKS, DATABASE, 5432))
    assert network.look().status is FindingStatus.OK
    network.wrote("2 123456789012 eni-0 - - - - - - - 1795404600 1795404660 - SKIPDATA")
    finding = network.look()
    assert finding.status is FindingStatus.UNKNOWN
    assert "AWS left records out 1 times" in finding.summary


@pytest.mark.parametrize(("pages", "gaps"), [(3, 1), (60, 0)])
def test_an_empty_page_is_not_the_last(
    network: Watched, monkeypatch: pytest.MonkeyPatch, pages: int, gaps: int
) -> None:
    """FilterLogEvents gives empty pages and a token: gaps behind them are found, or it is unknown whether there are."""
    network.keeps()
    network.saw(flow(TASKS, DATABASE, 5432))
    logs, asked = network.aws.client("logs"), 0
    real = logs.filter_log_events

    def page(**ask: Any) -> Any:
        nonlocal asked
        if ask["filterPattern"] != "SKIPDATA":
            return real(**ask)
        asked += 1
        if asked < pages:
            return {"events": [], "nextToken": str(asked)}
        return {"events": [{"message": "2 123456789012 eni-0 - - - - - - - 1795404600 1795404660 - SKIPDATA"}]}

    monkeypatch.setattr(logs, "filter_log_events", page)
    finding = network.look()
    assert finding.status is FindingStatus.UNKNOWN
    assert (finding.facts["unread"], finding.facts["truncated"]) == (gaps, not gaps)


def test_a_log_of_refusals_alone_says_nothing_of_the_rest(network: Watched) -> None:
    """What is not recorded has no number; one of each kind is read where both are there."""
    network.keeps("REJECT")
    network.saw(flow(STRANGER, TASKS, 22, "REJECT"))
    finding = network.look()
    assert finding.status is FindingStatus.OK
    assert finding.facts["accepted"] is None
    assert "none on record that was let through and 1 refused" in finding.summary
    network.keeps("ACCEPT", "/flows/accepted")
    assert network.look().facts["log_groups"] == [network.group, "/flows/accepted"]


def test_without_refusals_on_record_it_is_unknown(network: Watched) -> None:
    """A log of what was let through cannot show what was not."""
    network.keeps("ACCEPT")
    network.saw(flow(TASKS, DATABASE, 5432))
    assert network.look().status is FindingStatus.UNKNOWN


def test_traffic_in_a_bucket_is_named_and_not_read(network: Watched) -> None:
    """The finding leads to the bucket; where nothing is recorded, it says so."""
    assert network.look().summary == f"main ({network.vpc}): its traffic is recorded nowhere"
    network.keeps_in_a_bucket()
    finding = network.look()
    assert finding.status is FindingStatus.UNKNOWN
    assert finding.facts["elsewhere"] == ["arn:aws:s3:::flows"]
    assert finding.evidence == "arn:aws:s3:::flows"


@pytest.mark.parametrize(("pages", "status", "read"), [(49, FindingStatus.OK, 49), (60, FindingStatus.UNKNOWN, 50)])
def test_a_busy_log_is_read_to_a_limit_and_that_is_said(
    network: Watched, monkeypatch: pytest.MonkeyPatch, pages: int, status: FindingStatus, read: int
) -> None:
    """Fifty pages of refusals are read and five of the rest: without a suspect among them it is unknown."""
    network.keeps()
    asked = {"REJECT": 0, "ACCEPT": 0, "SKIPDATA": 0}

    def page(**ask: Any) -> dict[str, Any]:
        action = ask["filterPattern"]
        asked[action] += 1
        line = f"2 123456789012 eni-0 {STRANGER} {TASKS} 49152 22 6 1 40 1795404600 1795404660 {action} OK"
        more = {"nextToken": str(asked[action])} if asked[action] < pages else {}
        return {"events": [{"message": line}] if action != "SKIPDATA" else [], **more}

    monkeypatch.setattr(network.aws.client("logs"), "filter_log_events", page)
    finding = network.look()
    assert finding.status is status
    assert asked == {"REJECT": read, "ACCEPT": 5, "SKIPDATA": read}
    assert "at least 5 let through" in finding.summary
    assert finding.facts["truncated"]


def test_a_network_that_is_gone_is_an_error_of_its_kind() -> None:
    """The workflow makes it unknown, and no retry helps."""
    with moto() as aws:
        watched = Watched(aws)
        watched.keeps()
        aws.client("ec2").delete_vpc(VpcId=watched.vpc)
        with pytest.raises(ClientError) as failed:
            watched.look()
    assert kind_of(failed.value) is ErrorKind.NOT_FOUND


def test_the_line_is_that_of_the_default_format() -> None:
    """The sandbox writes what AWS's default format gives, field by field."""
    at = datetime(2026, 11, 23, 3, 11, tzinfo=UTC)
    line = flow_log._line("123456789012", "eni-0", Flow(at, TASKS, DATABASE, 5432))
    assert line == f"2 123456789012 eni-0 {TASKS} {DATABASE} 49152 5432 6 12 8760 1795403400 1795403460 ACCEPT OK"
