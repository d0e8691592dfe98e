"""Attacks and bad days are tried in sandboxes of their own, as whole paths are in `tests.e2e`, or on a server alone."""

from tests.e2e.conftest import aws, folder, house, public, usual, worker
from tests.starters.conftest import incident
from tests.workflows.conftest import address, fresh, server, world

__all__ = ["address", "aws", "folder", "fresh", "house", "incident", "public", "server", "usual", "worker", "world"]
