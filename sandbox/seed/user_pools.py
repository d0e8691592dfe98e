"""The people of a sandbox's account, who are none: user pools with accounts named by opaque ids."""

from uuid import NAMESPACE_URL, uuid5

from sandbox.aws.cognito import named_account, named_pool
from sandbox.runtime.aws_world import World

COUNT = 12
_TELEPHONE = "+61491570006"
"""Reserved for fiction: nobody answers it."""


def sub(number: int) -> str:
    """The sub of an account, the same in every sandbox."""
    return str(uuid5(NAMESPACE_URL, f"account {number}"))


def accounts(world: World) -> None:
    """Create every user pool that the environment file names, with a dozen accounts; every third has no telephone."""
    environment = world.environment
    for name, pool in environment.user_pools.items():
        named_pool(environment.account, environment.region, pool, name)
        for number in range(COUNT):
            telephone = None if number % 3 == 2 else _TELEPHONE
            mail = f"account-{number}@example.com"
            named_account(environment.account, environment.region, pool, sub(number), mail, telephone=telephone)
