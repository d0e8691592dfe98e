"""What an activity is asked in the clear, where everything of ours is sealed, is not done."""

from typing import Any

from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from domain.values.errors import ErrorKind


class HearsOurs(Interceptor):
    """Refuses an activity whose input the codec has taken away, as none of our workflows has sealed it."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - SDK's
        return _Hearing(next)


class _Hearing(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        if any(one is None for one in input.args):
            raise ApplicationError(
                "no workflow of ours asks for this: its input is not sealed by one",
                type=ErrorKind.REFUSED.value,
                non_retryable=True,
            )
        return await super().execute_activity(input)
