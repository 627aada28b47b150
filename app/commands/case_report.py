"""How the results of tests are shown to people."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import typer

from app.definition_file import fault_line
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


Results = Sequence[tuple[Case, DryRun | None, Sequence[str]]]
"""Each case with its run, if there could be one, and what is otherwise than expected."""


class Report(Protocol):
    """What is told of tests while they run."""

    def wrong_file(self, file: Path, fault: Diagnostic) -> None:
        """What is wrong with a file; it is told once for each fault."""
        ...

    def cases(self, file: Path, results: Results, coverage: Coverage) -> None:
        """How the cases of a file went, and what none of them reached."""
        ...

    def faults(
        self, file: Path, case: Case, runs: Sequence[tuple[Injection, DryRun | str]]
    ) -> None:
        """How a case ends with each of its calls failing, or why that can't be said."""
        ...

    def undone(self, file: Path, case: Case, why: str) -> None:
        """A case that can't be run, so that none of its calls can fail."""
        ...

    def end(self, suites: Sequence[Suite]) -> None:
        """That was all; `suites` are the cases that were judged."""
        ...


class TextReport:
    """A Report as lines for people."""

    def __init__(self) -> None:
        self._file: Path | None = None

    def wrong_file(self, file: Path, fault: Diagnostic) -> None:
        """Prints it as FILE:LINE:COLUMN."""
        typer.echo(fault_line(file, fault))

    def cases(self, file: Path, results: Results, coverage: Coverage) -> None:
        """Prints a line for each, and for each fault."""
        self._name(file)
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

    def faults(
        self, file: Path, case: Case, runs: Sequence[tuple[Injection, DryRun | str]]
    ) -> None:
        """Prints how the run ends for each call, and which calls follow."""
        self._name(file)
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

    def undone(self, file: Path, case: Case, why: str) -> None:
        """Prints why."""
        self._name(file)
        typer.secho(f"  {case.name}: {why}", fg=typer.colors.RED)

    def end(self, suites: Sequence[Suite]) -> None:
        """Prints how many cases are right, where they were judged."""
        faults = [faults for suite in suites for _, faults in suite.cases]
        wrong = sum(bool(found) for found in faults)
        if suites:
            typer.echo(f"{len(faults) - wrong} passed, {wrong} failed")

    def _name(self, file: Path) -> None:
        """Prints it, once for all that is told of it in a row."""
        if file != self._file:
            typer.echo(str(file))
            self._file = file


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
