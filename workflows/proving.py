"""Whether who says something has proven to: somebody looks, and what history has of that is the verdict for ever.

A local activity does. A proof by `aws-iam` is for the hands, who ask AWS and keep what it says: by that they judge it
again when it is acted on.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.model.proofs import ClaimAsked, Verdict, is_fit
    from domain.values.severity import Severity

from workflows import asking, failures, profiles

CHECK = "proofs.check"
WITNESS = "proofs.witness"
_ATTEMPT = timedelta(seconds=5)
_TRIES = 3
UNSIGNED = "it is not signed: who does this proves who they are, by a key of the register (incident identity)"
UNFIT = "its proof is no proof: {claim, method, key, signature}, of 12,000 bytes at most"


def is_witnessed(asked: ClaimAsked) -> bool:
    """Whether the hands have to look at it: by its proof, so that a replay decides alike."""
    return isinstance(asked.proof, dict) and asked.proof.get("method") == "aws-iam"


async def verdict_on(asked: ClaimAsked) -> Verdict:
    """What comes of a look at a proof, by the register as it is now; nobody looks at what can be none."""
    if asked.proof is None:
        return Verdict(reason=UNSIGNED)
    if not is_fit(asked.proof):
        return Verdict(reason=UNFIT)
    try:
        return await (_witnessed(asked) if is_witnessed(asked) else _looked_at(asked))
    except (ActivityError, ApplicationError) as error:  # a local one raises what it failed of
        reason = f"its proof could not be looked at ({failures.reason(error)}): say it again"
        return Verdict(reason=reason, looked=False)


async def _looked_at(asked: ClaimAsked) -> Verdict:
    found: Verdict = await workflow.execute_local_activity(
        CHECK,
        asked,
        result_type=Verdict,
        start_to_close_timeout=_ATTEMPT,
        retry_policy=RetryPolicy(maximum_attempts=_TRIES, initial_interval=timedelta(seconds=1)),
    )
    return found


async def _witnessed(asked: ClaimAsked) -> Verdict:
    options = profiles.with_profile(profiles.WITNESS, Severity.P0, "Ask AWS who has signed")
    return await asking.ask(WITNESS, Verdict, options, asked)
