"""AdminService. All of it is UNIMPLEMENTED yet."""

from api.admin.v1 import admin_pb2_grpc


class AdminService(admin_pb2_grpc.AdminServiceServicer):
    """The audit trail, API keys and secrets."""
