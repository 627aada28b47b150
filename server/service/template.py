"""TemplateService: decode, call one use case, encode."""

from api.template.v1 import template_pb2, template_pb2_grpc
from biz.templates.alias import TemplateAliasUsecase
from biz.templates.template import TemplateUsecase
from server.service.convert.paging import page_request_from_proto
from server.service.convert.template import (
    template_change_from_proto,
    template_query_from_proto,
    template_to_proto,
)
from server.service.convert.template_alias import template_alias_to_proto


class TemplateService(template_pb2_grpc.TemplateServiceServicer):
    """Templates and their aliases."""

    def __init__(self, *, templates: TemplateUsecase, aliases: TemplateAliasUsecase) -> None:
        self._templates = templates
        self._aliases = aliases

    async def CreateTemplate(
        self, request: template_pb2.CreateTemplateRequest, context: object
    ) -> template_pb2.CreateTemplateResponse:
        template = await self._templates.create(
            config=request.config,
            namespace=request.namespace,
            name=request.name,
            version=request.version,
            description=request.description,
            labels=dict(request.labels),
            request_id=request.request_id,
        )
        return template_pb2.CreateTemplateResponse(template=template_to_proto(template))

    async def GetTemplate(
        self, request: template_pb2.GetTemplateRequest, context: object
    ) -> template_pb2.GetTemplateResponse:
        template = await self._templates.get(request.id)
        return template_pb2.GetTemplateResponse(template=template_to_proto(template))

    async def UpdateTemplate(
        self, request: template_pb2.UpdateTemplateRequest, context: object
    ) -> template_pb2.UpdateTemplateResponse:
        change = template_change_from_proto(request)
        template = await self._templates.update(request.id, change, etag=request.etag)
        return template_pb2.UpdateTemplateResponse(template=template_to_proto(template))

    async def DeleteTemplate(
        self, request: template_pb2.DeleteTemplateRequest, context: object
    ) -> template_pb2.DeleteTemplateResponse:
        await self._templates.delete(request.id, force=request.force)
        return template_pb2.DeleteTemplateResponse()

    async def ListTemplates(
        self, request: template_pb2.ListTemplatesRequest, context: object
    ) -> template_pb2.ListTemplatesResponse:
        page = await self._templates.list(
            page_request_from_proto(request),
            query=template_query_from_proto(request),
            labels=list(request.labels),
        )
        return template_pb2.ListTemplatesResponse(
            templates=map(template_to_proto, page.items),
            next_page_token=page.next_token,
            total_size=page.total,
        )

    async def SetTemplateAlias(
        self, request: template_pb2.SetTemplateAliasRequest, context: object
    ) -> template_pb2.SetTemplateAliasResponse:
        alias = await self._aliases.set(
            namespace=request.namespace,
            name=request.name,
            alias=request.alias,
            version=request.version,
        )
        return template_pb2.SetTemplateAliasResponse(template_alias=template_alias_to_proto(alias))

    async def DeleteTemplateAlias(
        self, request: template_pb2.DeleteTemplateAliasRequest, context: object
    ) -> template_pb2.DeleteTemplateAliasResponse:
        await self._aliases.delete(
            namespace=request.namespace, name=request.name, alias=request.alias
        )
        return template_pb2.DeleteTemplateAliasResponse()

    async def ListTemplateAliases(
        self, request: template_pb2.ListTemplateAliasesRequest, context: object
    ) -> template_pb2.ListTemplateAliasesResponse:
        page = await self._aliases.list(
            page_request_from_proto(request), namespace=request.namespace, name=request.name
        )
        return template_pb2.ListTemplateAliasesResponse(
            template_aliases=map(template_alias_to_proto, page.items),
            next_page_token=page.next_token,
            total_size=page.total,
        )
