"""`apply`: makes stored templates what the files say."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import grpc
import typer

from api.template.v1 import template_pb2
from app.client import Client, connect, info_of
from app.commands.validate import read_definition
from app.failure import Failure

_ALREADY_EXISTS = "TEMPLATE_ALREADY_EXISTS"


def apply(files: Sequence[Path], *, server: str, namespace: str) -> None:
    """Creates each file's template, or updates the one of its name and version; prints what it did.

    A template that holds the same text already is left alone.
    """
    with connect(server) as client:
        for file in files:
            typer.echo(_apply(client, config=read_definition(file), namespace=namespace))


def _apply(client: Client, *, config: str, namespace: str) -> str:
    create = template_pb2.CreateTemplateRequest(config=config, namespace=namespace)
    try:
        return _line(client.templates.CreateTemplate(create).template, "created")
    except grpc.RpcError as error:
        info = info_of(error)
        if info is None or info.reason != _ALREADY_EXISTS:
            raise
        known = _stored(client, **dict(info.metadata))
    if known.digest == hashlib.sha256(config.encode()).hexdigest():
        return _line(known, "unchanged")
    update = template_pb2.UpdateTemplateRequest(id=known.id, config=config, etag=known.etag)
    return _line(client.templates.UpdateTemplate(update).template, "updated")


def _stored(client: Client, *, namespace: str, name: str, version: str) -> template_pb2.Template:
    request = template_pb2.ListTemplatesRequest(namespace=namespace, name=name, page_size=1000)
    while True:
        page = client.templates.ListTemplates(request)
        for template in page.templates:
            if template.version == version:
                return template
        if not page.next_page_token:
            raise Failure(
                f"the template {namespace}/{name} {version} was deleted meanwhile; repeat"
            )
        request.page_token = page.next_page_token


def _line(template: template_pb2.Template, what: str) -> str:
    key = f"{template.namespace}/{template.name} {template.version}"
    return f"template {key} {what} (id {template.id})"
