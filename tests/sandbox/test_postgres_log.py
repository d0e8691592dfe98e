"""The sandbox writes a database's log by the settings that its environment declares, and the probe reads it by them."""

from datetime import UTC, datetime, timedelta

import pytest

from activities.aws.database.rds_postgres_log import PostgresLog, PostgresLogParams
from domain.config.log_formats import DatabaseLog
from domain.model.finding import Finding, FindingStatus
from domain.rules.log_lines import Line, read_line
from sandbox.aws.rds_state import DatabaseState
from sandbox.runtime.aws_world import World
from sandbox.seed.databases import database_states
from sandbox.traffic import postgres_log
from tests.activities.scopes import scope
from tests.aws import aws_clients
from tests.domain.log_samples import CSVLOG, EPOCH, GERMAN_CODES, OTHER, RDS, SYDNEY

DECLARED = [RDS, SYDNEY, OTHER, EPOCH, GERMAN_CODES, CSVLOG, DatabaseLog(format="csvlog", zone="Australia/Sydney")]
AT = datetime(2026, 11, 23, 3, 25, tzinfo=UTC)
REFUSED = "FATAL:  sorry, too many clients already"


@pytest.mark.parametrize("declared", DECLARED)
@pytest.mark.parametrize("client", ["10.0.1.12", "2001:db8::7", None])
@pytest.mark.parametrize("text", [REFUSED, "LOG:  checkpoint starting: time", 'PANIC:  "quoted", and: more'])
def test_an_entry_is_read_as_it_was_written(declared: DatabaseLog, client: str | None, text: str) -> None:
    """With any of the settings, of a session or of the server itself."""
    state = DatabaseState(instance=None)  # type: ignore[arg-type]
    postgres_log.write(state, declared, AT, text, client)
    ((name, [(_, line)]),) = state.log.items()
    assert name.endswith(".csv") is (declared.format == "csvlog")
    found = read_line(declared, line)
    assert isinstance(found, Line), found
    assert (found.level, found.fields["message"], found.at) == (*text.split(":  ", 1), AT)


@pytest.mark.parametrize("declared", [SYDNEY, GERMAN_CODES, CSVLOG])
def test_a_fault_is_seen_whatever_the_settings(world: World, declared: DatabaseLog) -> None:
    """Forty refused connections in the account's own log; by the settings of RDS itself none is understood."""
    state, now = database_states(world)["primary"], datetime.now(UTC)
    state.log.clear()
    for number in range(40):
        postgres_log.write(state, declared, now - timedelta(seconds=number + 1), REFUSED, "10.0.1.12")
    seen, other = _looked(world, declared, now), _looked(world, RDS, now)
    assert (seen.status, seen.facts["connections_refused"]) == (FindingStatus.SUSPECT, 40)
    assert (other.status, other.facts["connections_refused"]) == (FindingStatus.UNKNOWN, 0)


def _looked(world: World, declared: DatabaseLog, at: datetime) -> Finding:
    databases = {name: one.model_copy(update={"log": declared}) for name, one in world.environment.databases.items()}
    about = scope(environment=world.environment.model_copy(update={"databases": databases}))
    clients = aws_clients(world.environment.region)
    return PostgresLog(clients).observe(about, PostgresLogParams(database="primary"), at)
