"""Attacks and bad days are tried in sandboxes of their own, as whole paths are in `tests.e2e`."""

from tests.starters.conftest import incident

__all__ = ["incident"]
