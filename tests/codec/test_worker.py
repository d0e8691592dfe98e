"""A worker encrypts, or does not start, but in a sandbox."""

import asyncio

import pytest

from domain.config.environment import Environment
from worker import run
from worker.errors import SettingsError
from worker.folder import Folder
from worker.settings import Settings


@pytest.mark.parametrize("kind", ["production", "staging"])
def test_nothing_but_a_sandbox_is_served_in_the_clear(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """It ends before it reaches Temporal, and names the setting."""

    class Other(Folder):
        """The sandbox's files, as if they were another environment's."""

        def environment(self) -> Environment:
            return super().environment().model_copy(update={"kind": kind})

    monkeypatch.setattr(run, "Folder", Other)
    monkeypatch.delenv("INCIDENT_CODEC_KEY", raising=False)
    with pytest.raises(SettingsError, match=f"INCIDENT_CODEC_KEY: sandbox is {kind}"):
        asyncio.run(run.serve(Settings(queues=("diagnose",), environment="sandbox", aws_region="eu-north-1"), []))


def test_several_keys_are_told_apart_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first encrypts, the others are earlier ones."""
    monkeypatch.setenv("INCIDENT_CODEC_KEY", "alias/new, alias/old,")
    assert Settings(environment="sandbox").codec_key == ("alias/new", "alias/old")
