"""Runs scripts (DSL reference, "Script Process")."""

import shutil
import sys
from typing import Any, assert_never

from temporalio import activity

from biz.dsl.calls.script_call import ScriptCall, ScriptLanguage
from biz.dsl.errors import TaskFault, WorkflowError
from workflows.activities.documents import Documents
from workflows.activities.performer import CallContext, Performer
from workflows.activities.processes.policy import ProcessKind, ProcessPolicy
from workflows.activities.processes.runner import ProcessRunner, Program

_NO_NODE = (
    "scripts in js need Node.js 22 or later: install it, so that the worker finds `node` on its "
    "PATH"
)


class ScriptActivities:
    """Runs the scripts of `run: {script: …}` tasks."""

    def __init__(
        self,
        *,
        performer: Performer,
        policy: ProcessPolicy,
        runner: ProcessRunner,
        documents: Documents,
    ) -> None:
        self._performer = performer
        self._policy = policy
        self._runner = runner
        self._documents = documents

    @activity.defn(name=ScriptCall.KIND)
    async def call(self, call: ScriptCall, context: CallContext) -> Any:
        """The call's output."""

        async def send(call: ScriptCall) -> Any:
            self._policy.require_allowed(ProcessKind.SCRIPT, context.namespace)
            code = call.code
            if call.source is not None:
                code = (await self._documents.fetch(call.source)).text()
            return await self._runner.run(call, _program(call.language, code))

        return await self._performer.perform(call, context, send)


def _program(language: ScriptLanguage, code: str) -> Program:
    """What runs a script; raises TaskFault where it isn't installed."""
    match language:
        case ScriptLanguage.PYTHON:
            # This one may belong to a user whose files others can't read.
            programs = [sys.executable, "python3"]
            arguments = ["-I", "script.py"]
            return Program(programs=programs, arguments=arguments, files={"script.py": code})
        case ScriptLanguage.JS:
            node = shutil.which("node")
            if node is None:
                raise TaskFault(WorkflowError.standard("configuration", _NO_NODE))
            return Program(programs=[node], arguments=["script.js"], files={"script.js": code})
        case _:
            assert_never(language)
