"""A parsed workflow into the outline of its picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from biz.dsl.model import Task, TaskList, Workflow
from biz.dsl.tasks.for_ import ForTask
from biz.dsl.tasks.switch import Case as SwitchCase
from biz.dsl.tasks.switch import SwitchTask
from biz.dsl.tasks.try_ import TryTask
from biz.pictures.captions import (
    caption,
    catch_captions,
    duration_text,
    schedule_captions,
    shown,
)
from biz.pictures.outline import Case, Exit, Outline, Role, Section, Step, Way

MAX_STEPS = 5000
"""Tasks beyond these are counted in a picture, not drawn."""


def outline(workflow: Workflow, *, max_steps: int = MAX_STEPS) -> Outline:
    """What a picture of a workflow shows."""
    document = workflow.document
    outliner = _Outliner(max_steps)
    return Outline(
        namespace=document.namespace,
        name=document.name,
        version=document.version,
        title=document.title,
        summary=document.summary,
        starts=schedule_captions(workflow.schedule) if workflow.schedule else (),
        main=outliner.section(Role.SEQUENCE, workflow.do),
        beside=tuple(_beside(workflow, outliner)),
    )


def _beside(workflow: Workflow, outliner: _Outliner) -> Iterator[Section]:
    for name, function in workflow.functions.items():
        tasks = TaskList([function], places={})
        yield outliner.section(Role.FUNCTION, tasks, f"function {shown(name)}")
    for extension in workflow.extensions:
        kind = "any task" if extension.kind == "all" else f"any {extension.kind} task"
        for when, found in (("before", extension.before), ("after", extension.after)):
            if found is not None:
                yield outliner.section(Role.EXTENSION, found, f"{when} {kind}")


class _Outliner:
    """Draws up to a number of steps, in the order of the definition."""

    def __init__(self, left: int) -> None:
        self._left = left

    def section(self, role: Role, tasks: TaskList, *captions: str) -> Section:
        """A list of tasks."""
        steps: list[Step] = []
        for place, task in enumerate(tasks.tasks):
            if self._left == 0:
                steps.append(_more(len(tasks.tasks) - place))
                break
            self._left -= 1
            steps.append(self._step(place, task, tasks))
        last = len(steps) - 1
        if steps and not steps[-1].reference:  # ways to what is left out lead to what stands for it
            steps = [_cut(step, last) for step in steps[:-1]] + steps[-1:]
        return Section(role=role, steps=tuple(steps), captions=captions)

    def _step(self, place: int, task: Task, tasks: TaskList) -> Step:
        what, detail = caption(task)
        return Step(
            reference=task.pointer,
            name=shown(task.name),
            kind=task.kind,
            what=what,
            detail=detail,
            condition=shown(task.condition.source) if task.condition is not None else "",
            timeout=duration_text(task.timeout) if task.timeout is not None else "",
            ways=_ways(place, task, tasks),
            cases=_cases(place, task, tasks) if isinstance(task, SwitchTask) else (),
            sections=tuple(self._sections(task)),
            expected=_iterations(task),
        )

    def _sections(self, task: Task) -> Iterator[Section]:
        if isinstance(task, TryTask):
            yield self.section(Role.TRY, task.try_)
            handlers = task.catch.do or TaskList((), places={})
            yield self.section(Role.CATCH, handlers, *catch_captions(task.catch))
            return
        roles = {"for": Role.LOOP, "fork": Role.BRANCHES, "do": Role.SEQUENCE}
        for tasks in task.lists():  # those of what listens and subscribes are loops too
            yield self.section(roles.get(task.kind, Role.LOOP), tasks)


def _ways(place: int, task: Task, tasks: TaskList) -> Sequence[Way]:
    ways = _ways_done(place, task, tasks)
    behind = _target("continue", place, tasks)
    if task.condition is None or any(way.to == behind for way in ways):
        return ways
    return (*ways, Way(to=behind, label="otherwise"))


def _ways_done(place: int, task: Task, tasks: TaskList) -> Sequence[Way]:
    """Those that it goes on by where its condition holds."""
    if task.kind == "raise":
        return ()
    if isinstance(task, SwitchTask):
        if any(case.when is None for case in task.cases):
            return ()
        return (Way(to=_target(task.then, place, tasks), label="otherwise"),)
    way = Way(to=_target(task.then, place, tasks))
    if not isinstance(task, TryTask) or task.catch.then is None:
        return (way,)
    caught = Way(to=_target(task.catch.then, place, tasks), label="caught")
    return (way,) if caught.to == way.to else (way, caught)


def _cases(place: int, task: SwitchTask, tasks: TaskList) -> Sequence[Case]:
    names = [next(iter(item)) for item in task.definition["switch"]]
    return tuple(
        Case(
            name=shown(name),
            when=_condition(case),
            way=Way(to=_target(case.then, place, tasks), label=shown(name)),
        )
        for name, case in zip(names, task.cases, strict=True)
    )


def _condition(case: SwitchCase) -> str:
    return shown(case.when.source) if case.when is not None else ""


def _target(directive: str, place: int, tasks: TaskList) -> int | Exit:
    if directive == "continue":
        return place + 1 if tasks.is_sequence else len(tasks.tasks)
    return tasks.places[directive] if directive in tasks.places else Exit(directive)


def _iterations(task: Task) -> int | None:
    """How many there will be, where the definition has the items themselves."""
    if not isinstance(task, ForTask) or task.while_ is not None:
        return None
    items = task.definition["for"]["in"]
    return len(items) if isinstance(items, list) else None


def _more(count: int) -> Step:
    return Step(
        reference="",
        name=f"{count} more task" + ("s" if count > 1 else ""),
        kind="more",
        what="not drawn",
    )


def _cut(step: Step, last: int) -> Step:
    ways = tuple(_shortened(way, last) for way in step.ways)
    cases = tuple(replace(case, way=_shortened(case.way, last)) for case in step.cases)
    return replace(step, ways=ways, cases=cases)


def _shortened(way: Way, last: int) -> Way:
    return way if isinstance(way.to, Exit) else replace(way, to=min(way.to, last))
