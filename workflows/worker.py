"""Builds the worker: what runs workflows and activities for a task queue."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Protocol

from temporalio.client import Client
from temporalio.worker import Worker

from workflows.activities.checkpoints import CheckpointActivities
from workflows.activities.expressions.evaluation import EvaluationActivities
from workflows.activities.giving_way import breathe
from workflows.activities.listening import ListeningActivities
from workflows.activities.recording import RecordingActivities
from workflows.activities.scheduled_starts import ScheduledStartActivities
from workflows.definition_workflow import DefinitionWorkflow
from workflows.scheduled_start import ScheduledStartWorkflow

_STICKY_TIMEOUT = timedelta(seconds=2)
"""How long a run waits for a worker that knew it, before another one takes it over."""


_HEARTBEAT_INTERVAL = timedelta(seconds=2)
"""So soon a call learns that it is cancelled; a busy worker may miss some beats and isn't lost."""


class Caller(Protocol):
    """Makes the calls of one protocol, by an activity named after their kind."""

    @property
    def call(self) -> Callable[..., Awaitable[Any]]:
        """The activity."""
        ...


def build_worker(
    *,
    client: Client,
    task_queue: str,
    callers: Sequence[Caller],
    recording: RecordingActivities,
    checkpoints: CheckpointActivities,
    evaluation: EvaluationActivities,
    listening: ListeningActivities,
    scheduled_starts: ScheduledStartActivities,
    max_concurrent_calls: int,
    drain: timedelta,
) -> Worker:
    """A worker that isn't running yet.

    `max_concurrent_calls` bounds the activities at once; `drain` is how long a stop waits for them.
    """
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[DefinitionWorkflow, ScheduledStartWorkflow],
        activities=[
            breathe,
            *(caller.call for caller in callers),
            recording.record_progress,
            recording.record_events,
            recording.record_end,
            checkpoints.load_checkpoint,
            evaluation.evaluate_expression,
            listening.fetch_events,
            listening.stop_listening,
            scheduled_starts.start_due,
        ],
        max_concurrent_activities=max_concurrent_calls,
        max_heartbeat_throttle_interval=_HEARTBEAT_INTERVAL,
        sticky_queue_schedule_to_start_timeout=_STICKY_TIMEOUT,
        graceful_shutdown_timeout=drain,
    )
