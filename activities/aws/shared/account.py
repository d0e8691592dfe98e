"""Whose credentials a worker has: nothing is changed or rehearsed in an account that is not the environment's."""

from functools import cached_property

from activities.action import Clients, RuleError
from domain.config.environment import Environment


class Account:
    """The account of some clients; it is asked for once (`sts:GetCallerIdentity`)."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @cached_property
    def _id(self) -> str:
        return str(self._clients.client("sts").get_caller_identity()["Account"])

    def refuse_foreign(self, environment: Environment) -> None:
        """Raises `RuleError` where the credentials are of another account than the environment's."""
        if self._id != environment.account:
            raise RuleError(
                f"the worker's credentials are of account {self._id}, but environment "
                f"{environment.name} is account {environment.account}"
            )
