"""What makes the suite quick, and keeps tests together that share much; a DynamoDB whose writes are atomic."""

import gc
import logging
import os
import tempfile

import moto.core.models
import pytest
from botocore.auth import SigV4Auth
from hypothesis import settings

from sandbox.aws import dynamodb, moto_speedups
from sandbox.aws.moto_patch import patch

# what commands keep for their next call is the tests' own
_CACHE = tempfile.TemporaryDirectory(prefix="tests-cache-")
os.environ["XDG_CACHE_HOME"] = _CACHE.name

# moto makes some thousand machine images for every account that EC2 is asked in
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"

# what is imported once stays; looking through it again and again is a tenth of all time
gc.set_threshold(50_000, 20, 50)

# how long an example takes says more of the machine than of the code
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

moto_speedups.install()
dynamodb.install()

# moto's server would write a line for each request
logging.getLogger("werkzeug").setLevel(logging.WARNING)

# and it checks no signature
patch(SigV4Auth, canonical_request=lambda *_: "", signature=lambda *_: "0" * 64)

# moto listens to requests too, by a thousand patterns a test; only botocore asks AWS for anything here
moto.core.models.RESPONSES_METHODS.clear()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share what takes long to make in one process, so that it is made once.

    Slow ones come first, then those that are kept together: the many short ones at the end keep all processes busy.
    """
    for item in items:
        if isinstance(item, pytest.Function) and not item.get_closest_marker("xdist_group"):
            made = {one.scope for several in item._fixtureinfo.name2fixturedefs.values() for one in several}
            shared = {"package": item.module.__package__, "module": item.module.__name__}
            if group := next((name for scope, name in shared.items() if scope in made), None):
                item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: [item.get_closest_marker(name) is None for name in ("slow", "xdist_group")])


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail where pytest-xdist keeps no groups, as with a pytest that it does not know: nothing else would tell.

    Tests of a group share a sandbox, in the order of their modules; apart, each process starts one.
    """
    if getattr(item.config.option, "loadgroup", False) and item.get_closest_marker("xdist_group"):
        assert "@" in item.nodeid, "no group is kept together: install pytest as requirements.lock has it"
