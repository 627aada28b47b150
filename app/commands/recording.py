"""`test --from-execution`: a recorded run becomes a test."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import typer
import yaml

from api.execution.v1 import execution_pb2
from app.client import Client, connect
from app.commands.events import all_events
from app.commands.test import run_case
from app.failure import Failure
from app.output import to_json
from biz.dsl.errors import WorkflowError
from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.dsl.reading.source import read
from biz.dsl.validator import load_workflow
from biz.testing.case_reader import read_cases
from biz.testing.recorded_case import NotRecorded, call_counts, record_case

_REFERENCE = {"payload", "length"}
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LIKE_A_NUMBER = re.compile(r"[-+.0-9].*", re.DOTALL)


def record(id: str, *, server: str, file: Path | None, workflow: str) -> None:
    """Writes the test of an execution to a file, or prints it.

    `workflow` is the path of its definition from there; empty writes the definition that it ran.
    Raises Failure, also where a dry run of the test doesn't end as the execution did.
    """
    with connect(server) as client:
        request = execution_pb2.GetExecutionRequest(id=id, view=execution_pb2.Execution.FULL)
        execution = client.executions.GetExecution(request).execution
        history = [_event(client, id, event) for event in all_events(client, id)]
    definition = read(execution.definition).value
    try:
        recorded = record_case(
            load_workflow(execution.definition), history, name=f"the execution {id}"
        )
    except NotRecorded as error:
        raise Failure(f"the execution {id} can't become a test: {error}") from error
    case = dict(recorded.case)
    cases = read_cases(json.dumps({"workflow": definition, "cases": [case]}), str)
    found, faults = asyncio.run(run_case(cases))
    if found is not None:
        case["expect"] = {**case["expect"], "calls": call_counts(found)}
    text = _text({"workflow": workflow or definition, "cases": [case]})
    notes = "".join(f"# Not in the history: {note}.\n" for note in recorded.notes)
    _write(file, notes + text)
    if faults:
        lines = "".join(f"\n  {fault}" for fault in faults)
        raise Failure(f"a dry run of the test isn't as the execution was; mend it:{lines}")


def _event(client: Client, id: str, event: execution_pb2.ExecutionEvent) -> LifecycleEvent:
    time = event.time.ToDatetime(tzinfo=UTC)
    shown = to_json(event)
    error = shown["error"] if event.HasField("error") else None
    found = LifecycleEvent(
        sequence=event.sequence,
        type=LifecycleType(event.type),
        time=time,
        task=event.task,
        attempt=event.attempt,
        error=WorkflowError.from_json(error) if error else None,
        started_at=time - event.duration.ToTimedelta() if event.HasField("duration") else None,
    )
    for name in ("input", "output"):
        if event.HasField(name):
            found = replace(found, **{name: _whole(client, id, shown[name])})
    return found


def _whole(client: Client, id: str, value: Any) -> Any:
    """A value, fetched where the history only refers to it."""
    is_reference = isinstance(value, dict) and value.keys() == _REFERENCE
    if not is_reference or not _DIGEST.fullmatch(str(value["payload"])):
        return value
    request = execution_pb2.GetPayloadRequest(id=id, digest=value["payload"])
    parts: Iterator[Any] = client.executions.GetPayload(request)
    return json.loads(b"".join(part.data for part in parts))


class _Dumper(yaml.SafeDumper):
    """Writes YAML that is read by version 1.2 of it as by 1.1, without aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if _LIKE_A_NUMBER.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _string)


def _text(value: Any) -> str:
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100))


def _write(file: Path | None, text: str) -> None:
    if file is None:
        typer.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{file} can't be written: {error.strerror}") from error
