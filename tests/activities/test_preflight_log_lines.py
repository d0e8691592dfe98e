"""Preflight reads a day's lines of a service as probes do: what hides no error, and what might."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from moto import mock_aws

from activities.preflight.check import Room, Verdict
from activities.preflight.logs import service_log
from tests.activities.given import Stubbed
from tests.activities.log_worlds import Said, log_of
from tests.activities.scopes import NOW, environment
