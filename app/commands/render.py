"""`render`: pictures of workflows, from a file or from the server."""

from pathlib import Path
from typing import Literal

import typer

from api.workflow.v1 import workflow_pb2
from app.client import connect
from app.definition_file import check_definition, read_definition
from app.failure import Failure
from biz.dsl.validator import check
from biz.pictures.mermaid import to_mermaid
from biz.pictures.outlining import outline
from biz.pictures.svg import to_svg

PictureFormat = Literal["svg", "mermaid"]

_MERMAID_ENDINGS = (".mmd", ".mermaid")
_WRITERS = {"svg": to_svg, "mermaid": to_mermaid}


def render(
    what: str,
    *,
    to: Path | None,
    format: PictureFormat | None,
    is_template: bool,
    is_execution: bool,
    version: str,
    namespace: str,
    server: str,
) -> None:
    """Writes a picture to the file `to`, or prints it.

    `what` is a file, or the name of a template or the id of an execution. Raises Failure.
    """
    if is_template and is_execution:
        raise Failure("choose one of --template and --execution", exit_code=2)
    if format is None:
        format = "mermaid" if to is not None and to.suffix in _MERMAID_ENDINGS else "svg"
    if is_template or is_execution:
        request = workflow_pb2.RenderWorkflowRequest(
            format=workflow_pb2.RenderWorkflowRequest.Format.Value(format.upper())
        )
        if is_execution:
            request.execution_id = what
        else:
            request.template_name, request.version = what, version
            request.namespace = namespace
        with connect(server) as client:
            content = client.workflows.RenderWorkflow(request).content
    else:
        content = _of_file(Path(what), format)
    _write(content, to)


def _of_file(file: Path, format: PictureFormat) -> str:
    text = read_definition(file)
    workflow = check(text).workflow
    if workflow is None:
        check_definition(file, text)
        raise Failure(f"{file}: only a definition without errors can be drawn")
    return _WRITERS[format](outline(workflow))


def _write(content: str, to: Path | None) -> None:
    if to is None:
        typer.echo(content, nl=False)
        return
    try:
        to.write_text(content, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{to}: {error.strerror}") from error
