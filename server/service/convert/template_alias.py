"""Aliases of templates."""

from api.template.v1 import template_pb2
from biz.templates.alias import TemplateAlias
from server.service.convert.time import time_to_proto


def template_alias_to_proto(alias: TemplateAlias) -> template_pb2.TemplateAlias:
    """The message."""
    return template_pb2.TemplateAlias(
        namespace=alias.namespace,
        name=alias.name,
        alias=alias.alias,
        version=alias.version,
        template_id=alias.template_id,
        updated_at=time_to_proto(alias.updated_at),
    )
