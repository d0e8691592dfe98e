"""What surrounds every activity: ids in the log, a beat for the server, and errors that have a kind."""

import contextvars
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, CancelledError

from activities.aws.shared.error_mapping import as_application_error
from activities.heartbeat import keeping, taken_up_later

_BEAT_SECONDS = 1.0
WORKER_SHUTDOWN = "WorkerShutdown"


@contextmanager
def acting(doing: str, **ids: str) -> Iterator[None]:
    """Run one activity's work; `doing` names it in errors, `ids` stand in every line that it logs.

    Every error leaves as an `ApplicationError` of its kind, with the places in the code that it came by and without
    the error behind it: history and logs would repeat what AWS answered, which may hold anything. An activity cut by
    a worker that is shut down fails retryably at once, so that another worker takes it up.
    """
    with structlog.contextvars.bound_contextvars(**ids), _beating():
        try:
            yield
        except ApplicationError as error:
            raise error from None
        except CancelledError as error:
            if not taken_up_later():
                raise
            raise ApplicationError(
                f"{doing}: the worker is shut down", type=WORKER_SHUTDOWN, next_retry_delay=timedelta(milliseconds=1)
            ) from error
        except Exception as error:  # noqa: BLE001 - raised again, as an error of its kind
            known = as_application_error(error, doing, attempt=activity.info().attempt)
            raise known.with_traceback(error.__traceback__) from None


@contextmanager
def _beating() -> Iterator[None]:
    """Heartbeat each second while the work runs, with its latest details: a killed worker is noticed in time.

    Does nothing where the workflow set no heartbeat timeout.
    """
    if not activity.info().heartbeat_timeout:
        yield
        return
    done = threading.Event()
    with keeping(activity.info().heartbeat_details) as details:

        def beat() -> None:
            while not done.wait(_BEAT_SECONDS):
                activity.heartbeat(*details)

        # the thread needs the activity's context variables, by which `heartbeat` finds the activity
        threading.Thread(target=contextvars.copy_context().run, args=(beat,), name="heartbeat", daemon=True).start()
        try:
            yield
        finally:
            done.set()
