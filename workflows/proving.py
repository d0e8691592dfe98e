"""Whether who says something has proven to: a local activity looks, and its marker is the verdict for ever."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.model.proofs import ClaimAsked, Verdict, is_fit

from workflows import failures

CHECK = "proofs.check"
_ATTEMPT = timedelta(seconds=5)
_TRIES = 3
UNSIGNED = "it is not signed: who does this proves who they are, by a key of the register (incident identity)"
UNFIT = "its proof is no proof: {claim, method, key, signature}, of 12,000 bytes at most"


async def verdict_on(asked: ClaimAsked) -> Verdict:
    """What comes of a look at a proof, by the register as it is now; nobody looks at what can be none."""
    if asked.proof is None:
        return Verdict(reason=UNSIGNED)
    if not is_fit(asked.proof):
        return Verdict(reason=UNFIT)
    try:
        found: Verdict = await workflow.execute_local_activity(
            CHECK,
            asked,
            result_type=Verdict,
            start_to_close_timeout=_ATTEMPT,
            retry_policy=RetryPolicy(maximum_attempts=_TRIES, initial_interval=timedelta(seconds=1)),
        )
    except (ActivityError, ApplicationError) as error:  # a local one raises what it failed of
        found = Verdict(
            reason=f"its proof could not be looked at ({failures.reason(error)}): say it again", looked=False
        )
    return found
