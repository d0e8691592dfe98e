"""Attacks and bad days are tried in sandboxes of their own, as whole paths are in `tests.e2e`."""

from tests.e2e.conftest import aws, folder, house, public, usual, worker

__all__ = ["aws", "folder", "house", "public", "usual", "worker"]
