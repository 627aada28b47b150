"""WorkflowService: decode, call one use case, encode. What isn't here yet is UNIMPLEMENTED."""

import asyncio

from api.workflow.v1 import workflow_pb2, workflow_pb2_grpc
from biz.dry_run import DryRunUsecase
from biz.workflow import WorkflowUsecase
from server.service.convert import (
    diagnostic_to_proto,
    dry_run_request_from_proto,
    dry_run_to_proto,
)


class WorkflowService(workflow_pb2_grpc.WorkflowServiceServicer):
    """Definitions, stored or not."""

    def __init__(self, *, workflows: WorkflowUsecase, dry_runs: DryRunUsecase) -> None:
        self._workflows = workflows
        self._dry_runs = dry_runs

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
