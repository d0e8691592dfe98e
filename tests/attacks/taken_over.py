"""A worker of the queue of workflows that was taken over: it answers tasks of our workflows as it likes."""

import dataclasses
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.common import RetryPolicy, WorkflowIDReusePolicy
from temporalio.converter import SerializationContext
from temporalio.exceptions import ActivityError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from authority.claims import Act, Claim
from codec.seals import SealingCodec
from domain.model.acts import of_request
from domain.values.ids import task_queue
from tests.authority.signing import public, signed
from tests.e2e.house import House


class _Obeys:
    """Does what it is told, under the name of a workflow of ours, until it is told to end."""

    def __init__(self) -> None:
        self._over = False

    async def until_told(self) -> None:
        await workflow.wait_condition(lambda: self._over)

    @workflow.update
    async def do(self, queue: str, name: str, asked: dict[str, Any]) -> dict[str, Any]:
        """What an activity answers, or why it does not do it."""
        try:
            answer = await workflow.execute_activity(
                name,
                asked,
                task_queue=workflow.info().task_queue.removesuffix("incidents") + queue,
                start_to_close_timeout=timedelta(seconds=30),
                heartbeat_timeout=timedelta(seconds=20),
                retry_policy=RetryPolicy(maximum_attempts=1),
            )
        except ActivityError as error:
            cause: BaseException = error
            while cause.__cause__ is not None:
                cause = cause.__cause__
            return {"refused": str(cause)}
        return {"answer": answer}

    @workflow.update
    async def begin(self, change: str) -> None:
        """Begin a change of its own."""
        await workflow.start_child_workflow("Change", {}, id=change)

    @workflow.signal
    async def end(self) -> None:
        self._over = True


@workflow.defn(name="Incident", sandboxed=False)
class Incident(_Obeys):
    @workflow.run
    async def run(self, _given: Any) -> None:
        await self.until_told()


@workflow.defn(name="Change", sandboxed=False)
class Change(_Obeys):
    @workflow.run
    async def run(self, _given: Any) -> None:
        await self.until_told()


class _Credulous(SealingCodec):
    """Seals as ours do, and takes whatever it can open."""

    def with_context(self, context: SerializationContext) -> "_Credulous":
        return _Credulous(self._envelopes, context)

    def _own(self) -> bytes:
        return (getattr(self._context, "workflow_id", None) or "").encode()

    def _looked_at(self, came: Payload, found: Payload) -> Payload:  # noqa: ARG002 - whatever came
        return found


def _credulous(client: Client) -> Client:
    codec = client.data_converter.payload_codec
    assert isinstance(codec, SealingCodec)
    converter = dataclasses.replace(client.data_converter, payload_codec=_Credulous(codec._envelopes))
    told: dict[str, Any] = {**client.config(), "data_converter": converter}
    return Client(**told)


class TakenOver:
    """Carries on an incident of ours in its own way; `keys` are what people sign with, by contact."""

    def __init__(self, house: House, incident: str, keys: Path) -> None:
        self.house, self.incident, self._keys = house, incident, keys
        self.where = house.variables["INCIDENT_ENVIRONMENT"]

    @contextmanager
    def served(self) -> Iterator[None]:
        """Poll the queue of workflows in the place of ours, and take the incident's name from its workflow."""
        queue, client = task_queue(self.where), _credulous(self.house.asking.client)
        runner = UnsandboxedWorkflowRunner()
        worker = Worker(client, task_queue=queue, workflows=[Incident, Change], workflow_runner=runner)
        self.house.asking.run(worker.__aenter__())
        try:
            instead = WorkflowIDReusePolicy.TERMINATE_IF_RUNNING
            begun = client.start_workflow("Incident", {}, id=self.incident, task_queue=queue, id_reuse_policy=instead)
            self.house.asking.run(begun)
            yield
        finally:
            self.house.asking.run(worker.__aexit__(None, None, None))

    def begins(self, step: str, generation: int = 1) -> None:
        self._update(self.incident, "begin", f"{self.incident}/{step}/{generation}")

    def does(self, queue: str, name: str, asked: dict[str, Any], as_: str | None = None) -> dict[str, Any]:
        found: dict[str, Any] = self._update(as_ or self.incident, "do", queue, name, asked)
        return found

    def refused(self, queue: str, name: str, asked: dict[str, Any], as_: str | None = None) -> str:
        """Why it is not done."""
        found = self.does(queue, name, asked, as_)
        assert "refused" in found, found
        return str(found["refused"])

    def _update(self, of: str, name: str, *given: Any) -> Any:
        handle = self.house.asking.client.get_workflow_handle(of)
        return self.house.asking.run(handle.execute_update(name, args=given))

    def claims(self, by: str, act: Act, subject: str, step: str, generation: int | None, /, **other: Any) -> Claim:
        """What somebody claims, now; `other` fields replace those that would be right."""
        now = datetime.now(UTC).replace(microsecond=0)
        made = {
            "organisation": "axis-imaging",
            "environment": self.where,
            "incident": self.incident,
            "step": step,
            "generation": generation,
            "act": act,
            "subject": subject,
            "by": by,
            "at": now,
            "expires": now + timedelta(hours=1),
            "nonce": secrets.token_hex(16),
        }
        return Claim.model_validate({**made, **other})

    def signed(self, claim: Claim, by: str | None = None) -> dict[str, Any]:
        """The claim as its claimant has signed it; or with another's key."""
        file = self._keys / (by or claim.by) / "ed25519"
        signature = signed(file, claim.canonical())
        said = {"method": "ssh", "key": public(file).fingerprint, "signature": signature}
        return {"claim": claim.model_dump(mode="json"), **said}

    def request(self, by: str, step: str, given: dict[str, Any] | None = None, **other: Any) -> dict[str, Any]:
        claim = self.claims(by, Act.REQUEST, of_request(step, given or {}), step, None, **other)
        return {"proof": self.signed(claim), "given": given or {}}

    def vote(self, by: str, digest: str, step: str, /, **other: Any) -> dict[str, Any]:
        claim = self.claims(by, Act.APPROVE, digest, step, 1, **other)
        return {"by": by, "role": by, "proof": self.signed(claim)}
