"""Runs shell commands (DSL reference, "Shell Process")."""

from typing import Any

from temporalio import activity

from biz.dsl.calls.process_call import text
from biz.dsl.calls.shell_call import ShellCall
from workflows.activities.performer import CallContext, Performer
from workflows.activities.processes.policy import ProcessKind, ProcessPolicy
from workflows.activities.processes.runner import ProcessRunner, Program

_SHELL = "/bin/sh"


class ShellActivities:
    """Runs the commands of `run: {shell: …}` tasks."""

    def __init__(
        self, *, performer: Performer, policy: ProcessPolicy, runner: ProcessRunner
    ) -> None:
        self._performer = performer
        self._policy = policy
        self._runner = runner

    @activity.defn(name=ShellCall.KIND)
    async def call(self, call: ShellCall, context: CallContext) -> Any:
        """The call's output."""

        async def send(call: ShellCall) -> Any:
            self._policy.require_allowed(ProcessKind.SHELL, context.namespace)
            command = text("the command", call.command)
            program = Program(programs=[_SHELL], arguments=["-c", command, "sh"])
            return await self._runner.run(call, program)

        return await self._performer.perform(call, context, send)
