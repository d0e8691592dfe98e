"""Attacks and bad days are tried in sandboxes of their own, as whole paths are in `tests.e2e`."""

from tests.e2e.conftest import aws, folder, house, public, usual, worker
from tests.starters.conftest import incident

__all__ = ["aws", "folder", "house", "incident", "public", "usual", "worker"]
