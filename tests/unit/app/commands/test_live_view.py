"""What is shown of an execution while it runs, on a terminal and elsewhere."""

import io
import re

import pytest
from google.protobuf.duration_pb2 import Duration
from rich.console import Console

from api.execution.v1 import execution_pb2
from app.commands.live_view import LiveView

Event = execution_pb2.ExecutionEvent
LOOP = "/do/0/[loop]"
ERROR = execution_pb2.Execution.Error(title="No luck", detail="two\nlines")


def event(what: str, task: str = "", **properties: object) -> Event:
    return Event(type=f"io.serverlessworkflow.task.{what}.v1", task=task, **properties)  # type: ignore[arg-type]  # properties of any type


def ended(what: str, task: str, **properties: object) -> Event:
    return event(what, task, duration=Duration(seconds=1, nanos=500_000_000), **properties)


class Screen:
    """A console of a hundred columns that keeps what is written to it."""

    def __init__(self, *, is_terminal: bool) -> None:
        self._text = io.StringIO()
        self.console = Console(
            file=self._text,
            force_terminal=is_terminal,
            width=100,
            highlight=False,
            soft_wrap=True,
            color_system=None,
        )
        self.view = LiveView(self.console)

    def look(self) -> str:
        """What moves, as it is drawn now."""
        with self.console.capture() as capture:
            self.console.print(self.view)
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capture.get())

    @property
    def text(self) -> str:
        return self._text.getvalue()


@pytest.fixture
def terminal() -> Screen:
    return Screen(is_terminal=True)


def test_elsewhere_than_on_a_terminal_there_are_plain_lines_alone() -> None:
    screen = Screen(is_terminal=False)
    with screen.view as view:
        view.show(event("started", LOOP))
        view.show(event("started", f"{LOOP}/for/0/do/0/x", iterations=2))
        view.show(ended("completed", f"{LOOP}/for/0/do/0/x"))
        view.show(ended("faulted", LOOP, attempt=2, error=ERROR))
        view.show(Event(type="io.serverlessworkflow.workflow.faulted.v1"))

    assert screen.text.splitlines() == [
        f"  completed {LOOP}/for/0/do/0/x  1.500 s",
        f"  faulted   {LOOP}  1.500 s  attempt 2  No luck: two lines",
    ]


def test_a_loop_has_a_bar_as_long_as_it_is_under_way(terminal: Screen) -> None:
    terminal.view.show(event("started", LOOP))
    assert "/12" not in terminal.look()
    for index in range(3):
        task = f"{LOOP}/for/{index}/do/0/x"
        terminal.view.show(event("started", task, iterations=12))
        assert re.search(rf"{re.escape(LOOP)} .*{'━' * index}.* {index}/12 ", terminal.look())
        terminal.view.show(ended("completed", task))
    terminal.view.show(ended("cancelled", LOOP))
    assert "━" not in terminal.look()


def test_the_tasks_that_began_last_are_named(terminal: Screen) -> None:
    assert "starting" in terminal.look()
    for name in "abcd":
        terminal.view.show(event("started", f"/do/0/{name}"))
    assert "running; /do/0/b; /do/0/c; /do/0/d" in terminal.look()
    terminal.view.show(event("started", "/do/0/d/do/0/e"))
    assert "running; /do/0/b; /do/0/c; /do/0/d/do/0/e" in terminal.look()
    terminal.view.show(ended("completed", "/do/0/d/do/0/e"))
    for name in "abcd":
        terminal.view.show(ended("completed", f"/do/0/{name}"))
    assert terminal.look().splitlines()[0].endswith(" running")


def test_it_is_told_that_the_run_is_held(terminal: Screen) -> None:
    for what in ("suspended", "resumed"):
        terminal.view.show(Event(type=f"io.serverlessworkflow.workflow.{what}.v1"))
    terminal.view.show(Event(type="io.serverlessworkflow.workflow.suspended.v1"))

    assert terminal.text.split() == ["suspended", "resumed", "suspended"]
    assert "suspended" in terminal.look()


def test_loops_in_loops_have_bars_of_their_own_up_to_a_number(terminal: Screen) -> None:
    path = LOOP
    for depth in range(7):
        path = f"{path}/for/{depth}/do/0/in"
        terminal.view.show(event("started", path, iterations=100 + depth))
    shown = terminal.look()
    assert [f"{depth}/{100 + depth}" in shown for depth in range(7)] == [True] * 5 + [False] * 2


def test_on_a_terminal_what_moves_is_wiped_away(terminal: Screen) -> None:
    with terminal.view as view:
        view.show(event("started", f"{LOOP}/for/1/do/0/x", iterations=2))
    assert "1/2" in terminal.text
    assert terminal.text.rstrip().endswith("\x1b[2K")
