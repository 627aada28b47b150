"""`apply`: makes stored templates what the files say."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
import typer

from api.template.v1 import template_pb2
from app.client import Client, connect, failure_of, info_of, is_unreachable
from app.definition_file import check_definition, read_definition
from app.failure import Failure, show
from app.output import Format, print_json, to_json

_ALREADY_EXISTS = "TEMPLATE_ALREADY_EXISTS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What was done with a template."""

    template: template_pb2.Template
    action: str

    @property
    def line(self) -> str:
        """Says it to people."""
        template = self.template
        key = f"{template.namespace}/{template.name} {template.version}"
        return f"template {key} {self.action} (id {template.id})"


def apply(files: Sequence[Path], *, server: str, namespace: str, output: Format) -> bool:
    """Creates each file's template, or updates the one of its name and version; prints what it did.

    A template that holds the same text already is left alone. A file that is at fault is told, and
    holds up no other; False where there was one.
    """
    with connect(server) as client:
        done = [
            (file, _apply_file(client, file, server=server, namespace=namespace, output=output))
            for file in files
        ]
    if output == "json":
        print_json(
            [
                {
                    "file": str(file),
                    "action": applied.action if applied else "refused",
                    "template": to_json(applied.template) if applied else None,
                }
                for file, applied in done
            ]
        )
    return all(applied is not None for _, applied in done)


def _apply_file(
    client: Client, file: Path, *, server: str, namespace: str, output: Format
) -> Applied | None:
    """Tells what it did, or what is wrong; in JSON only the latter."""
    try:
        config = read_definition(file)
        if not check_definition(file, config, err=output == "json"):
            return None
        applied = _apply(client, config=config, namespace=namespace)
        if output == "table":
            typer.echo(applied.line)
        return applied
    except Failure as failure:
        show(failure)
    except grpc.RpcError as error:
        if is_unreachable(error):  # and so it is for the other files
            raise
        show(Failure(f"{file}: {failure_of(error, server).message}"))
    return None


def _apply(client: Client, *, config: str, namespace: str) -> Applied:
    create = template_pb2.CreateTemplateRequest(config=config, namespace=namespace)
    try:
        template = client.templates.CreateTemplate(create).template
        return Applied(template=template, action="created")
    except grpc.RpcError as error:
        info = info_of(error)
        if info is None or info.reason != _ALREADY_EXISTS:
            raise
        known = _stored(client, **dict(info.metadata))
    if known.digest == hashlib.sha256(config.encode()).hexdigest():
        return Applied(template=known, action="unchanged")
    update = template_pb2.UpdateTemplateRequest(id=known.id, config=config, etag=known.etag)
    template = client.templates.UpdateTemplate(update).template
    return Applied(template=template, action="updated")


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
