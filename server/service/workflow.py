"""WorkflowService: decode, call one use case, encode."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from api.workflow.v1 import workflow_pb2, workflow_pb2_grpc
from biz.dry_run import DryRunUsecase
from biz.errors import InvalidArgument, Violation
from biz.pictures.picture import PictureUsecase
from biz.schedules.schedule import Schedule, ScheduleQuery, ScheduleUsecase
from biz.workflow import WorkflowUsecase
from server.service.convert.dry_run import dry_run_request_from_proto, dry_run_to_proto
from server.service.convert.execution import execution_to_proto
from server.service.convert.paging import page_request_from_proto
from server.service.convert.schedule import (
    backfill_window_from_proto,
    schedule_to_proto,
    trigger_input_from_proto,
)
from server.service.convert.workflow import diagnostic_to_proto, picture_format_from_proto


class WorkflowService(workflow_pb2_grpc.WorkflowServiceServicer):
    """Definitions, stored or not, and what starts them by itself."""

    def __init__(
        self,
        *,
        workflows: WorkflowUsecase,
        pictures: PictureUsecase,
        dry_runs: DryRunUsecase,
        schedules: ScheduleUsecase,
        clock: Callable[[], datetime],
        runs_url: str = "",
    ) -> None:
        """`runs_url` is where Temporal's web interface shows runs, as of ExecutionService."""
        self._workflows = workflows
        self._pictures = pictures
        self._dry_runs = dry_runs
        self._schedules = schedules
        self._clock = clock
        self._runs_url = runs_url

    async def ValidateWorkflow(
        self, request: workflow_pb2.ValidateWorkflowRequest, context: object
    ) -> workflow_pb2.ValidateWorkflowResponse:
        diagnostics = await self._workflows.validate(request.config)
        return workflow_pb2.ValidateWorkflowResponse(
            diagnostics=map(diagnostic_to_proto, diagnostics)
        )

    async def TestWorkflow(
        self, request: workflow_pb2.TestWorkflowRequest, context: object
    ) -> workflow_pb2.TestWorkflowResponse:
        # In threads, since large values take a while.
        given = await asyncio.to_thread(dry_run_request_from_proto, request)
        return await asyncio.to_thread(dry_run_to_proto, await self._dry_runs.run(given))

    async def ListSchedules(
        self, request: workflow_pb2.ListSchedulesRequest, context: object
    ) -> workflow_pb2.ListSchedulesResponse:
        page = await self._schedules.list(
            page_request_from_proto(request),
            query=ScheduleQuery(namespace=request.namespace, template_name=request.template_name),
        )
        return workflow_pb2.ListSchedulesResponse(
            schedules=[await self._encode(schedule) for schedule in page.items],
            next_page_token=page.next_token,
            total_size=page.total,
        )

    async def GetSchedule(
        self, request: workflow_pb2.GetScheduleRequest, context: object
    ) -> workflow_pb2.GetScheduleResponse:
        schedule = await self._schedules.get(request.id)
        return workflow_pb2.GetScheduleResponse(schedule=await self._encode(schedule))

    async def PauseSchedule(
        self, request: workflow_pb2.PauseScheduleRequest, context: object
    ) -> workflow_pb2.PauseScheduleResponse:
        schedule = await self._schedules.pause(request.id, reason=request.reason)
        return workflow_pb2.PauseScheduleResponse(schedule=await self._encode(schedule))

    async def ResumeSchedule(
        self, request: workflow_pb2.ResumeScheduleRequest, context: object
    ) -> workflow_pb2.ResumeScheduleResponse:
        schedule = await self._schedules.resume(request.id, reason=request.reason)
        return workflow_pb2.ResumeScheduleResponse(schedule=await self._encode(schedule))

    async def TriggerSchedule(
        self, request: workflow_pb2.TriggerScheduleRequest, context: object
    ) -> workflow_pb2.TriggerScheduleResponse:
        # In a thread, since a large input takes a while.
        input = await asyncio.to_thread(trigger_input_from_proto, request)
        execution = await self._schedules.trigger(
            request.id, input=input, request_id=request.request_id
        )
        return workflow_pb2.TriggerScheduleResponse(
            execution=execution_to_proto(execution, runs_url=self._runs_url)
        )

    async def BackfillSchedule(
        self, request: workflow_pb2.BackfillScheduleRequest, context: object
    ) -> workflow_pb2.BackfillScheduleResponse:
        start_time, end_time = backfill_window_from_proto(request)
        start_count = await self._schedules.backfill(
            request.id, start_time=start_time, end_time=end_time, request_id=request.request_id
        )
        return workflow_pb2.BackfillScheduleResponse(start_count=start_count)

    async def _encode(self, schedule: Schedule) -> workflow_pb2.Schedule:
        """The message. In a thread, since the next times of a rare cron expression take a while."""
        return await asyncio.to_thread(schedule_to_proto, schedule, now=self._clock())

    async def RenderWorkflow(
        self, request: workflow_pb2.RenderWorkflowRequest, context: object
    ) -> workflow_pb2.RenderWorkflowResponse:
        return workflow_pb2.RenderWorkflowResponse(content=await self._render(request))

    async def _render(self, request: workflow_pb2.RenderWorkflowRequest) -> str:
        format = picture_format_from_proto(request.format)
        match request.WhichOneof("source"):
            case "config":
                return await self._pictures.of_definition(request.config, format)
            case "template_id":
                return await self._pictures.of_template(request.template_id, format)
            case "template_name":
                return await self._pictures.of_name(
                    namespace=request.namespace,
                    name=request.template_name,
                    version=request.version,
                    alias=request.alias,
                    format=format,
                )
            case "execution_id":
                return await self._pictures.of_execution(request.execution_id, format)
        message = "set one of config, template_id, template_name and execution_id"
        raise InvalidArgument([Violation(field="", code="nothing-set", message=message)])
