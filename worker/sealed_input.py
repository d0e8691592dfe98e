"""No activity does what it is asked in the clear, where everything of ours is sealed."""

from typing import Any

from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from domain.values.errors import ErrorKind


class RefusesUnsealed(Interceptor):
    """Refuses an activity whose input the codec has taken away, since none of our workflows had sealed it."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - SDK's
        return _Refusing(next)


class _Refusing(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        if any(one is None for one in input.args):
            raise ApplicationError(
                "no workflow of ours asks for this: its input is not sealed by one",
                type=ErrorKind.REFUSED.value,
                non_retryable=True,
            )
        return await super().execute_activity(input)
