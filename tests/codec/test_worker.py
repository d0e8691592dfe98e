"""A worker of production encrypts, or does not start."""

import asyncio

import pytest

from domain.config.environment import Environment
from worker import run
from worker.errors import SettingsError
from worker.folder import Folder
from worker.settings import Settings


class Production(Folder):
    """The sandbox's files, as if they were production's."""

    def environment(self) -> Environment:
        return super().environment().model_copy(update={"kind": "production"})


def test_production_is_not_served_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends before it reaches Temporal, and names the setting."""
    monkeypatch.setattr(run, "Folder", Production)
    monkeypatch.delenv("INCIDENT_CODEC_KEY", raising=False)
    with pytest.raises(SettingsError, match="INCIDENT_CODEC_KEY: sandbox is production"):
        asyncio.run(run.serve(Settings(queues=("diagnose",), environment="sandbox", aws_region="eu-north-1"), []))


def test_several_keys_are_told_apart_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first encrypts, the others are earlier ones."""
    monkeypatch.setenv("INCIDENT_CODEC_KEY", "alias/new, alias/old,")
    assert Settings(environment="sandbox").codec_key == ("alias/new", "alias/old")
