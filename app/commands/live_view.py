"""An execution's tasks as they pass: a line for each that ended, and bars for loops under way."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.progress import TaskID as BarId
from rich.spinner import Spinner
from rich.table import Column
from rich.text import Text

from api.execution.v1 import execution_pb2

_FAMILY = "io.serverlessworkflow."
_HELD = {"workflow.suspended": "suspended", "workflow.resumed": "resumed"}
_STYLES = {"faulted": "red", "cancelled": "yellow", "retried": "yellow", "completed": "green"}
_SHOWN = {*_STYLES, "suspended", "resumed"}
_MOST_BARS = 5
_MOST_RUNNING = 3
_LOOKED_AT = 20


class LiveView:
    """Shows events within its block; what moves is shown on terminals only, and leaves nothing."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._state = "running"
        self._running: dict[str, None] = {}
        self._loops: dict[str, BarId] = {}
        self._spinner = Spinner("dots", _one_line("starting"))
        self._bars = Progress(
            TextColumn("  {task.description}", markup=False, table_column=Column(overflow="fold")),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )
        self._live = Live(self, console=console, transient=True)

    def __rich__(self) -> RenderableType:
        """What moves."""
        return Group(self._spinner, self._bars)

    def __enter__(self) -> LiveView:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, event: execution_pb2.ExecutionEvent) -> None:
        """Takes the next event."""
        kind = event.type.removeprefix(_FAMILY).removesuffix(".v1")
        if kind in _HELD:
            self._state = "running" if kind == "workflow.resumed" else "suspended"
            self._console.print(Text(f"  {_HELD[kind]}", style="yellow"))
        what = kind.removeprefix("task.")
        if kind == "task.started":
            self._running[event.task] = None
            self._show_iteration(event)
        if event.task and event.HasField("duration"):
            self._running.pop(event.task, None)
            self._drop_loop(event.task)
        if event.task and what in _SHOWN:
            self._console.print(_line(event, what))
        self._spinner.update(text=_one_line("; ".join([self._state, *self._innermost()])))

    def _innermost(self) -> Sequence[str]:
        """Those of the newest tasks that no others are done in."""
        newest = [*self._running][-_LOOKED_AT:]
        within = [t for t in newest if not any(other.startswith(f"{t}/") for other in newest)]
        return within[-_MOST_RUNNING:]

    def _show_iteration(self, event: execution_pb2.ExecutionEvent) -> None:
        """Moves the bar of the loop around a task; one has LOOP/for/2/do/0/task as its path."""
        if not event.HasField("iterations"):
            return
        loop, _, index, *_ = event.task.rsplit("/", 5)
        if loop not in self._loops:
            if len(self._loops) == _MOST_BARS:
                return
            self._loops[loop] = self._bars.add_task(loop, total=event.iterations)
        self._bars.update(self._loops[loop], completed=int(index))

    def _drop_loop(self, task: str) -> None:
        if task in self._loops:
            self._bars.remove_task(self._loops.pop(task))


def _one_line(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis")


def _line(event: execution_pb2.ExecutionEvent, what: str) -> Text:
    line = Text(f"  {what:<9} ", style=_STYLES.get(what, ""))
    line.append(event.task, style="default")
    if event.HasField("duration"):
        line.append(f"  {event.duration.ToTimedelta().total_seconds():.3f} s", style="dim")
    if event.attempt > 1:
        line.append(f"  attempt {event.attempt}", style="dim")
    if event.HasField("error"):
        line.append(f"  {' '.join(f'{event.error.title}: {event.error.detail}'.split())}")
    return line
