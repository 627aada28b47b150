"""WorkflowService: decode, call one use case, encode. What isn't here yet is UNIMPLEMENTED."""

from api.workflow.v1 import workflow_pb2, workflow_pb2_grpc
from biz.workflow import WorkflowUsecase
from server.service.convert import diagnostic_to_proto


class WorkflowService(workflow_pb2_grpc.WorkflowServiceServicer):
    """Definitions, stored or not."""

    def __init__(self, *, workflows: WorkflowUsecase) -> None:
        self._workflows = workflows

    async def ValidateWorkflow(
        self, request: workflow_pb2.ValidateWorkflowRequest, context: object
    ) -> workflow_pb2.ValidateWorkflowResponse:
        diagnostics = await self._workflows.validate(request.config)
        return workflow_pb2.ValidateWorkflowResponse(
            diagnostics=map(diagnostic_to_proto, diagnostics)
        )
