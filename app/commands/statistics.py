"""`stats`: figures of many executions."""

from collections.abc import Sequence

import typer
from google.protobuf.duration_pb2 import Duration

from api.execution.v1 import execution_pb2
from app.client import connect
from app.output import Format, print_json, print_table, time_text, to_json
from app.time_argument import duration_argument, time_argument

Stats = execution_pb2.GetExecutionStatsResponse

_DURATIONS = ("P50 (S)", "P95 (S)", "P99 (S)", "MAX (S)")


def stats(
    *,
    namespace: str,
    template: str,
    after: str,
    before: str,
    interval: str,
    server: str,
    output: Format,
) -> None:
    """Prints what GetExecutionStats answers."""
    request = execution_pb2.GetExecutionStatsRequest(
        namespace=namespace,
        template_name=template,
        created_after=time_argument(after, name="--after"),
        created_before=time_argument(before, name="--before"),
        interval=duration_argument(interval, name="--interval"),
    )
    with connect(server) as client:
        found = client.executions.GetExecutionStats(request)
    if output == "json":
        print_json(to_json(found))
    else:
        _print(found)


def _print(found: Stats) -> None:
    names = [execution_pb2.Execution.Status.Name(each.status) for each in found.by_status]
    rate = f"{found.success_rate:.1%}" if found.HasField("success_rate") else "-"
    took = _seconds(found.duration) if found.HasField("duration") else ("-",) * len(_DURATIONS)
    print_table(
        ("TOTAL", *names, "SUCCESS", *_DURATIONS),
        [(str(found.total), *(str(each.count) for each in found.by_status), rate, *took)],
    )
    if found.intervals:
        typer.echo()
        print_table(
            ("FROM (UTC)", "STARTED", "COMPLETED", "FAULTED"),
            [
                (time_text(each.start), str(each.started), str(each.completed), str(each.faulted))
                for each in found.intervals
            ],
        )
    _print_tasks("SLOWEST TASK", found.slowest_tasks)
    _print_tasks("FAILING TASK", found.failing_tasks)


def _print_tasks(title: str, tasks: Sequence[Stats.TaskStats]) -> None:
    if not tasks:
        return
    typer.echo()
    print_table(
        (title, "TEMPLATE ID", "ENDED", "FAULTED", *_DURATIONS),
        [
            (
                each.task,
                str(each.template_id),
                str(each.count),
                str(each.faulted),
                *_seconds(each.duration),
            )
            for each in tasks
        ],
    )


def _seconds(durations: Stats.DurationStats) -> tuple[str, ...]:
    each: tuple[Duration, ...] = (durations.p50, durations.p95, durations.p99, durations.max)
    return tuple(f"{length.ToTimedelta().total_seconds():.3f}" for length in each)
