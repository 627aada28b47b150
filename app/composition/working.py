"""The worker."""

from dependency_injector import containers, providers

from app.composition.calls import Calls
from app.composition.foundation import Foundation
from app.composition.hooks import Hooks
from app.composition.kinds import Part, run, seconds
from app.composition.storage import Storage
from app.composition.temporal import Temporal
from app.composition.usecases import Usecases
from workflows.activities.checkpoints import CheckpointActivities
from workflows.activities.expressions.evaluation import EvaluationActivities
from workflows.activities.listening import ListeningActivities
from workflows.activities.recording import RecordingActivities
from workflows.activities.scheduled_starts import ScheduledStartActivities
from workflows.worker import build_worker

_settings = Foundation.settings.provided


class Working(containers.DeclarativeContainer):
    """The worker."""

    worker = Part(
        run,
        name="the worker",
        runner=providers.Singleton(
            build_worker,
            client=Temporal.temporal_client,
            task_queue=_settings.task_queue,
            callers=Calls.callers,
            recording=providers.Singleton(
                RecordingActivities,
                recorder=Calls.recorder,
                watcher=Usecases.scheduling,
                on_fault=Hooks.hooks_at_work.provided.wake,
            ),
            scheduled_starts=providers.Singleton(
                ScheduledStartActivities,
                starter=Usecases.scheduling,
                engine_version=Foundation.engine_version,
            ),
            checkpoints=providers.Singleton(
                CheckpointActivities, checkpoints=Storage.checkpoint_repo
            ),
            evaluation=providers.Singleton(EvaluationActivities, evaluator=Calls.expression_pool),
            listening=providers.Singleton(ListeningActivities, source=Storage.event_repo),
            max_concurrent_calls=_settings.max_concurrent_calls,
            drain=seconds(_settings.drain_seconds),
        ),
    )
