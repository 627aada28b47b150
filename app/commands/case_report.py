"""How the results of tests are shown."""

from collections.abc import Sequence
from pathlib import Path

import typer

from app.junit import Suite
from biz.dsl.dry_run import DryRun, Ending
from biz.dsl.durations import shown_duration
from biz.dsl.lifecycle import LifecycleType
from biz.dsl.reading.diagnostics import Diagnostic
from biz.dsl.task_paths import pointer_of
from biz.testing.cases import Case
from biz.testing.coverage import Coverage
from biz.testing.faults import Injection
from biz.testing.judging import shown_ending, shown_error

_SHOWN_TASKS = 30
_WAYS = {"communication": "fails", "timeout": "times out"}


def print_diagnostic(file: Path, fault: Diagnostic) -> None:
    """Prints what is wrong with a test file, as FILE:LINE:COLUMN."""
    place = f"{file}:{fault.line}:{fault.column}"
    typer.echo(f"{place}: {fault.severity}: {fault.message} [{fault.code}] {fault.pointer}")


def print_cases(
    file: Path, results: Sequence[tuple[Case, DryRun | None, Sequence[str]]], coverage: Coverage
) -> None:
    """Prints each case of a file with what is otherwise than expected, and what none reached."""
    typer.echo(str(file))
    for case, run, faults in results:
        if not faults:
            took = f" ({shown_duration(run.duration)})" if run and run.duration else ""
            typer.secho(f"  ok    {case.name}{took}", fg=typer.colors.GREEN)
            continue
        typer.secho(f"  FAIL  {case.name}  ({file}:{case.line})", fg=typer.colors.RED)
        for fault in faults:
            typer.echo(f"          {fault}")
        if run is not None:
            typer.echo(f"          the tasks that ran: {_tasks(run)}")
    _print_coverage(coverage)


def print_total(suites: Sequence[Suite]) -> None:
    """Prints how many cases are right."""
    faults = [faults for suite in suites for _, faults in suite.cases]
    wrong = sum(bool(found) for found in faults)
    typer.echo(f"{len(faults) - wrong} passed, {wrong} failed")


def print_undone(case: Case, why: str) -> None:
    """Prints that a case can't be run."""
    typer.secho(f"  {case.name}: {why}", fg=typer.colors.RED)


def print_faults(case: Case, runs: Sequence[tuple[Injection, DryRun | str]]) -> None:
    """Prints how a case ends with each of its calls failing, and which calls followed."""
    typer.secho(f"  {case.name}", bold=True)
    if not runs:
        typer.echo("    makes no call")
    for injection, run in runs:
        typer.echo(f"    {injection.task} {_WAYS[injection.kind]}:")
        if isinstance(run, str):
            typer.secho(f"      {run}", fg=typer.colors.RED)
            continue
        typer.echo(f"      the run {_ending(run)}")
        tasks = _counted([pointer_of(call.task) for call in injection.followers(run)])
        typer.echo(f"      calls after it: {', '.join(tasks) or 'none'}")


def _ending(run: DryRun) -> str:
    if run.ending is Ending.FAULTED and run.error is not None:
        return f"faulted: {shown_error(run.error)}"
    return shown_ending(run)


def _print_coverage(coverage: Coverage) -> None:
    if not coverage.all:
        return
    reached = len(coverage.all) - len(coverage.unreached)
    typer.echo(f"  {reached} of {len(coverage.all)} branches reached")
    for branch in coverage.unreached:
        typer.secho(f"        not reached: {branch.task}: {branch.way}", fg=typer.colors.YELLOW)


def _tasks(run: DryRun) -> str:
    started = [
        event.task.rpartition("/")[2]
        for event in run.trace
        if event.type is LifecycleType.TASK_STARTED
    ]
    shown = _counted(started)[:_SHOWN_TASKS]
    return ", ".join(shown) or "none"


def _counted(names: Sequence[str]) -> Sequence[str]:
    """Each name once, in the order in which they come, with how often where it isn't once."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return [name if count == 1 else f"{name} ×{count}" for name, count in counts.items()]
