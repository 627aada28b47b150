from collections.abc import Sequence
from dataclasses import replace

import pytest

from biz.dsl.checkpoint import Checkpoint
from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.dsl.sizes import MAX_JSON_BYTES
from biz.errors import ExecutionNotFound, InvalidArgument, InvalidDefinition, TemplateNotFound
from biz.paging import PageTokens, Rows, Slice
from biz.pictures.picture import PictureFormat, PictureUsecase
from biz.templates.alias import TemplateAliasUsecase
from tests.fakes.checkpoint_repo import FakeCheckpointRepo
from tests.fakes.execution_repo import FakeExecutionRepo
from tests.fakes.signing_key import FakeSigningKey
from tests.fakes.template_alias_repo import FakeTemplateAliasRepo
from tests.fakes.template_repo import FakeTemplateRepo
from tests.fixtures.definitions import GREET, definition
from tests.fixtures.entities import AT, COMPLETED

SVG, MERMAID = PictureFormat.SVG, PictureFormat.MERMAID
TYPES = (LifecycleType.TASK_CREATED, LifecycleType.TASK_STARTED, LifecycleType.TASK_COMPLETED)


class PagedHistory:
    """`biz.history.HistoryRepo`, an event a page; only one execution has any."""

    def __init__(self, events: Sequence[LifecycleEvent]) -> None:
        self._events = events

    async def list(
        self, execution_id: str, *, after_sequence: int, slice: Slice
    ) -> Rows[LifecycleEvent]:
        if execution_id != COMPLETED.id:
            return Rows(items=[], place=None)
        place = 0 if slice.after is None else slice.after[0]
        is_last = place + 1 >= len(self._events)
        following = None if is_last else (place + 1, place + 1)
        return Rows(items=self._events[place : place + 1], place=following)

    async def get_payload(self, execution_id: str, digest: str) -> str:
        raise AssertionError("no picture needs a large value")


@pytest.fixture
def executions() -> FakeExecutionRepo:
    """COMPLETED, one that took up from it in a changed definition, and one from nobody known."""
    executions = FakeExecutionRepo()
    greeted = replace(COMPLETED, definition=definition(GREET))
    executions.executions[greeted.id] = greeted
    for id, retry_of in (("again", greeted.id), ("orphan", "removed")):
        executions.executions[id] = replace(
            greeted,
            id=id,
            definition=definition({"new": {"set": {"a": 1}}}, GREET),
            retry_of=retry_of,
        )
    return executions


@pytest.fixture
def checkpoints(executions: FakeExecutionRepo) -> FakeCheckpointRepo:
    return FakeCheckpointRepo(executions)


@pytest.fixture
def usecase(executions: FakeExecutionRepo, checkpoints: FakeCheckpointRepo) -> PictureUsecase:
    """Knows the executions, of which COMPLETED has greeted."""
    templates = FakeTemplateRepo()
    events = [
        LifecycleEvent(sequence=n, type=type, time=AT, task="/do/0/greet", started_at=AT)
        for n, type in enumerate(TYPES, start=1)
    ]
    return PictureUsecase(
        templates=templates,
        aliases=TemplateAliasUsecase(
            repo=FakeTemplateAliasRepo(templates),
            templates=templates,
            page_tokens=PageTokens(signing_key=FakeSigningKey()),
            clock=lambda: AT,
        ),
        executions=executions,
        history=PagedHistory(events),
        checkpoints=checkpoints,
    )


async def test_a_definition_is_drawn_in_either_format(usecase: PictureUsecase) -> None:
    assert (await usecase.of_definition(definition(GREET), SVG)).startswith("<svg ")
    assert "flowchart TD" in await usecase.of_definition(definition(GREET), MERMAID)


async def test_an_execution_is_drawn_with_what_became_of_all_its_tasks(
    usecase: PictureUsecase,
) -> None:
    svg = await usecase.of_execution(COMPLETED.id, SVG)
    assert 'class="node set completed even" data-task="/do/0/greet"' in svg
    assert ":::completed" in await usecase.of_execution(COMPLETED.id, MERMAID)


@pytest.mark.parametrize(
    ("config", "code"), [(" ", "empty"), ("x" * (MAX_JSON_BYTES + 1), "too-long")]
)
async def test_no_text_and_too_much_of_it_are_refused(
    usecase: PictureUsecase, config: str, code: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await usecase.of_definition(config, SVG)
    assert [(v.field, v.code) for v in refused.value.violations] == [("config", code)]


async def test_a_definition_with_errors_is_refused_with_each(usecase: PictureUsecase) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        await usecase.of_definition(definition({"a": {"set": {}}}, {"b": {"cal": "http"}}), SVG)
    assert {v.pointer for v in refused.value.violations} >= {"/do/0/a/set", "/do/1/b"}


async def test_what_isnt_there_is_not_found(usecase: PictureUsecase) -> None:
    with pytest.raises(TemplateNotFound):
        await usecase.of_template(1, SVG)
    with pytest.raises(TemplateNotFound):
        await usecase.of_name(namespace="", name="x", version="", alias="", format=SVG)
    with pytest.raises(ExecutionNotFound):
        await usecase.of_execution("x", SVG)


@pytest.mark.parametrize(("anew", "style"), [("", "kept"), ("/do/1/greet", "unreached")])
async def test_what_an_execution_took_over_is_drawn_as_kept(
    usecase: PictureUsecase, checkpoints: FakeCheckpointRepo, anew: str, style: str
) -> None:
    checkpoints.starts["again"] = Checkpoint(faulted=anew, notes={"/do/#at": "greet"}).to_text()

    svg = await usecase.of_execution("again", SVG)

    assert f'class="node set {style} even" data-task="/do/1/greet"' in svg
    assert (":::kept" in await usecase.of_execution("again", MERMAID)) == (style == "kept")


async def test_where_those_before_are_gone_nothing_is_kept(usecase: PictureUsecase) -> None:
    assert "kept" not in (await usecase.of_execution("orphan", MERMAID)).split("classDef")[0]
