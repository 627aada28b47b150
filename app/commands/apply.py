"""`apply`: makes stored templates what the files say."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import grpc
import typer

from api.template.v1 import template_pb2
from app.client import Client, connect, failure_of, info_of, is_unreachable
from app.definition_file import check_definition, read_definition
from app.failure import Failure, show

_ALREADY_EXISTS = "TEMPLATE_ALREADY_EXISTS"


def apply(files: Sequence[Path], *, server: str, namespace: str) -> bool:
    """Creates each file's template, or updates the one of its name and version; prints what it did.

    A template that holds the same text already is left alone. A file that is at fault is told, and
    holds up no other; False where there was one.
    """
    with connect(server) as client:
        results = [_apply_file(client, file, server=server, namespace=namespace) for file in files]
    return all(results)


def _apply_file(client: Client, file: Path, *, server: str, namespace: str) -> bool:
    try:
        config = read_definition(file)
        if not check_definition(file, config):
            return False
        typer.echo(_apply(client, config=config, namespace=namespace))
    except Failure as failure:
        show(failure)
        return False
    except grpc.RpcError as error:
        if is_unreachable(error):  # and so it is for the other files
            raise
        show(Failure(f"{file}: {failure_of(error, server).message}"))
        return False
    return True


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
