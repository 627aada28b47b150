"""What a picture says of a task's progress, in words."""

from __future__ import annotations

from datetime import timedelta

from biz.dsl.durations import shown_duration
from biz.pictures.progress import RunProgress, TaskProgress, TaskState

_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)


def progress_text(progress: TaskProgress, expected: int | None = None) -> str:
    """Such as "3 of 5 done, 1.2 s"; `expected` is the number of iterations that there will be."""
    parts = [str(progress.state)]
    if progress.state is TaskState.RUNNING:
        parts[0] = f"running since {progress.since:%H:%M:%S}"
    elif progress.state is TaskState.FAULTED and progress.error is not None:
        parts[0] = f"faulted: {progress.error.title or progress.error.type}"
    elif progress.state is TaskState.KEPT:
        parts[0] = "kept from a run before"
    if progress.places > 1:
        parts.append(f"{progress.completed} of {progress.places} done")
    if progress.kept and progress.state is not TaskState.KEPT:
        parts.append(f"{progress.kept} kept from a run before")
    if progress.starts > max(progress.places, progress.attempts):
        parts.append(f"started {progress.starts} times")
    if progress.attempts > 1:
        parts.append(f"{progress.attempts} attempts")
    if progress.iterations:
        parts.append(_iterations(progress, expected))
    if progress.state is not TaskState.RUNNING or progress.took:
        parts.append(took_text(progress.took))
    return ", ".join(parts)


def run_text(run: RunProgress) -> str:
    """How a run as a whole goes, or went."""
    parts = [run.status.lower()]
    if run.started_at is not None:
        parts.append(f"started {run.started_at:%Y-%m-%d %H:%M:%S} UTC")
        if run.ended_at is not None:
            parts.append(f"took {took_text(run.ended_at - run.started_at)}")
    if run.error is not None:
        parts.append(run.error.title or run.error.type)
    return ", ".join(parts)


def took_text(duration: timedelta) -> str:
    """A measured time, no more exact than is of use."""
    if duration < _SECOND:
        return f"{duration / timedelta(milliseconds=1):.0f} ms"
    if duration < _MINUTE:
        return f"{duration.total_seconds():.1f} s"
    return shown_duration(timedelta(seconds=round(duration.total_seconds())))


def _iterations(progress: TaskProgress, expected: int | None) -> str:
    count = progress.iterations
    if expected is not None and progress.places == 1:
        return f"{count} of {expected} iterations"
    return f"{count} iteration" + ("s" if count > 1 else "")
