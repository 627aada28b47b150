"""Pictures of workflows: of a definition, or of an execution with what became of its tasks."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from enum import StrEnum

from biz.dsl.checkpoint import Checkpoint
from biz.dsl.lifecycle import LifecycleEvent
from biz.dsl.model import Workflow
from biz.dsl.relocation import Relocation
from biz.dsl.validator import check, load_workflow
from biz.errors import ExecutionNotFound, InvalidArgument, InvalidDefinition, Violation
from biz.executions.checkpoints import CheckpointRepo
from biz.executions.execution import Execution, ExecutionRepo
from biz.history.history import HistoryRepo
from biz.limits import check_present, check_size
from biz.paging import Order, Slice
from biz.pictures.kept import Kept
from biz.pictures.mermaid import to_mermaid
from biz.pictures.outlining import outline
from biz.pictures.progress import RunProgress, task_progress
from biz.pictures.svg import to_svg
from biz.templates.alias import TemplateAliasUsecase
from biz.templates.template import TemplateRepo

_EVENTS_AT_ONCE = 1000

_MOST_BEFORE = 20
"""So many runs before are looked at; what older ones have done isn't shown."""


class PictureFormat(StrEnum):
    """What a picture is written in."""

    SVG = "svg"
    MERMAID = "mermaid"


_WRITERS = {PictureFormat.SVG: to_svg, PictureFormat.MERMAID: to_mermaid}


class PictureUsecase:
    """How callers see workflows."""

    def __init__(
        self,
        *,
        templates: TemplateRepo,
        aliases: TemplateAliasUsecase,
        executions: ExecutionRepo,
        history: HistoryRepo,
        checkpoints: CheckpointRepo,
    ) -> None:
        self._templates = templates
        self._aliases = aliases
        self._executions = executions
        self._history = history
        self._checkpoints = checkpoints
        # A thread of its own: a large picture takes seconds, and holds up only others.
        self._drawing = ThreadPoolExecutor(1, thread_name_prefix="pictures")

    async def of_definition(self, config: str, format: PictureFormat) -> str:
        """That of a definition in JSON or YAML. Raises InvalidArgument, InvalidDefinition."""
        if faults := [*check_present("config", config), *check_size("config", config)]:
            raise InvalidArgument(faults)
        return await self._draw(lambda: _checked(config), format)

    async def of_template(self, id: int, format: PictureFormat) -> str:
        """That of a stored template. Raises TemplateNotFound."""
        template = await self._templates.get(id)
        return await self._draw(lambda: load_workflow(template.config), format)

    async def of_name(
        self, *, namespace: str, name: str, version: str, alias: str, format: PictureFormat
    ) -> str:
        """That of the template that a start with these would run.

        Raises TemplateNotFound, TemplateInactive.
        """
        template = await self._aliases.resolve(
            namespace=namespace, name=name, version=version, alias=alias
        )
        return await self._draw(lambda: load_workflow(template.config), format)

    async def of_execution(self, id: str, format: PictureFormat) -> str:
        """That of an execution's pinned definition, with the states and times of its tasks.

        What it took over from executions before is shown as kept.

        Raises ExecutionNotFound.
        """
        execution = await self._executions.get(id)
        kept = await self._kept(execution)
        events = await self._events(id)
        return await self._draw(
            lambda: load_workflow(execution.definition),
            format,
            lambda: _run(execution, events, kept),
        )

    async def _kept(self, execution: Execution) -> Sequence[LifecycleEvent]:
        """What those have done that it took up from, told by its own paths."""
        before = await self._before(execution)
        if not before:
            return ()
        workflow = await asyncio.to_thread(load_workflow, execution.definition)
        kept = Kept(Relocation(workflow))
        for earlier, start in before:
            await asyncio.to_thread(_add, kept, await self._events(earlier), start)
        return list(kept.done.values())

    async def _before(self, execution: Execution) -> Sequence[tuple[str, str | None]]:
        """Those that it took up from, the oldest first, each with where the next one took up."""
        before: list[tuple[str, str | None]] = []
        with suppress(ExecutionNotFound):
            while execution.retry_of and len(before) < _MOST_BEFORE:
                start = await self._checkpoints.get_start(execution.id)
                execution = await self._executions.get(execution.retry_of)
                before.append((execution.id, start))
        return before[::-1]

    async def _events(self, execution_id: str) -> Sequence[LifecycleEvent]:
        order = Order(field="sequence", descending=False)
        after = None
        events: list[LifecycleEvent] = []
        while True:
            slice = Slice(order=order, limit=_EVENTS_AT_ONCE, after=after)
            rows = await self._history.list(execution_id, after_sequence=0, slice=slice)
            events += [_without_values(event) for event in rows.items]
            after = rows.place
            if after is None:
                return events

    async def _draw(
        self,
        load: Callable[[], Workflow],
        format: PictureFormat,
        run: Callable[[], RunProgress | None] = lambda: None,
    ) -> str:
        def draw() -> str:
            return _WRITERS[format](outline(load()), run())

        return await asyncio.get_running_loop().run_in_executor(self._drawing, draw)


def _checked(config: str) -> Workflow:
    checked = check(config)
    errors = [
        Violation(field="config", code=d.code, message=d.message, pointer=d.pointer)
        for d in checked.errors
    ]
    if errors:
        raise InvalidDefinition(errors)
    return checked.require()


def _add(kept: Kept, events: Sequence[LifecycleEvent], start: str | None) -> None:
    """Adds a run; `start` is the text of where the next one took up."""
    kept.add(events, Checkpoint.from_text(start).anew if start else "")


def _run(
    execution: Execution, events: Sequence[LifecycleEvent], kept: Sequence[LifecycleEvent]
) -> RunProgress:
    return RunProgress(
        id=execution.id,
        status=execution.status,
        started_at=execution.started_at,
        ended_at=execution.ended_at,
        error=execution.error,
        tasks=task_progress(events, has_ended=execution.status.is_end, kept=kept),
    )


def _without_values(event: LifecycleEvent) -> LifecycleEvent:
    """The same event, so that a long history with large values isn't in memory as a whole."""
    return LifecycleEvent(
        sequence=event.sequence,
        type=event.type,
        time=event.time,
        task=event.task,
        attempt=event.attempt,
        error=event.error,
        started_at=event.started_at,
    )
