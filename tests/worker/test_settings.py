from datetime import timedelta

import pytest

from domain.values.ids import QUEUES
from tests.worker.processes import environment
from worker.command import read_settings
from worker.errors import SettingsError


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("INCIDENT_QUEUES", "INCIDENT_ROLE_ARNS", "AWS_REGION", "AWS_DEFAULT_REGION", "STATUSPAGE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("INCIDENT_ENVIRONMENT", "sandbox")


def test_defaults() -> None:
    """A worker told nothing serves every queue, keeps metrics to itself and tells no status page."""
    settings = read_settings(())
    assert settings.queues == QUEUES
    assert settings.metrics_address is None
    assert settings.statuspage_url == "https://api.statuspage.io"
    assert settings.statuspage_api_key.get_secret_value() == ""


def test_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting is a variable; lists take commas, roles a JSON object, durations a number and a unit."""
    for name, value in {
        "INCIDENT_QUEUES": "diagnose, notify,diagnose",
        "INCIDENT_ROLE_ARNS": '{"diagnose": "arn:aws:iam::123456789012:role/ir-diagnose"}',
        "INCIDENT_METRICS_ADDRESS": "127.0.0.1:9464",
        "INCIDENT_MAX_CONCURRENT_ACTIVITIES": "7",
        "INCIDENT_MAX_CACHED_WORKFLOWS": "500",
        "INCIDENT_SHUTDOWN_GRACE": "5s",
        "INCIDENT_LOG_LEVEL": "debug",
        "AWS_DEFAULT_REGION": "ap-southeast-2",
        "STATUSPAGE_URL": "http://127.0.0.1:7236",
        "STATUSPAGE_API_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    settings = read_settings(())
    assert settings.queues == ("diagnose", "notify")
    assert settings.role_arns == {"diagnose": "arn:aws:iam::123456789012:role/ir-diagnose"}
    assert settings.metrics_address == "127.0.0.1:9464"
    assert (settings.max_concurrent_activities, settings.max_cached_workflows) == (7, 500)
    assert settings.shutdown_grace == timedelta(seconds=5)
    assert settings.log_level == "debug"
    assert settings.aws_region == "ap-southeast-2"
    assert settings.statuspage_url == "http://127.0.0.1:7236"
    assert "secret" not in repr(settings)
    assert settings.statuspage_api_key.get_secret_value() == "secret"


def test_the_command_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Queues given on the command line win over the environment's; an empty variable counts as none."""
    monkeypatch.setenv("INCIDENT_QUEUES", "notify")
    monkeypatch.setenv("STATUSPAGE_API_KEY", "")
    settings = read_settings(("diagnose",))
    assert settings.queues == ("diagnose",)
    assert settings.statuspage_api_key.get_secret_value() == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INCIDENT_ENVIRONMENT", ""),
        ("INCIDENT_RUNBOOKS", "nowhere"),
        ("INCIDENT_QUEUES", "nonsense"),
        ("INCIDENT_QUEUES", ","),
        ("INCIDENT_ROLE_ARNS", "{"),
        ("INCIDENT_ROLE_ARNS", '{"nonsense": "arn"}'),
        ("INCIDENT_METRICS_ADDRESS", "9464"),
        ("INCIDENT_MAX_CONCURRENT_ACTIVITIES", "0"),
        ("INCIDENT_SHUTDOWN_GRACE", "soon"),
        ("INCIDENT_LOG_LEVEL", "loud"),
    ],
)
def test_bad_settings_name_their_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A setting that cannot be read is told by the variable that holds it."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=rf"^{name}: "):
        read_settings(())


def test_all_bad_settings_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every bad setting is told, not only the first."""
    monkeypatch.setenv("INCIDENT_QUEUES", "nonsense")
    monkeypatch.setenv("INCIDENT_LOG_LEVEL", "loud")
    with pytest.raises(SettingsError, match=r"INCIDENT_QUEUES: .*; INCIDENT_LOG_LEVEL: "):
        read_settings(())


def test_processes_start_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process was told does not leak into the workers that tests start."""
    monkeypatch.setenv("INCIDENT_QUEUES", "nonsense")
    assert "INCIDENT_QUEUES" not in environment()
