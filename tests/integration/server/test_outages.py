"""What callers see while a part that the service stands on is away."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import grpc
import pytest
from anyio.from_thread import BlockingPortal
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2

from api.execution.v1 import execution_pb2 as pb
from api.execution.v1.execution_pb2_grpc import (
    ExecutionServiceStub,
    add_ExecutionServiceServicer_to_server,
)
from api.template.v1 import template_pb2
from api.template.v1.template_pb2_grpc import (
    TemplateServiceStub,
    add_TemplateServiceServicer_to_server,
)
from biz.events.event import EventUsecase
from biz.executions.control import ExecutionControl
from biz.executions.execution import ExecutionEnd, ExecutionStatus, ExecutionUsecase
from biz.executions.retry import RetryUsecase
from biz.executions.runs import ExecutionRuns
from biz.executions.succession import Succession
from biz.history.history import HistoryUsecase
from biz.history.live import LiveHistory
from biz.logs.log import ExecutionLogUsecase
from biz.operations.operation import OperationUsecase
from biz.paging import PageTokens
from biz.retention.removal import RemovalUsecase
from biz.statistics import StatisticsUsecase
from biz.templates.alias import TemplateAliasUsecase
from biz.templates.template import TemplateUsecase
from data.checkpoint import PeeweeCheckpointRepo
from data.database import Database
from data.event import PeeweeEventRepo
from data.execution import PeeweeExecutionRepo
from data.execution_control import PeeweeWishRepo
from data.execution_log import PeeweeExecutionLogRepo
from data.history import PeeweeHistoryRepo
from data.history_changes import DatabaseHistoryChanges
from data.live import PeeweeLiveHistoryRepo
from data.migrator import Migrator
from data.operation import PeeweeOperationRepo
from data.removal import PeeweeRemovalRepo
from data.signing_key import PeeweeSigningKey
from data.statistics import PeeweeStatisticsRepo
from data.template import PeeweeTemplateRepo
from data.template_alias import PeeweeTemplateAliasRepo
from server.grpc_server import Service
from server.service.execution import ExecutionService
from server.service.template import TemplateService
from tests.fakes.engine import FakeEngine
from tests.fixtures.definitions import GREET, definition
from tests.fixtures.grpc_service import ServicesFactory
from tests.fixtures.statuses import code_of, detail, error_info, refusal
from tests.patience import PATIENCE_SECONDS


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    return Database(url=f"sqlite:///{tmp_path_factory.mktemp('outages')}/test.db")


@pytest.fixture(scope="module")
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture(scope="module")
def grpc_services(database: Database, engine: FakeEngine) -> ServicesFactory:
    """Templates and executions on a database and an engine that the tests can take away."""

    @asynccontextmanager
    async def services() -> AsyncIterator[Sequence[Service]]:
        await database.open()
        await Migrator(database=database).migrate()
        page_tokens = PageTokens(signing_key=PeeweeSigningKey(database=database))
        template_repo = PeeweeTemplateRepo(database=database)
        templates = TemplateUsecase(repo=template_repo, page_tokens=page_tokens, clock=now)
        aliases = TemplateAliasUsecase(
            repo=PeeweeTemplateAliasRepo(database=database),
            templates=template_repo,
            page_tokens=page_tokens,
            clock=now,
        )
        execution_repo = PeeweeExecutionRepo(database=database, clock=now)
        runs = ExecutionRuns(repo=execution_repo, engine=engine, clock=now)
        control = ExecutionControl(
            repo=PeeweeWishRepo(database=database), runs=runs, engine=engine, clock=now
        )
        executions = ExecutionUsecase(
            repo=execution_repo,
            templates=templates,
            aliases=aliases,
            runs=runs,
            page_tokens=page_tokens,
            clock=now,
        )
        checkpoints = PeeweeCheckpointRepo(database=database, clock=now)
        yield [
            Service(
                name="api.template.v1.TemplateService",
                add=add_TemplateServiceServicer_to_server,
                servicer=TemplateService(templates=templates, aliases=aliases),
            ),
            Service(
                name="api.execution.v1.ExecutionService",
                add=add_ExecutionServiceServicer_to_server,
                servicer=ExecutionService(
                    executions=executions,
                    control=control,
                    retries=RetryUsecase(
                        repo=execution_repo,
                        checkpoints=checkpoints,
                        succession=Succession(checkpoints=checkpoints, engine=engine),
                        aliases=aliases,
                        runs=runs,
                        clock=now,
                    ),
                    history=HistoryUsecase(
                        repo=PeeweeHistoryRepo(database=database),
                        executions=execution_repo,
                        page_tokens=page_tokens,
                    ),
                    logs=ExecutionLogUsecase(
                        repo=PeeweeExecutionLogRepo(database=database),
                        executions=execution_repo,
                        page_tokens=page_tokens,
                    ),
                    events=EventUsecase(
                        repo=PeeweeEventRepo(database=database),
                        executions=execution_repo,
                        engine=engine,
                        clock=now,
                    ),
                    live=LiveHistory(
                        repo=PeeweeLiveHistoryRepo(database=database),
                        changes=DatabaseHistoryChanges(database=database),
                        clock=now,
                        max_watchers=1,
                    ),
                    operations=OperationUsecase(
                        repo=PeeweeOperationRepo(database=database),
                        wake=lambda: None,
                        page_tokens=page_tokens,
                        clock=now,
                    ),
                    statistics=StatisticsUsecase(
                        repo=PeeweeStatisticsRepo(database=database), clock=now
                    ),
                    removal=RemovalUsecase(repo=PeeweeRemovalRepo(database=database, clock=now)),
                ),
            ),
        ]
        await database.close()

    return services


@pytest.fixture
def template(templates: TemplateServiceStub) -> template_pb2.Template:
    """A template of its own for each test."""
    request = template_pb2.CreateTemplateRequest(name=str(uuid4()), config=definition(GREET))
    return templates.CreateTemplate(request).template


@pytest.fixture
def no_engine(engine: FakeEngine) -> Iterator[None]:
    """The engine is away until the test ends, or makes it `available`."""
    engine.available = False
    yield
    engine.available = True


@pytest.fixture
def no_database(
    templates: TemplateServiceStub, grpc_portal: BlockingPortal, database: Database
) -> Iterator[None]:
    """The database is away until the test ends."""
    grpc_portal.call(database.close)
    yield
    grpc_portal.call(database.open)


@pytest.mark.usefixtures("no_engine")
def test_an_execution_is_accepted_without_the_engine_and_starts_later(
    template: template_pb2.Template, executions: ExecutionServiceStub, engine: FakeEngine
) -> None:
    request = pb.StartExecutionRequest(
        template_id=template.id, request_id=str(uuid4()), wait=Duration(seconds=1)
    )
    accepted = executions.StartExecution(request).execution
    assert accepted.status == pb.Execution.PENDING
    engine.available = True
    request.ClearField("wait")
    again = executions.StartExecution(request).execution
    assert (again.id, again.status) == (accepted.id, pb.Execution.RUNNING)
    assert [run.id for run in engine.started].count(accepted.id) == 1


def test_a_wait_without_the_engine_answers_the_present_state(
    template: template_pb2.Template, executions: ExecutionServiceStub, engine: FakeEngine
) -> None:
    request = pb.StartExecutionRequest(template_id=template.id)
    id = executions.StartExecution(request).execution.id
    engine.available = False
    try:
        found = executions.GetExecution(pb.GetExecutionRequest(id=id, wait=Duration(seconds=1)))
    finally:
        engine.available = True
    assert found.execution.status == pb.Execution.RUNNING


def test_who_waits_sees_an_end_that_the_run_didnt_write(
    template: template_pb2.Template,
    executions: ExecutionServiceStub,
    engine: FakeEngine,
    grpc_portal: BlockingPortal,
) -> None:
    request = pb.StartExecutionRequest(template_id=template.id)
    id = executions.StartExecution(request).execution.id
    waiting = executions.GetExecution.future(
        pb.GetExecutionRequest(id=id, wait=Duration(seconds=PATIENCE_SECONDS))
    )
    end = ExecutionEnd(status=ExecutionStatus.TERMINATED, output=None, error=None, ended_at=now())
    grpc_portal.call(engine.end, id, end)
    assert waiting.result().execution.status == pb.Execution.TERMINATED


@pytest.mark.usefixtures("no_database")
def test_without_the_database_calls_may_be_tried_again(
    templates: TemplateServiceStub, executions: ExecutionServiceStub
) -> None:
    for refused in (
        refusal(templates.GetTemplate, template_pb2.GetTemplateRequest(id=1)),
        refusal(templates.ListTemplates, template_pb2.ListTemplatesRequest()),
        refusal(executions.StartExecution, pb.StartExecutionRequest(template_id=1)),
        refusal(executions.GetExecution, pb.GetExecutionRequest(id="x")),
    ):
        assert code_of(refused) is grpc.StatusCode.UNAVAILABLE
        assert error_info(refused).reason == "DATABASE_UNAVAILABLE"
        assert detail(refused, error_details_pb2.RetryInfo).retry_delay.seconds == 1
